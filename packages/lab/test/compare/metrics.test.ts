import { expect } from 'chai';

import { metricsOf, metricText } from '../../src/compare/metrics.ts';
import type { LabResult, Sample } from '../../src/result.ts';
import { generatedResult } from '../report/generated-result.ts';

const share = { used: {}, offered: {}, dominantShare: 0, weightedShare: 0 };

function sample(time: number, jain: number, running: number, more: Partial<Sample> = {}): Sample {
  return {
    time,
    total: { cpus: 10 },
    used: { cpus: running },
    offered: {},
    fragmentation: { cpus: jain / 2 },
    jain,
    gap: 1 - jain,
    roles: {},
    frameworks: { f: { ...share, running, waiting: 0 } },
    ...more,
  };
}

const of = (samples: readonly Sample[], more: Partial<LabResult> = {}): ReturnType<typeof metricsOf> =>
  metricsOf({ ...generatedResult({ samples: 0 }), samples, duration: 10_000, frameworks: [], ...more });

describe('the figures of a run', () => {
  it('weigh each sample with the time until the next one', () => {
    const metrics = of([sample(0, 1, 2), sample(1000, 0.5, 8), sample(9000, 0.25, 0)]);
    expect(metrics['jain']).to.be.closeTo((1 + 8 * 0.5 + 0.25) / 10, 1e-12);
    expect(metrics['gap']).to.be.closeTo(1 - (1 + 8 * 0.5 + 0.25) / 10, 1e-12);
    expect(metrics['utilisation.cpus']).to.be.closeTo((2 + 8 * 8) / 100, 1e-12);
    expect(metrics['fragmentation.cpus']).to.be.closeTo((1 + 8 * 0.5 + 0.25) / 20, 1e-12);
    // All at the end: no time to weigh with.
    expect(of([sample(10_000, 0.5, 1)])['jain']).to.equal(0.5);
  });

  it('count agents for as long as they are there', () => {
    const metrics = of([sample(0, 1, 10), sample(5000, 1, 10, { total: { cpus: 30 } })]);
    expect(metrics['utilisation.cpus']).to.equal(0.5);
  });

  it('have the time from the first task to the last, unless some are not over', () => {
    const idle = sample(0, 1, 0);
    expect(
      of([idle, sample(1000, 1, 3), sample(2000, 1, 0), sample(3000, 1, 1), sample(4500, 1, 0)])['makespan'],
    ).to.equal(3.5);
    expect(of([idle, sample(1000, 1, 3)])).not.to.have.property('makespan');
    expect(of([idle])).not.to.have.property('makespan');
    const waiting = sample(2000, 1, 0, { frameworks: { f: { ...share, running: 0, waiting: 1 } } });
    expect(of([sample(0, 1, 1), waiting])).not.to.have.property('makespan');
  });

  it('add up the frameworks, and take percentiles over all tasks, in seconds', () => {
    const framework = (waits: number[], factor: number): LabResult['frameworks'][number] => ({
      name: `f${factor}`,
      role: 'r',
      kind: 'batch',
      tasks: { arrived: 5, launched: 4, finished: 3 * factor, lost: factor },
      waits,
      offers: {
        made: 10 * factor,
        accepted: 1,
        declined: 7 * factor,
        rescinded: 0,
        wasted: { cpus: 2 * factor, mem: factor },
      },
    });
    const frameworks = [framework([3000, 1000], 1), framework([2000, 4000, 5000], 2)];
    expect(of([], { frameworks })).to.deep.equal({
      'wait.p50': 3,
      'wait.p95': 4.8,
      'wait.p99': 4.96,
      'tasks.finished': 9,
      'tasks.lost': 3,
      'offers.made': 30,
      'offers.declined': 21,
      'allocations.refused': 0,
      'wasted.cpus': 6,
      'wasted.mem': 3,
    });
    expect(of([])).not.to.have.any.keys('wait.p50', 'jain');
  });

  it('all have a title', () => {
    for (const name of Object.keys(metricsOf(generatedResult()))) expect(metricText(name).title).not.to.equal(name);
    expect(metricText('utilisation.gpus')).to.deep.equal({ title: 'utilisation of gpus', unit: '%', better: 'more' });
    expect(metricText('constructor').title).to.equal('constructor');
  });
});
