import { expect } from 'chai';
import { dispatch, type ExitReason, type LocalPID, message, type PID, Process, Runtime } from '@mezzo/process';
import { intercept, Simulation } from '@mezzo/process/testing';

const Note = message<string>('note');
const Other = message<string>('other');

class Target extends Process {
  readonly log: string[] = [];
  protected override initialize(): void {
    this.install(Note, (text) => void this.log.push(text));
    this.install(Other, (text) => void this.log.push(`other ${text}`));
  }
  protected override exited(pid: PID, reason: ExitReason): void {
    this.log.push(`exited ${pid.id} ${reason.kind}`);
  }
  func(): string {
    this.log.push('func');
    return 'done';
  }
  linkTo(pid: PID): void {
    this.link(pid);
  }
  tell(to: PID, text: string): void {
    this.send(to, Note, text);
  }
}

describe('intercept', () => {
  let world: Simulation;
  let runtime: Runtime;
  let target: Target;
  let pid: LocalPID<Target>;

  beforeEach(async () => {
    world = new Simulation();
    runtime = await world.start('node');
    target = new Target('target');
    pid = runtime.spawn(target);
    await world.settle();
  });

  afterEach(async () => {
    await world.stop();
  });

  it('LP-KIT-01 drops a message or a dispatch by name, once, and gives what it was', async () => {
    using interception = intercept(runtime);
    const message = interception.drop.message(Note);
    const called = interception.drop.dispatch(pid, 'func');
    runtime.send(pid, Note, 'dropped');
    runtime.send(pid, Note, 'served');
    const lost = runtime.dispatch(pid, 'func');
    expect([message.isPending, called.isPending]).to.deep.equal([true, true]);
    await world.settle();
    expect(message.get().body).to.equal('dropped');
    expect(called.isReady).to.equal(true);
    expect(lost.isAbandoned).to.equal(true);
    expect(target.log).to.deep.equal(['served']);
  });

  it('LP-KIT-02 several rules for one kind take one event each, the latest first', async () => {
    using interception = intercept(runtime);
    const second = interception.observe.message(Note);
    const first = interception.observe.message(Note);
    runtime.send(pid, Note, 'hello world');
    await world.settle();
    expect([first.get().body, second.isPending]).to.deep.equal(['hello world', true]);
    runtime.send(pid, Note, 'again');
    await world.settle();
    expect(second.get().body).to.equal('again');
    expect(target.log).to.deep.equal(['hello world', 'again']);
  });

  it('LP-KIT-03 LP-KIT-04 observes an exit, or drops it', async () => {
    using interception = intercept(runtime);
    const [a, b] = [runtime.spawn(new Target('a')), runtime.spawn(new Target('b'))];
    void dispatch(pid, (process) => process.linkTo(a));
    void dispatch(pid, (process) => process.linkTo(b));
    await world.settle();
    const seen = interception.observe.exited({ from: a, to: pid });
    const dropped = interception.drop.exited({ from: b, to: pid });
    runtime.terminate(a);
    runtime.terminate(b);
    await world.settle();
    expect([seen.get().body.kind, dropped.get().from?.id]).to.deep.equal(['terminated', 'b']);
    expect(target.log).to.deep.equal(['exited a terminated']);
  });

  it('LP-LINK-02 makes a linker believe in an exit, once', async () => {
    using interception = intercept(runtime);
    const a = runtime.spawn(new Target('a'));
    void dispatch(pid, (process) => process.linkTo(a));
    await world.settle();
    interception.injectExited(a, pid);
    await world.settle();
    expect(target.log).to.deep.equal(['exited a terminated']);
    expect(runtime.processes).to.include('a');
  });

  it('LP-SRC-55 decides when the event is served: it drops what was queued before, and is READY before the handler runs', async () => {
    runtime.send(pid, Note, 'queued before');
    using interception = intercept(runtime);
    void interception.drop.message(Note);
    await world.settle();
    expect(target.log).to.deep.equal([]);
    const order: string[] = [];
    interception.observe.message(Note).onReady(() => order.push(`observed, log ${target.log.length}`));
    runtime.send(pid, Note, 'next');
    runtime.send(pid, Note, 'and next');
    await world.settle();
    expect(order).to.deep.equal(['observed, log 0']);
    expect(target.log).to.deep.equal(['next', 'and next']);
  });

  it('LP-SRC-55 decides so in real time too', async () => {
    await using real = await Runtime.start();
    const other = new Target();
    const to = real.spawn(other);
    real.send(to, Note, 'queued before');
    using interception = intercept(real);
    const dropped = interception.drop.message(Note);
    real.send(to, Note, 'next');
    expect((await dropped).body).to.equal('queued before');
    await dispatch(to, () => undefined);
    expect(other.log).to.deep.equal(['next']);
  });

  it('matches by kind, sender and receiver', async () => {
    using interception = intercept(runtime);
    const sender = runtime.spawn(new Target('sender'));
    const other = new Target('other');
    const otherPid = runtime.spawn(other);
    const dropped = interception.drop.message(Note, { from: runtime.pid('sender'), to: pid });
    runtime.send(pid, Note, 'from nobody');
    runtime.send(pid, Other, 'kind');
    void dispatch(sender, (process) => {
      process.tell(otherPid, 'elsewhere');
      process.tell(pid, 'matched');
    });
    await world.settle();
    expect(dropped.get().body).to.equal('matched');
    expect([target.log, other.log]).to.deep.equal([['from nobody', 'other kind'], ['elsewhere']]);
  });

  it('delays a message: it is served that much later, behind what came meanwhile', async () => {
    using interception = intercept(runtime);
    const delayed = interception.delay('5secs').message(Note);
    runtime.send(pid, Note, 'delayed');
    runtime.send(pid, Note, 'meanwhile');
    await world.advance(4999);
    expect(delayed.isReady).to.equal(true);
    expect(target.log).to.deep.equal(['meanwhile']);
    await world.advance(1);
    expect(target.log).to.deep.equal(['meanwhile', 'delayed']);
  });

  it('a delayed dispatch still gives its result', async () => {
    using interception = intercept(runtime);
    void interception.delay('1s').dispatch(pid, 'func');
    const result = runtime.dispatch(pid, 'func');
    await world.settle();
    expect([result.isPending, result.isAbandoned]).to.deep.equal([true, false]);
    await world.advance('1s');
    expect(result.get()).to.equal('done');
  });

  it('a rule for several events retires after them', async () => {
    using interception = intercept(runtime);
    void interception.drop.message(Note, { times: 2 });
    for (const text of ['1', '2', '3']) runtime.send(pid, Note, text);
    await world.settle();
    expect(target.log).to.deep.equal(['3']);
  });

  it('matches by what is in the body, or by the reason of an exit', async () => {
    using interception = intercept(runtime);
    const dropped = interception.drop.message(Note, { where: (text) => text.startsWith('b') });
    const crashed = interception.observe.exited({ where: (reason) => reason.kind === 'crashed' });
    for (const text of ['a', 'b', 'c']) runtime.send(pid, Note, text);
    const other = runtime.spawn(new Target('other'));
    void dispatch(pid, (process) => process.linkTo(other));
    await world.settle();
    runtime.terminate(other);
    await world.settle();
    expect([dropped.get().body, crashed.isPending]).to.deep.equal(['b', true]);
    expect(target.log).to.deep.equal(['a', 'c', 'exited other terminated']);
  });

  it('what is forbidden is served, and told at the end of the scope', async () => {
    const interception = intercept(runtime);
    const seen = interception.forbid.message(Note, { where: (text) => text !== 'allowed' });
    void interception.forbid.dispatch(pid, 'func');
    void interception.forbid.exited();
    runtime.send(pid, Note, 'allowed');
    await world.settle();
    expect(seen.isPending).to.equal(true);
    runtime.send(pid, Note, 'once');
    runtime.send(pid, Note, 'twice');
    void runtime.dispatch(pid, 'func');
    await world.settle();
    expect(seen.get().body).to.equal('once');
    expect(target.log).to.deep.equal(['allowed', 'once', 'twice', 'func']);
    expect(() => interception.dispose())
      .to.throw(/message 'note'.*message 'note'.*dispatch 'func'/)
      .with.property('code', 'FORBIDDEN_EVENT');
    interception.dispose();
    expect(runtime.interceptor).to.equal(undefined);
  });

  it('ends with its scope: nothing is intercepted any more, and rules that saw nothing are abandoned', async () => {
    let waiting;
    {
      using interception = intercept(runtime);
      waiting = interception.drop.message(Note);
      using inner = intercept(runtime);
      void inner.observe.message(Other);
    }
    expect(waiting.isAbandoned).to.equal(true);
    expect(runtime.interceptor).to.equal(undefined);
    runtime.send(pid, Note, 'served');
    await world.settle();
    expect(target.log).to.deep.equal(['served']);
  });

  it('does not keep a process from ending', async () => {
    using interception = intercept(runtime);
    void interception.drop.message(undefined, { times: 100 });
    runtime.terminate(pid);
    await world.settle();
    expect(runtime.processes).to.deep.equal([]);
  });
});
