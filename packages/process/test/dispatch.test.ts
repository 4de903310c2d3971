import { expect } from 'chai';
import { Deferred, dispatch, Future, type LocalPID, Process, ProcessError, type Runtime } from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';

class Base extends Process {
  readonly calls: string[] = [];
  func(): string {
    return 'base';
  }
  foo(): string {
    this.calls.push('foo');
    return 'foo';
  }
}

class Derived extends Base {
  override func(): string {
    this.calls.push('func');
    return 'derived';
  }
  echo(flag: boolean): boolean {
    return flag;
  }
  future(flag: boolean): Future<boolean> {
    return Future.ready(flag);
  }
  nothing(): void {
    this.calls.push('nothing');
  }
  take(bytes: Uint8Array): number {
    return bytes.length;
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
    const results = [
      dispatch(pid, (process) => process.nothing()),
      dispatch(pid, (process) => process.echo(true)),
      dispatch(pid, (process) => process.future(true)),
      dispatch(pid, (process) => Promise.resolve(process.echo(true))),
      dispatch(pid, (process) => process.take(new Uint8Array(3))),
    ];
    expect(results.every((result) => result.isPending)).to.equal(true);
    await world.settle();
    expect(results.map((result) => result.get())).to.deep.equal([undefined, true, true, true, 3]);
    expect(derived.calls).to.deep.equal(['nothing']);
  });

  it('calls a method by its name, with its arguments', async () => {
    const pid = runtime.spawn(new Derived());
    const echoed = runtime.dispatch(pid, 'echo', true);
    const future = runtime.dispatch(pid, 'future', true);
    await world.settle();
    expect([echoed.get(), future.get()]).to.deep.equal([true, true]);
  });

  it('LP-PROC-08 runs the override also through an address of the base class', async () => {
    const derived = new Derived();
    const pid = runtime.spawn(derived);
    const base: LocalPID<Base> = pid;
    const results = [
      dispatch(pid, (process) => process.func()),
      dispatch(base, (process) => process.func()),
      dispatch(base, (process) => process.foo()),
    ];
    await world.settle();
    expect(results.map((result) => result.get())).to.deep.equal(['derived', 'derived', 'foo']);
    expect(derived.calls).to.deep.equal(['func', 'func', 'foo']);
  });

  it('LP-SRC-17 to a process that has ended it is abandoned at once, and never FAILED', async () => {
    const pid = runtime.spawn(new Derived());
    runtime.terminate(pid);
    await world.settle();
    const late = dispatch(pid, (process) => process.echo(true));
    expect([late.isPending, late.isAbandoned]).to.deep.equal([true, true]);
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
