import { expect } from 'chai';
import { dispatch, type Inspected, message, Process, type Runtime } from '@mezzo/process';
import { intercept, Simulation } from '@mezzo/process/testing';

const Note = message<string>('note');
const Unknown = message('unknown');

class Listener extends Process {
  readonly notes: string[] = [];
  protected override initialize(): void {
    this.install(Note, (note) => void this.notes.push(note));
  }
  method(): void {}
  fails(): void {
    throw new Error('boom');
  }
}

describe('inspect', () => {
  let world: Simulation;
  let runtime: Runtime;
  const errors: string[] = [];

  beforeEach(async () => {
    errors.length = 0;
    world = new Simulation();
    runtime = await world.start('node', { onError: (error, context) => errors.push(`${context}: ${String(error)}`) });
  });

  afterEach(async () => {
    await world.stop();
  });

  const lineOf = (inspected: Inspected): string => {
    switch (inspected.kind) {
      case 'spawned':
        return `spawned ${inspected.pid.id}`;
      case 'ended':
        return `ended ${inspected.pid.id} ${inspected.reason.kind}`;
      case 'begins':
        return `begins ${inspected.pid.id} ${inspected.event.kind} ${inspected.event.name}`;
      case 'ends':
        return `ends ${inspected.pid.id} ${inspected.event.kind} ${inspected.milliseconds}`;
      case 'held':
        return `held ${inspected.pid.id} ${inspected.handler}`;
      case 'dead-letter':
        return `dead-letter ${inspected.letter.name} ${inspected.letter.reason}`;
    }
  };
  const inspecting = (): { readonly lines: string[]; readonly cancel: () => void } => {
    const lines: string[] = [];
    const subscription = runtime.inspect((inspected) => lines.push(lineOf(inspected)));
    return { lines, cancel: () => subscription.cancel() };
  };

  it('tells of the life of a process, and of each event: when it begins and when its turn is over', async () => {
    const { lines } = inspecting();
    const pid = runtime.spawn(new Listener('a'));
    runtime.send(pid, Note, 'x');
    void dispatch(pid, (process) => process.method());
    void runtime.dispatch(pid, 'method');
    runtime.send(pid, Unknown);
    await world.settle();
    runtime.terminate(pid);
    await world.settle();
    expect(lines).to.deep.equal([
      'spawned a',
      'begins a message note',
      'ends a message 0',
      'begins a dispatch ',
      'ends a dispatch 0',
      'begins a dispatch method',
      'ends a dispatch 0',
      'begins a message unknown',
      'dead-letter unknown unhandled',
      'ends a message 0',
      'begins a terminate ',
      'ended a terminated',
      'ends a terminate 0',
    ]);
  });

  it('tells of exits and of crashes', async () => {
    const linked = runtime.spawn(new Listener('linked'));
    class Linker extends Listener {
      protected override initialize(): void {
        this.link(linked);
      }
    }
    runtime.spawn(new Linker('linker'));
    await world.settle();
    const { lines } = inspecting();
    void runtime.dispatch(linked, 'fails');
    await world.settle();
    expect(lines).to.deep.equal([
      'begins linked dispatch fails',
      'ended linked crashed',
      'ends linked dispatch 0',
      'begins linker exited ',
      'ends linker exited 0',
    ]);
  });

  it('tells how long a turn took by the clock of the runtime', async () => {
    const { lines } = inspecting();
    const pid = runtime.spawn(new Listener('a'));
    await world.settle();
    void dispatch(pid, () =>
      world
        .runtime('node')
        ?.cell('a')
        ?.lift(world.clock.now() + 30),
    );
    await world.settle();
    expect(lines.at(-1)).to.equal('ends a dispatch 30');
  });

  it('tells of the turn of an async handler, which may go on', async () => {
    const { lines } = inspecting();
    const pid = runtime.spawn(new Listener('a'));
    const held = dispatch(pid, () => new Promise(() => undefined));
    runtime.send(pid, Note, 'x');
    await world.settle();
    expect(lines).to.deep.equal(['spawned a', 'begins a dispatch ', 'ends a dispatch 0']);
    await world.advance('10s');
    expect(lines.at(-1)).to.equal('held a a dispatched function');
    expect(held.isPending).to.equal(true);
  });

  it('does not tell of what an interceptor took away', async () => {
    const { lines } = inspecting();
    const pid = runtime.spawn(new Listener('a'));
    using interception = intercept(runtime);
    interception.drop.message(Note);
    runtime.send(pid, Note, 'x');
    await world.settle();
    expect(lines).to.deep.equal(['spawned a']);
  });

  it('tells of dead letters to nobody', async () => {
    const { lines } = inspecting();
    runtime.send(runtime.pid('nobody'), Note, 'x');
    expect(lines).to.deep.equal(['dead-letter note unknown']);
  });

  it('hurts nobody when an inspector throws: that is reported, and the others are told', async () => {
    runtime.inspect(() => {
      throw new Error('clumsy');
    });
    const { lines } = inspecting();
    const listener = new Listener('a');
    const pid = runtime.spawn(listener);
    runtime.send(pid, Note, 'x');
    await world.settle();
    expect(listener.notes).to.deep.equal(['x']);
    expect(lines).to.deep.equal(['spawned a', 'begins a message note', 'ends a message 0']);
    expect(errors).to.deep.equal(lines.map(() => 'an inspector threw: Error: clumsy'));
    expect(runtime.processes).to.deep.equal(['a']);
  });

  it('ends with cancel; then nothing is looked at any more', async () => {
    expect(runtime.observed).to.equal(false);
    const [first, second] = [inspecting(), inspecting()];
    expect(runtime.observed).to.equal(true);
    first.cancel();
    expect(runtime.observed).to.equal(true);
    const pid = runtime.spawn(new Listener('a'));
    second.cancel();
    expect([runtime.observed, runtime.inspection]).to.deep.equal([false, undefined]);
    runtime.send(pid, Note, 'x');
    await world.settle();
    expect([first.lines, second.lines]).to.deep.equal([[], ['spawned a']]);
  });

  it('is ended once by each cancel: a second one takes nothing from who came later', () => {
    const first = inspecting();
    first.cancel();
    const second = inspecting();
    first.cancel();
    runtime.spawn(new Listener('a'));
    expect(runtime.observed).to.equal(true);
    expect(second.lines).to.deep.equal(['spawned a']);
  });

  it('and interceptors do not switch each other off', () => {
    const inspector = inspecting();
    const interception = intercept(runtime);
    inspector.cancel();
    expect(runtime.observed).to.equal(true);
    const again = inspecting();
    interception.dispose();
    expect(runtime.observed).to.equal(true);
    again.cancel();
    expect(runtime.observed).to.equal(false);
  });

  it('the same function can be told twice', () => {
    const lines: string[] = [];
    const tell = (inspected: Inspected): void => void lines.push(lineOf(inspected));
    const subscription = runtime.inspect(tell);
    runtime.inspect(tell);
    runtime.spawn(new Listener('a'));
    subscription.cancel();
    runtime.spawn(new Listener('b'));
    expect(lines).to.deep.equal(['spawned a', 'spawned a', 'spawned b']);
  });

  it('begun or ended within a turn tells of whole turns only', async () => {
    const pid = runtime.spawn(new Listener('a'));
    let begun: ReturnType<typeof inspecting> | undefined;
    void dispatch(pid, () => {
      begun = inspecting();
    });
    runtime.send(pid, Note, 'x');
    await world.settle();
    expect(begun?.lines).to.deep.equal(['begins a message note', 'ends a message 0']);
    void dispatch(pid, () => begun?.cancel());
    await world.settle();
    expect(begun?.lines.slice(2)).to.deep.equal(['begins a dispatch ']);
  });
});
