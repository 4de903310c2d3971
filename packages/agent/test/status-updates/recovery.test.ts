import { dispatch, Process } from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';
import { AgentID, FrameworkID, type StatusUpdate, TaskID, type TaskState, UpdateUUID } from '@mezzo/protocol';
import { expect } from 'chai';
import fc from 'fast-check';
import { readUpdateStream } from '../../src/status-updates/recovered-stream.ts';
import { StatusUpdates, UpdateDue } from '../../src/status-updates/status-updates.ts';
import { decodeUpdateRecord, encodeUpdateRecord } from '../../src/status-updates/update-record.ts';

const frameworkId = FrameworkID('f1');
const taskId = TaskID('t1');
const file = '/meta/t1/task.updates';

function uuid(number: number): UpdateUUID {
  return UpdateUUID(`00000000-0000-4000-8000-${String(number).padStart(12, '0')}`);
}

function updateOf(number: number, state: TaskState = 'TASK_RUNNING', task = taskId): StatusUpdate {
  const status = { taskId: task, state, source: 'SOURCE_EXECUTOR' as const, timestamp: 0, uuid: uuid(number) };
  return { frameworkId, agentId: AgentID('a1'), status, latestState: state };
}

class Receiver extends Process {
  readonly due: { readonly at: number; readonly number: number }[] = [];

  protected override initialize(): void {
    this.install(UpdateDue, ({ update }) => {
      this.due.push({ at: this.clock.now(), number: Number(update.status.uuid?.slice(-12)) });
    });
  }
}

/** The node starts, after a crash too, and recovers the task's file. */
async function recover(world: Simulation) {
  const runtime = await world.start('agent-1');
  const receiver = new Receiver('receiver');
  const manager = runtime.spawn(new StatusUpdates(runtime.spawn(receiver)));
  const read = readUpdateStream(runtime.files, file, frameworkId, taskId);
  await world.settle();
  const stream = read.get();
  void dispatch(manager, (p) => p.recover([stream]));
  await world.settle();
  const store = (number: number, state?: TaskState) => dispatch(manager, (p) => p.store(updateOf(number, state), file));
  const acknowledge = (number: number) => dispatch(manager, (p) => p.acknowledge(frameworkId, taskId, uuid(number)));
  return { receiver, manager, stream, store, acknowledge, files: world.machine('agent-1').files };
}

const line = (number: number, state?: TaskState) =>
  encodeUpdateRecord({ type: 'UPDATE', update: updateOf(number, state) });
const acknowledgement = (number: number) => encodeUpdateRecord({ type: 'ACK', uuid: uuid(number) });

describe('the status update manager, after a restart', () => {
  it('AGENT-14 takes up streams where they were, and sends nothing before it is resumed', async () => {
    await using world = new Simulation();
    const before = await recover(world);
    void dispatch(before.manager, (p) => p.resume());
    for (const number of [1, 2, 3]) void before.store(number);
    await world.settle();
    void before.acknowledge(1);
    await world.settle();
    world.crash('agent-1');
    const { manager, receiver, acknowledge } = await recover(world);
    await world.advance('1hrs');
    expect(receiver.due).to.deep.equal([]);
    const resumed = world.clock.now();
    void dispatch(manager, (p) => p.resume());
    await world.advance('10s');
    expect(receiver.due).to.deep.equal([
      { at: resumed, number: 2 },
      { at: resumed + 10_000, number: 2 },
    ]);
    const next = acknowledge(2);
    await world.settle();
    expect(next.get()).to.equal('next');
    expect(receiver.due.at(-1)?.number).to.equal(3);
  });

  it('refuses updates and acknowledgements that were taken before it', async () => {
    await using world = new Simulation();
    const before = await recover(world);
    void before.store(1);
    void before.store(2);
    await world.settle();
    void before.acknowledge(1);
    await world.settle();
    world.crash('agent-1');
    const { store, acknowledge, files } = await recover(world);
    const content = files.peek(file);
    const outcomes = [store(1), store(2), acknowledge(1)];
    await world.settle();
    expect(outcomes.map((outcome) => outcome.get())).to.deep.equal([false, false, 'unexpected']);
    expect(files.peek(file)).to.equal(content);
  });

  it('drops streams whose terminal update is acknowledged, and takes no late copy of what was in them', async () => {
    await using world = new Simulation();
    const before = await recover(world);
    void before.store(1);
    void before.store(2, 'TASK_FINISHED');
    await world.settle();
    for (const number of [1, 2]) {
      void before.acknowledge(number);
      await world.settle();
    }
    const late = before.store(1);
    await world.settle();
    expect(late.get(), 'before the restart').to.equal(false);
    world.crash('agent-1');
    const { manager, receiver, store, acknowledge } = await recover(world);
    void dispatch(manager, (p) => p.resume());
    const outcomes = [store(1), store(2, 'TASK_FINISHED'), acknowledge(2)];
    await world.advance('1hrs');
    expect(outcomes.map((outcome) => outcome.get())).to.deep.equal([false, false, 'unexpected']);
    expect(receiver.due).to.deep.equal([]);
  });

  it('reads what is whole of a file whose last line is torn, and writes on below', async () => {
    await using world = new Simulation();
    world.machine('agent-1').files.write(file, `${line(1)}${acknowledgement(1)}${line(2)}${line(3).slice(0, 40)}`);
    const { stream, store, files } = await recover(world);
    expect(stream).to.deep.include({ isTorn: true, damaged: [] });
    const stored = store(3);
    await world.settle();
    expect(stored.get(), 'it was not stored before').to.equal(true);
    const again = readUpdateStream(files, file, frameworkId, taskId);
    await world.settle();
    expect(again.get()).to.deep.include({ isTorn: false, updates: [updateOf(1), updateOf(2), updateOf(3)] });
    expect([...again.get().acknowledged]).to.deep.equal([uuid(1)]);
  });

  it('reads a last line that lacks only its end', async () => {
    await using world = new Simulation();
    world.machine('agent-1').files.write(file, line(1).trimEnd());
    const { store } = await recover(world);
    const outcomes = [store(1), store(2)];
    await world.settle();
    expect(outcomes.map((outcome) => outcome.get())).to.deep.equal([false, true]);
  });

  it('ignores records that come twice, acknowledgements out of order, and updates of other tasks', async () => {
    await using world = new Simulation();
    const other = encodeUpdateRecord({ type: 'UPDATE', update: updateOf(9, 'TASK_FAILED', TaskID('t2')) });
    const text = [
      line(1),
      acknowledgement(7),
      other,
      line(2),
      acknowledgement(2),
      acknowledgement(1),
      line(1),
      acknowledgement(1),
    ];
    world.machine('agent-1').files.write(file, text.join(''));
    const { stream } = await recover(world);
    expect(stream.updates).to.deep.equal([updateOf(1), updateOf(2)]);
    expect([...stream.acknowledged]).to.deep.equal([uuid(1)]);
    expect(stream.damaged).to.deep.equal([3]);
  });

  it('takes a file that is not there for an empty stream', async () => {
    await using world = new Simulation();
    const { stream, store } = await recover(world);
    expect(stream).to.deep.include({ updates: [], isTorn: false });
    const stored = store(1);
    await world.settle();
    expect(stored.get()).to.equal(true);
  });
});

describe('a record of an update', () => {
  it('is read as it was written, data included', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.string(), (data, message) => {
        const update = { ...updateOf(1), status: { ...updateOf(1).status, data, message } };
        expect(decodeUpdateRecord(encodeUpdateRecord({ type: 'UPDATE', update }).trimEnd())).to.deep.equal({
          type: 'UPDATE',
          update,
        });
      }),
    );
  });

  it('is none when any of it is missing', () => {
    const whole = line(1).trimEnd();
    for (let length = 0; length < whole.length; length++)
      expect(decodeUpdateRecord(whole.slice(0, length))).to.equal(undefined);
    for (const strange of [
      '{"type":"ACK","uuid":"x"}',
      '{"type":"UPDATE","update":{}}',
      '{"type":"OTHER"}',
      'null',
      '\0\0',
    ])
      expect(decodeUpdateRecord(strange), strange).to.equal(undefined);
  });
});
