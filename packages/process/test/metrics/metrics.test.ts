import { Deferred, Future, Process, ProcessError, type Runtime } from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';
import { expect } from 'chai';

class Idle extends Process {}

describe('metrics', () => {
  let world: Simulation;
  let runtime: Runtime;

  beforeEach(async () => {
    world = new Simulation();
    runtime = await world.start('node');
  });

  afterEach(async () => {
    await world.stop();
  });

  /** What a snapshot holds at once, without the runtime's own metrics. */
  function now(): Record<string, number> {
    const values = runtime.metrics.snapshot().get();
    return Object.fromEntries([...values].filter(([name]) => name.startsWith('test/')));
  }

  it('LP-MET-01 a counter is raised, reset and removed, each visible at once', () => {
    const counter = runtime.metrics.counter('test/counter');
    expect(now()).to.deep.equal({ 'test/counter': 0 });
    counter.increment();
    expect(now()).to.deep.equal({ 'test/counter': 1 });
    counter.increment();
    expect(now()).to.deep.equal({ 'test/counter': 2 });
    counter.reset();
    expect(now()).to.deep.equal({ 'test/counter': 0 });
    counter.increment(42);
    expect(now()).to.deep.equal({ 'test/counter': 42 });
    expect(runtime.metrics.remove('test/counter')).to.equal(true);
    expect(now()).to.deep.equal({});
    expect(runtime.metrics.remove('test/counter')).to.equal(false);
  });

  it('LP-MET-02 a pull gauge is read at the snapshot; one that fails or throws is left out', () => {
    let value = 42;
    runtime.metrics.pullGauge('test/gauge', () => value);
    runtime.metrics.pullGauge('test/future', () => Future.ready(7));
    runtime.metrics.pullGauge('test/failing', () => Future.failed('no value'));
    runtime.metrics.pullGauge('test/throwing', () => {
      throw new Error('no value');
    });
    expect(now()).to.deep.equal({ 'test/gauge': 42, 'test/future': 7 });
    value = 43;
    expect(now()).to.deep.equal({ 'test/gauge': 43, 'test/future': 7 });
  });

  it('LP-MET-03 a push gauge holds what its owner set', () => {
    const gauge = runtime.metrics.pushGauge('test/gauge');
    expect(gauge.value).to.equal(0);
    gauge.add(1);
    gauge.add(42);
    expect(gauge.value).to.equal(43);
    gauge.add(-43);
    expect(gauge.value).to.equal(0);
    gauge.set(42);
    expect(now()).to.deep.equal({ 'test/gauge': 42 });
  });

  it('a name is given once', () => {
    runtime.metrics.counter('test/name');
    expect(() => runtime.metrics.pushGauge('test/name'))
      .to.throw(ProcessError, "A metric named 'test/name' exists already")
      .with.property('code', 'METRIC_NAME_TAKEN');
  });

  it('LP-MET-06 names are sorted', () => {
    for (const letter of 'fedcba') runtime.metrics.counter(`test/${letter}`);
    expect(Object.keys(now())).to.deep.equal(['test/a', 'test/b', 'test/c', 'test/d', 'test/e', 'test/f']);
  });

  it('LP-MET-07 a gauge that is not ready is waited for until the timeout, and then left out and told', async () => {
    const never = new Deferred<number>();
    const late = new Deferred<number>();
    runtime.metrics.counter('test/counter');
    runtime.metrics.pullGauge('test/never', () => never.future);
    runtime.metrics.pullGauge('test/late', () => late.future);
    const snapshot = runtime.metrics.snapshot({ timeout: '5secs' });
    await world.advance('4secs');
    late.set(1);
    expect(snapshot.isPending).to.equal(true);
    expect(never.future.hasDiscard).to.equal(false);
    await world.advance('1secs');
    expect(snapshot.get().get('test/late')).to.equal(1);
    expect(snapshot.get().get('test/counter')).to.equal(0);
    expect(snapshot.get().has('test/never')).to.equal(false);
    expect(never.future.hasDiscard).to.equal(true);
  });

  it('a snapshot without timeout ends as soon as the last gauge is ready', async () => {
    const late = new Deferred<number>();
    runtime.metrics.pullGauge('test/late', () => late.future);
    const snapshot = runtime.metrics.snapshot();
    await world.advance('1secs');
    expect(snapshot.isPending).to.equal(true);
    late.set(5);
    expect(snapshot.get().get('test/late')).to.equal(5);
  });

  it('LP-SRC-42 an abandoned gauge is left out at once', async () => {
    const leaving = new Deferred<number>();
    runtime.metrics.counter('test/counter');
    runtime.metrics.pullGauge('test/abandoned', () => Future.abandoned());
    expect(now()).to.deep.equal({ 'test/counter': 0 });
    runtime.metrics.pullGauge('test/leaving', () => leaving.future);
    const snapshot = runtime.metrics.snapshot();
    expect(snapshot.isPending).to.equal(true);
    leaving.abandon();
    expect(snapshot.isReady).to.equal(true);
    expect(snapshot.get().has('test/leaving')).to.equal(false);
  });

  it('a discarded snapshot discards the gauges it waits for', () => {
    const never = new Deferred<number>();
    runtime.metrics.pullGauge('test/never', () => never.future);
    const snapshot = runtime.metrics.snapshot();
    snapshot.discard();
    expect(snapshot.isDiscarded).to.equal(true);
    expect(never.future.hasDiscard).to.equal(true);
  });

  it('the runtime counts its living processes, dead letters and errors', async () => {
    const values = (): ReadonlyMap<string, number> => runtime.metrics.snapshot().get();
    const before = values().get('process/processes') ?? Number.NaN;
    const pid = runtime.spawn(new Idle());
    expect(values().get('process/processes')).to.equal(before + 1);
    runtime.terminate(pid);
    await world.settle();
    expect(values().get('process/processes')).to.equal(before);
    expect([...values().keys()]).to.include.members(['process/dead_letters', 'process/errors']);
  });
});
