import {
  Deferred,
  dispatch,
  Future,
  ManualClock,
  Metric,
  nodePlatform,
  Process,
  ProcessError,
  PushGauge,
  Runtime,
} from '@mezzo/process';
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

  it('LP-MET-01 a counter is raised, reset and removed, each visible at once; without a window it has no statistics', async () => {
    const counter = runtime.metrics.counter('test/counter');
    const seen = (): unknown[] => [counter.value, now()];
    const shown = (value: number): unknown[] => [value, { 'test/counter': value }];
    expect(seen()).to.deep.equal(shown(0));
    counter.increment();
    expect(seen()).to.deep.equal(shown(1));
    counter.increment();
    expect(seen()).to.deep.equal(shown(2));
    counter.reset();
    expect(seen()).to.deep.equal(shown(0));
    await world.advance('1secs');
    counter.increment(42);
    expect(seen()).to.deep.equal(shown(42));
    expect(counter.statistics()).to.equal(undefined);
    expect(runtime.metrics.remove('test/counter')).to.equal(true);
    expect(now()).to.deep.equal({});
    expect(runtime.metrics.remove('test/counter')).to.equal(false);
  });

  it('LP-MET-02 a pull gauge asks a process when it is read; one that fails or throws is left out', async () => {
    class Measuring extends Process {
      level = 42;

      measure(): number {
        return this.level;
      }

      fail(): Future<number> {
        return Future.failed('no value');
      }
    }
    const measuring = new Measuring('measuring');
    const pid = runtime.spawn(measuring);
    const gauge = runtime.metrics.pullGauge('test/gauge', () => dispatch(pid, (process) => process.measure()));
    const failing = runtime.metrics.pullGauge('test/failing', () => dispatch(pid, (process) => process.fail()));
    runtime.metrics.pullGauge('test/throwing', () => {
      throw new Error('no value');
    });
    runtime.metrics.pullGauge('test/constant', () => 7);
    const read = async (): Promise<unknown> => {
      const values = [gauge.value, failing.value];
      const snapshot = runtime.metrics.snapshot();
      await world.settle();
      const ours = [...snapshot.get()].filter(([name]) => name.startsWith('test/'));
      return [values.map((value) => (value.isReady ? value.get() : value.state)), Object.fromEntries(ours)];
    };
    expect(await read()).to.deep.equal([[42, 'failed'], { 'test/constant': 7, 'test/gauge': 42 }]);
    measuring.level = 43;
    expect(await read()).to.deep.equal([[43, 'failed'], { 'test/constant': 7, 'test/gauge': 43 }]);
    expect(failing.value.isPending).to.equal(true);
    for (const name of ['gauge', 'failing', 'throwing', 'constant'])
      expect(runtime.metrics.remove(`test/${name}`)).to.equal(true);
    expect(now()).to.deep.equal({});
  });

  it('LP-MET-03 a push gauge holds what its owner set; without a window it has no statistics', async () => {
    const gauge = runtime.metrics.pushGauge('test/gauge');
    const seen = (): unknown[] => [gauge.value, now()];
    const shown = (value: number): unknown[] => [value, { 'test/gauge': value }];
    expect(seen()).to.deep.equal(shown(0));
    gauge.add(1);
    expect(seen()).to.deep.equal(shown(1));
    gauge.add(42);
    expect(seen()).to.deep.equal(shown(43));
    gauge.add(-1);
    expect(seen()).to.deep.equal(shown(42));
    gauge.add(-42);
    expect(seen()).to.deep.equal(shown(0));
    await world.advance('1secs');
    gauge.set(42);
    expect(seen()).to.deep.equal(shown(42));
    expect(gauge.statistics()).to.equal(undefined);
    expect(runtime.metrics.remove('test/gauge')).to.equal(true);
    expect(now()).to.deep.equal({});
  });

  it('LP-MET-04 a counter with a window tells the percentiles of its values, its first 0 included', async () => {
    const counter = runtime.metrics.counter('test/counter', { window: true });
    expect(counter.statistics()).to.equal(undefined);
    for (let count = 0; count < 10; count++) {
      await world.advance('1secs');
      counter.increment();
    }
    const expected = { count: 11, min: 0, max: 10, p50: 5, p90: 9, p95: 9.5, p99: 9.9, p999: 9.99, p9999: 9.999 };
    for (const [name, value] of Object.entries(expected))
      expect(counter.statistics(), name).to.have.property(name).that.is.closeTo(value, 1e-9);
    await world.advance('1secs');
    counter.reset();
    expect(counter.statistics()).to.include({ count: 12, min: 0, max: 10 });
    runtime.metrics.remove('test/counter');
  });

  it('a window forgets what is older; a push gauge and a timer have one too', async () => {
    const gauge = runtime.metrics.pushGauge('test/gauge', { window: '10secs' });
    const timer = runtime.metrics.timer('test/timer', 'secs', { window: '10secs' });
    for (let value = 1; value <= 15; value++) {
      timer.start();
      await world.advance('1secs');
      timer.stop();
      gauge.set(value);
    }
    expect(gauge.statistics()).to.include({ count: 10, min: 6, max: 15 });
    expect(timer.statistics()).to.include({ count: 10, min: 1, max: 1 });
  });

  it('LP-MET-09 a timer tells how long it was from the latest start to the latest stop, in the unit of its name', async () => {
    await using early = new Simulation({ start: 0 });
    const { metrics } = await early.start('node');
    const timer = metrics.timer('test/timer', 'ns');
    expect(timer.name).to.equal('test/timer_ns');
    timer.stop();
    expect(timer.value.failure()).to.be.instanceOf(ProcessError).with.property('code', 'METRIC_WITHOUT_VALUE');
    expect(metrics.snapshot().get().has('test/timer_ns')).to.equal(false);
    timer.start();
    await early.advance('1us');
    timer.stop();
    expect(timer.value.get()).to.equal(1000);
    expect(metrics.snapshot().get().get('test/timer_ns')).to.equal(1000);
    timer.stop();
    expect(timer.value.get()).to.equal(1000);
    await early.advance('1us');
    timer.stop();
    expect(timer.value.get()).to.equal(2000);
    expect(metrics.remove('test/timer_ns')).to.equal(true);
  });

  it('a timer has any unit of time', async () => {
    const units = { us: 3.6288e12, ms: 3.6288e9, secs: 3_628_800, mins: 60_480, hrs: 1008, days: 42, weeks: 6 };
    const timers = Object.keys(units).map((unit) => runtime.metrics.timer('test/timer', unit as keyof typeof units));
    for (const timer of timers) timer.start();
    await world.advance('6weeks');
    for (const timer of timers) timer.stop();
    const expected = Object.fromEntries(Object.entries(units).map(([unit, value]) => [`test/timer_${unit}`, value]));
    expect(now()).to.deep.equal(expected);
  });

  it('LP-MET-10 timing a future measures the future, not the call that makes it, and gives it back', async () => {
    const clock = new ManualClock();
    clock.pause();
    await using real = await Runtime.start({ platform: { ...nodePlatform(), clock } });
    const timer = real.metrics.timer('test/timer', 'us');
    expect(timer.name).to.equal('test/timer_us');
    const make = (): Future<number> => {
      clock.advance('1secs');
      return Future.ready(42);
    };
    const made = timer.time(make());
    clock.advance('1secs');
    expect([made.get(), timer.value.get()]).to.deep.equal([42, 0]);
    const later = new Deferred<number>();
    const failing = new Deferred<number>();
    timer.time(later.future);
    clock.advance('2secs');
    timer.time(failing.future);
    later.set(1);
    expect(timer.value.get()).to.be.closeTo(2e6, 1);
    clock.advance('5secs');
    failing.fail('no');
    expect(timer.value.get()).to.be.closeTo(5e6, 1);
    clock.resume();
  });

  it('a name is given once', () => {
    runtime.metrics.counter('test/name');
    expect(() => runtime.metrics.pushGauge('test/name'))
      .to.throw(ProcessError, "A metric named 'test/name' exists already")
      .with.property('code', 'METRIC_NAME_TAKEN');
  });

  it('a snapshot is sorted, percentiles among the other names', async () => {
    const counter = runtime.metrics.counter('test/b', { window: true });
    await world.advance('1secs');
    counter.increment();
    for (const name of ['test/b/d', 'test/b-c', 'test/a']) runtime.metrics.counter(name);
    const names = Object.keys(now());
    expect(names).to.deep.equal([...names].sort());
    expect(names).to.include.members(['test/b', 'test/b/p50', 'test/b/d']);
  });

  it('a metric that was removed can be shown again', () => {
    const gauge = runtime.metrics.add(new PushGauge('test/gauge', runtime.clock));
    gauge.set(3);
    expect(() => runtime.metrics.add(gauge))
      .to.throw(ProcessError)
      .with.property('code', 'METRIC_NAME_TAKEN');
    runtime.metrics.remove('test/gauge');
    expect(now()).to.deep.equal({});
    runtime.metrics.add(gauge);
    expect(now()).to.deep.equal({ 'test/gauge': 3 });
  });

  it('a gauge that is not ready is waited for until the timeout, and then left out and told', async () => {
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

  it('LP-SRC-42 an abandoned gauge is left out at once, with a timeout and without', async () => {
    runtime.metrics.counter('test/counter');
    runtime.metrics.pullGauge('test/abandoned', () => Future.abandoned());
    expect(now()).to.deep.equal({ 'test/counter': 0 });
    for (const timeout of [undefined, '1secs'] as const) {
      const leaving = new Deferred<number>();
      runtime.metrics.pullGauge('test/leaving', () => leaving.future);
      const snapshot = runtime.metrics.snapshot({ timeout });
      expect(snapshot.isPending).to.equal(true);
      leaving.abandon();
      expect(snapshot.isReady).to.equal(true);
      expect(snapshot.get().get('test/counter')).to.equal(0);
      expect(snapshot.get().has('test/leaving')).to.equal(false);
      runtime.metrics.remove('test/leaving');
    }
  });

  it('a metric whose value is missing still tells its percentiles', async () => {
    class Failing extends Metric {
      readonly kind = 'gauge';

      get value(): Future<number> {
        return Future.failed('no value');
      }

      note(value: number): void {
        this.record(value);
      }
    }
    const metric = runtime.metrics.add(new Failing('test/failing', runtime.clock, { window: true }));
    metric.note(1);
    await world.advance('1secs');
    metric.note(3);
    expect(now()).to.include({ 'test/failing/count': 2, 'test/failing/min': 1, 'test/failing/p50': 2 });
    expect(now()).not.to.have.any.keys('test/failing', 'test/failing/p25', 'test/failing/p75');
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
