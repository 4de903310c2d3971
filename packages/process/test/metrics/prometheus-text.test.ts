import { type Runtime } from '@mezzo/process';
import { prometheusText } from '@mezzo/process/metrics';
import { Simulation } from '@mezzo/process/testing';
import { expect } from 'chai';

describe('Prometheus text', () => {
  let world: Simulation;
  let runtime: Runtime;

  beforeEach(async () => {
    world = new Simulation();
    runtime = await world.start('node');
  });

  afterEach(async () => {
    await world.stop();
  });

  async function lines(start: string): Promise<string[]> {
    const rendered = await prometheusText().render(runtime.metrics, undefined);
    return rendered.split('\n').filter((line) => line.includes(start));
  }

  it('a counter and a gauge keep their kind, their help and their value', async () => {
    runtime.metrics.counter('master/tasks_finished', { help: 'Tasks that reached TASK_FINISHED' }).increment(3);
    runtime.metrics.pushGauge('master/cpus_used').set(1.5);
    expect(await lines('master_')).to.deep.equal([
      '# HELP master_cpus_used master/cpus_used',
      '# TYPE master_cpus_used gauge',
      'master_cpus_used 1.5',
      '# HELP master_tasks_finished Tasks that reached TASK_FINISHED',
      '# TYPE master_tasks_finished counter',
      'master_tasks_finished 3',
    ]);
  });

  it('names are made legal, and two that become one stay two', async () => {
    runtime.metrics.pushGauge('test/a-b.c').set(1);
    runtime.metrics.pushGauge('test/a_b_c').set(2);
    runtime.metrics.pushGauge('9test/').set(3);
    expect((await lines('test_')).filter((line) => !line.startsWith('#'))).to.deep.equal([
      '_9test_ 3',
      'test_a_b_c 1',
      'test_a_b_c_2 2',
    ]);
  });

  it('one strange value does not cost the answer', async () => {
    runtime.metrics.counter('test/negative').increment(-1);
    runtime.metrics.pushGauge('test/nothing').set(Number.NaN);
    runtime.metrics.pushGauge('test/sound').set(1);
    expect(await lines('test_sound')).to.include('test_sound 1');
    expect(await lines('test_negative')).to.include('test_negative -1');
  });

  it('help in several lines stays one line', async () => {
    runtime.metrics.counter('test/lines', { help: 'first\nsecond' });
    expect(await lines('HELP test_lines')).to.deep.equal(['# HELP test_lines first\\nsecond']);
  });

  it('percentiles of a window are a summary of their own', async () => {
    const counter = runtime.metrics.counter('test/counter', { help: 'Things', window: true });
    expect((await lines('test_counter')).filter((line) => line.startsWith('# TYPE'))).to.have.length(1);
    for (let count = 0; count < 10; count++) {
      await world.advance('1secs');
      counter.increment();
    }
    const text = await lines('test_counter');
    const [p99, p999, p9999] = text.flatMap((line) => /quantile="0.99+"\} (.*)/.exec(line)?.[1] ?? []).map(Number);
    expect(p99).to.be.closeTo(9.9, 1e-9);
    expect(p999).to.be.closeTo(9.99, 1e-9);
    expect(p9999).to.be.closeTo(9.999, 1e-9);
    expect(text.filter((line) => !line.includes('"0.99'))).to.deep.equal([
      '# HELP test_counter Things',
      '# TYPE test_counter counter',
      'test_counter 10',
      '# HELP test_counter_window Things (values of its window)',
      '# TYPE test_counter_window summary',
      'test_counter_window{quantile="0"} 0',
      'test_counter_window{quantile="0.25"} 2.5',
      'test_counter_window{quantile="0.5"} 5',
      'test_counter_window{quantile="0.75"} 7.5',
      'test_counter_window{quantile="0.9"} 9',
      'test_counter_window{quantile="0.95"} 9.5',
      'test_counter_window{quantile="1"} 10',
      'test_counter_window_count 11',
    ]);
  });

  it('a timer is a gauge', async () => {
    const timer = runtime.metrics.timer('test/timer', 'ms');
    timer.start();
    await world.advance('5ms');
    timer.stop();
    expect(await lines('test_timer')).to.deep.equal([
      '# HELP test_timer_ms test/timer_ms',
      '# TYPE test_timer_ms gauge',
      'test_timer_ms 5',
    ]);
  });

  it('every line is one that Prometheus reads, whatever the names, and no family comes twice', async () => {
    for (const name of ['test/a', 'test_a', 'test/a_window', '9/ä', 'test/"quoted"'])
      runtime.metrics.pushGauge(name, { window: true, help: `what "${name}" is\\` }).set(1);
    await world.advance('1secs');
    for (const name of ['test/b', 'test.b']) {
      const timer = runtime.metrics.timer(name, 'ns', { window: true });
      for (let count = 0; count < 3; count++) {
        timer.start();
        await world.advance('1ms');
        timer.stop();
      }
    }
    const text = await prometheusText().render(runtime.metrics, undefined);
    const families: string[] = [];
    for (const line of text.split('\n').filter((each) => each !== '')) {
      const type = /^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|summary)$/.exec(line);
      if (type?.[1] !== undefined) families.push(type[1]);
      else
        expect(line).to.match(
          /^(# HELP [a-zA-Z_:][a-zA-Z0-9_:]* .*|[a-zA-Z_:][a-zA-Z0-9_:]*(\{quantile="[0-9.]+"\})? (NaN|[-+]?Inf|[-+0-9.e]+))$/,
        );
    }
    expect(families).to.deep.equal([...new Set(families)]);
    expect(families).to.include.members(['test_a', 'test_a_2', 'test_b_ns_window', 'test_b_ns_window_2']);
  });
});
