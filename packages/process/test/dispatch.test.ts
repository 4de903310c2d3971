import { expect } from 'chai';
import { Deferred, dispatch, Future, type LocalPID, Process, ProcessError, type Runtime } from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';

abstract class Base extends Process {
  readonly calls: string[] = [];
  abstract func(): string;
  foo(): string {
    this.calls.push('foo');
    return 'foo';
  }
}

class Derived extends Base {
  taken: Uint8Array | undefined;
  func(): string {
    this.calls.push('func');
    return 'derived';
  }
  echo(flag: boolean): boolean {
    this.calls.push('echo');
    return flag;
  }
  future(flag: boolean): Future<boolean> {
    this.calls.push('future');
    return Future.ready(flag);
  }
  nothing(): void {
    this.calls.push('nothing');
  }
  take(bytes: Uint8Array): void {
    this.calls.push('take');
    this.taken = bytes;
  }
}

describe('dispatch', () => {
  let world: Simulation;
  let runtime: Runtime;

  beforeEach(async () => {
    world = new Simulation();
    runtime = await world.start('node');
  });

  afterEach(async () => {
    await world.stop();
  });

  it('LP-PROC-03 gives what the method gives, with futures flattened', async () => {
    const derived = new Derived();
    const pid = runtime.spawn(derived);
    const bytes = new Uint8Array(3);
    const results = [
      dispatch(pid, (process) => process.nothing()),
      dispatch(pid, (process) => process.echo(true)),
      dispatch(pid, (process) => process.future(true)),
      dispatch(pid, (process) => Promise.resolve(process.echo(true))),
      dispatch(pid, (process) => process.take(bytes)),
    ];
    expect(results.every((result) => result.isPending)).to.equal(true);
    await world.settle();
    expect(results.map((result) => result.get())).to.deep.equal([undefined, true, true, true, undefined]);
    expect(derived.calls).to.deep.equal(['nothing', 'echo', 'future', 'echo', 'take']);
    expect(derived.taken).to.equal(bytes);
  });

  it('calls a method by its name, with its arguments', async () => {
    const pid = runtime.spawn(new Derived());
    const echoed = runtime.dispatch(pid, 'echo', true);
    const future = runtime.dispatch(pid, 'future', true);
    await world.settle();
    expect([echoed.get(), future.get()]).to.deep.equal([true, true]);
  });

  it('LP-PROC-08 runs the override also through an address of the base class, which is the same address', async () => {
    const derived = new Derived();
    const pid = runtime.spawn(derived);
    const object: Base = derived;
    const base: LocalPID<Base> = object.self;
    expect(base.equals(pid)).to.equal(true);
    const results = [
      dispatch(pid, (process) => process.func()),
      dispatch(base, (process) => process.func()),
      dispatch(base, (process) => process.foo()),
    ];
    await world.settle();
    expect(results.map((result) => result.get())).to.deep.equal(['derived', 'derived', 'foo']);
    expect(derived.calls).to.deep.equal(['func', 'func', 'foo']);
  });

  it('LP-SRC-17 to nobody, or to who has ended or lives elsewhere, it is abandoned at once, and never FAILED', async () => {
    const ended = runtime.spawn(new Derived('ended'));
    runtime.terminate(ended);
    await world.settle();
    const [local, away, successor] = [new Derived('x'), new Derived('x'), new Derived('ended')];
    runtime.spawn(local);
    runtime.spawn(successor);
    const remote = (await world.start('other')).spawn(away);
    const late = dispatch(ended, (process) => process.echo(true));
    expect([late.isPending, late.isAbandoned]).to.deep.equal([true, true]);
    const texts = ['unknown', 'x@other', 'x@nowhere', ended.address, remote.address];
    for (const pid of [ended, remote, runtime.nobody, ...texts.map((text) => runtime.pid(text))]) {
      const called = runtime.dispatch(pid as LocalPID<Derived>, 'echo', true);
      expect([called.isPending, called.isAbandoned], pid.address).to.deep.equal([true, true]);
    }
    await world.settle();
    expect([local.calls, away.calls, successor.calls]).to.deep.equal([[], [], []]);
  });

  it('takes only addresses that spawn returned', () => {
    const bare = runtime.pid('x') as LocalPID<Derived>;
    expect(() => dispatch(bare, (process) => process.nothing())).to.throw(
      ProcessError,
      'only an address that spawn returned',
    );
  });

  it('LP-SRC-18 a discard reaches the future that the method returned, also one made before it ran', async () => {
    const pid = runtime.spawn(new Derived());
    const inner = new Deferred<number>();
    const result = dispatch(pid, () => inner.future);
    await world.settle();
    result.discard();
    expect(inner.future.hasDiscard).to.equal(true);
    const early = new Deferred<number>();
    let ran = false;
    const before = dispatch(pid, () => {
      ran = true;
      return early.future;
    });
    before.discard();
    await world.settle();
    expect([ran, early.future.hasDiscard]).to.deep.equal([true, true]);
  });
});
