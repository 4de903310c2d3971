import { dispatch, type LocalPID, Process, type Runtime } from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';
import { AgentID, FrameworkID, type StatusUpdate, TaskID, type TaskState, UpdateUUID } from '@mezzo/protocol';
import { expect } from 'chai';
import { StatusUpdates, UpdateDue } from '../../src/status-updates/status-updates.ts';

const frameworkId = FrameworkID('f1');
const agentId = AgentID('a1');

function uuid(number: number): UpdateUUID {
  return UpdateUUID(`00000000-0000-4000-8000-${String(number).padStart(12, '0')}`);
}

function updateOf(number: number, state: TaskState = 'TASK_RUNNING', task = 't1', data?: Uint8Array): StatusUpdate {
  const status = { taskId: TaskID(task), state, source: 'SOURCE_EXECUTOR' as const, timestamp: 0, uuid: uuid(number) };
  return { frameworkId, agentId, status: data === undefined ? status : { ...status, data }, latestState: state };
}

class Receiver extends Process {
  readonly due: { readonly at: number; readonly update: StatusUpdate }[] = [];

  protected override initialize(): void {
    this.install(UpdateDue, ({ update }) => void this.due.push({ at: this.clock.now(), update }));
  }

  get numbers(): number[] {
    return this.due.map(({ update }) => Number(update.status.uuid?.slice(-12)));
  }
}

async function start(world: Simulation): Promise<{
  readonly runtime: Runtime;
  readonly receiver: Receiver;
  readonly manager: LocalPID<StatusUpdates>;
}> {
  const runtime = await world.start('agent-1');
  const receiver = new Receiver('receiver');
  const manager = runtime.spawn(new StatusUpdates(runtime.spawn(receiver)));
  void dispatch(manager, (p) => p.resume());
  await world.settle();
  return { runtime, receiver, manager };
}

describe('the status update manager', () => {
  it('AGENT-09 delivers the head of a stream, again after 10 s, doubling up to 10 min', async () => {
    await using world = new Simulation();
    const { receiver, manager } = await start(world);
    void dispatch(manager, (p) => p.store(updateOf(1), undefined));
    void dispatch(manager, (p) => p.store(updateOf(2, 'TASK_FINISHED'), undefined));
    await world.advance('2hrs');
    const times = receiver.due.map(({ at }) => at);
    const seconds = times.slice(1).map((time, index) => (time - (times[index] ?? 0)) / 1000);
    expect(seconds.slice(0, 8)).to.deep.equal([10, 20, 40, 80, 160, 320, 600, 600]);
    expect(new Set(receiver.numbers)).to.deep.equal(new Set([1]));
  });

  it('delivers the next when the head is acknowledged, beginning at 10 s again, and tells when it was the last', async () => {
    await using world = new Simulation();
    const { receiver, manager } = await start(world);
    void dispatch(manager, (p) => p.store(updateOf(1), undefined));
    void dispatch(manager, (p) => p.store(updateOf(2, 'TASK_FINISHED'), undefined));
    await world.advance('35s');
    const first = dispatch(manager, (p) => p.acknowledge(frameworkId, TaskID('t1'), uuid(1)));
    await world.advance('11s');
    expect(first.get()).to.equal('next');
    expect(receiver.numbers).to.deep.equal([1, 1, 1, 2, 2]);
    const last = dispatch(manager, (p) => p.acknowledge(frameworkId, TaskID('t1'), uuid(2)));
    await world.advance('2hrs');
    expect(last.get()).to.equal('terminal');
    expect(receiver.numbers).to.have.length(5);
  });

  it('AGENT-09 ignores acknowledgements of anything but the update in flight', async () => {
    await using world = new Simulation();
    const { receiver, manager } = await start(world);
    void dispatch(manager, (p) => p.store(updateOf(1), undefined));
    void dispatch(manager, (p) => p.store(updateOf(2), undefined));
    await world.settle();
    const wrong = [
      dispatch(manager, (p) => p.acknowledge(frameworkId, TaskID('t1'), uuid(2))),
      dispatch(manager, (p) => p.acknowledge(frameworkId, TaskID('t1'), uuid(9))),
      dispatch(manager, (p) => p.acknowledge(frameworkId, TaskID('t2'), uuid(1))),
      dispatch(manager, (p) => p.acknowledge(FrameworkID('f2'), TaskID('t1'), uuid(1))),
    ];
    await world.settle();
    expect(wrong.map((outcome) => outcome.get())).to.deep.equal(Array(4).fill('unexpected'));
    expect(receiver.numbers).to.deep.equal([1]);
  });

  it('takes two acknowledgements of one update, the second while the first is being stored, for one', async () => {
    await using world = new Simulation();
    const { receiver, manager } = await start(world);
    for (const number of [1, 2, 3]) void dispatch(manager, (p) => p.store(updateOf(number), '/meta/t1'));
    await world.settle();
    const outcomes = [1, 2].map(() => dispatch(manager, (p) => p.acknowledge(frameworkId, TaskID('t1'), uuid(1))));
    await world.settle();
    expect(outcomes.map((outcome) => outcome.get())).to.deep.equal(['next', 'unexpected']);
    expect(receiver.numbers).to.deep.equal([1, 2]);
  });

  it('AGENT-09 takes an update once, also after it was acknowledged', async () => {
    await using world = new Simulation();
    const { receiver, manager } = await start(world);
    const store = () => dispatch(manager, (p) => p.store(updateOf(1), undefined));
    const taken = [store(), store()];
    await world.settle();
    void dispatch(manager, (p) => p.acknowledge(frameworkId, TaskID('t1'), uuid(1)));
    await world.settle();
    taken.push(store());
    await world.settle();
    expect(taken.map((outcome) => outcome.get())).to.deep.equal([true, false, false]);
    expect(receiver.numbers).to.deep.equal([1]);
  });

  it('sends nothing while paused, and every head at once when resumed', async () => {
    await using world = new Simulation();
    const { receiver, manager } = await start(world);
    void dispatch(manager, (p) => p.store(updateOf(1), undefined));
    await world.advance('15s');
    void dispatch(manager, (p) => p.pause());
    void dispatch(manager, (p) => p.store(updateOf(2, 'TASK_RUNNING', 't2'), undefined));
    await world.advance('1hrs');
    expect(receiver.numbers).to.deep.equal([1, 1]);
    void dispatch(manager, (p) => p.resume());
    await world.settle();
    expect(receiver.numbers).to.deep.equal([1, 1, 1, 2]);
    await world.advance('10s');
    expect(receiver.numbers).to.deep.equal([1, 1, 1, 2, 1, 2]);
  });

  it('forgets the streams of a framework', async () => {
    await using world = new Simulation();
    const { receiver, manager } = await start(world);
    void dispatch(manager, (p) => p.store(updateOf(1), undefined));
    await world.settle();
    // One that is being stored when they are forgotten is not sent either.
    void dispatch(manager, (p) => p.store(updateOf(2, 'TASK_RUNNING', 't2'), '/meta/t2'));
    void dispatch(manager, (p) => p.cleanup(frameworkId));
    await world.advance('1hrs');
    expect(receiver.numbers).to.deep.equal([1]);
  });

  it('writes updates and acknowledgements in order, data included, before they count', async () => {
    await using world = new Simulation();
    const { receiver, manager } = await start(world);
    const { files } = world.machine('agent-1');
    const update = updateOf(1, 'TASK_RUNNING', 't1', new Uint8Array([0, 255, 10]));
    void dispatch(manager, (p) => p.store(update, '/meta/t1'));
    void dispatch(manager, (p) => p.store(updateOf(2, 'TASK_FINISHED'), '/meta/t1'));
    await world.settle();
    void dispatch(manager, (p) => p.acknowledge(frameworkId, TaskID('t1'), uuid(1)));
    await world.settle();
    const lines = (files.peek('/meta/t1') ?? '').split('\n');
    expect(lines.pop(), 'every record ends with a line feed').to.equal('');
    const records = lines.map((line) => JSON.parse(line) as object);
    expect(records).to.deep.equal([
      { type: 'UPDATE', update: { ...update, status: { ...update.status, data: 'AP8K' } } },
      { type: 'UPDATE', update: updateOf(2, 'TASK_FINISHED') },
      { type: 'ACK', uuid: uuid(1) },
    ]);
    expect(receiver.numbers).to.deep.equal([1, 2]);
  });

  it('holds an update that a full disk has no room for, and those after it, until it is written, and leaves no half line before it', async () => {
    await using world = new Simulation();
    const { receiver, manager } = await start(world);
    const { files, disk } = world.machine('agent-1');
    disk.capacity = 12;
    const first = dispatch(manager, (p) => p.store(updateOf(1), '/meta/t1'));
    await world.advance('9s');
    const others = [2, 1].map((number) => dispatch(manager, (p) => p.store(updateOf(number), '/meta/t1')));
    disk.capacity = 10_000;
    await world.settle();
    expect([first, ...others].every(({ isPending }) => isPending)).to.equal(true);
    expect(receiver.numbers).to.deep.equal([]);
    await world.advance('1s');
    expect([first, ...others].map((stored) => stored.get())).to.deep.equal([true, true, false]);
    expect(receiver.numbers).to.deep.equal([1]);
    const [torn, ...lines] = (files.peek('/meta/t1') ?? '').trimEnd().split('\n');
    expect(torn).to.have.length(12);
    expect(lines.map((line) => (JSON.parse(line) as { update: StatusUpdate }).update.status.uuid)).to.deep.equal([
      uuid(1),
      uuid(2),
    ]);
  });

  it('keeps an update in flight whose acknowledgement cannot be written', async () => {
    await using world = new Simulation();
    const { receiver, manager } = await start(world);
    const { files } = world.machine('agent-1');
    void dispatch(manager, (p) => p.store(updateOf(1), '/meta/t1'));
    await world.settle();
    files.failWrites = 'ENOSPC';
    const failed = dispatch(manager, (p) => p.acknowledge(frameworkId, TaskID('t1'), uuid(1)));
    await world.advance('10s');
    expect(failed.isFailed).to.equal(true);
    expect(receiver.numbers).to.deep.equal([1, 1]);
    files.failWrites = undefined;
    const acknowledged = dispatch(manager, (p) => p.acknowledge(frameworkId, TaskID('t1'), uuid(1)));
    await world.settle();
    expect(acknowledged.get()).to.equal('next');
  });
});
