import { type Runtime } from '@mezzo/process';
import { prometheusText } from '@mezzo/process/prometheus';
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
});
