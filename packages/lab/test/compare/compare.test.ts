import { expect } from 'chai';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';

import {
  compare,
  type Comparison,
  comparisonFiles,
  type ComparisonPlan,
  type ComparisonProgress,
  comparisonTable,
  type Job,
  type Metrics,
  metricsOf,
  parseSweep,
  runCommand,
} from '../../src/compare/index.ts';
import { readScenario } from '../../src/scenario/read-scenario.ts';
import { withBrowser } from '../report/browser.ts';
import { generatedResult } from '../report/generated-result.ts';

const text = `
name: pair
duration: 1m
agents: [{ count: 2, resources: "cpus:4;mem:1024" }]
frameworks:
  - { name: web, kind: greedy, resources: "cpus:1;mem:128", duration: 10s, tasks: 5 }
`;
const pair = { source: 'labs/pair.yaml', text };

const plan = (more: Partial<ComparisonPlan> = {}): ComparisonPlan => ({
  scenarios: [pair],
  allocators: ['hierarchical', 'random'],
  seeds: [1, 2, 3, 4],
  ...more,
});

/** Figures that depend on the job alone. */
function figures({ scenario, allocator = 'own', seed }: Job): Metrics {
  const [framework] = readScenario(scenario.text, scenario.source).frameworks;
  const tasks = framework?.kind === 'greedy' ? (framework.tasks ?? 0) : 0;
  return {
    jain: 1 / seed,
    'utilisation.cpus': (allocator.length + tasks) / 100,
    'wait.p50': seed * 10 + allocator.length,
  };
}

const compared = (given: ComparisonPlan, run: (job: Job) => Metrics = figures): Promise<Comparison> =>
  compare(given, { run: async (job) => run(job) });

describe('a comparison', () => {
  it('runs every combination with every seed, and says which is which', async () => {
    const jobs: Job[] = [];
    const other = { source: 'labs/other.yaml', text: text.replace('pair', 'other') };
    const { variants } = await compared(
      plan({
        scenarios: [pair, other],
        sorters: ['drf', '/home/me/mine.js'],
        seeds: [5, 6],
        sweep: [parseSweep('frameworks.0.tasks=10,20'), parseSweep('duration=2m,3m')],
      }),
      (job) => (jobs.push(job), figures(job)),
    );
    expect(variants).to.have.lengthOf(2 * 2 * 2 * 4);
    expect(jobs).to.have.lengthOf(64);
    expect(variants[0]?.name).to.equal('pair.yaml · hierarchical · drf · tasks 10 · duration 2m');
    expect(variants.at(-1)?.name).to.equal('other.yaml · random · mine.js · tasks 20 · duration 3m');
    expect(new Set(variants.map(({ name }) => name)).size).to.equal(32);
    const last = jobs.at(-1);
    expect(last).to.include({ allocator: 'random', sorter: '/home/me/mine.js', seed: 6 });
    const read = readScenario(last?.scenario.text ?? '', 'x');
    expect(read).to.include({ name: 'other', duration: 180_000 });
    expect(read.frameworks[0]).to.include({ tasks: 20 });
  });

  it('is named after what varies, and leaves the choice to the scenario where nothing is asked for', async () => {
    const jobs: Job[] = [];
    const { variants } = await compared({ scenarios: [pair], seeds: [1] }, (job) => (jobs.push(job), figures(job)));
    expect(variants.map(({ name }) => name)).to.deep.equal(['pair.yaml']);
    expect(jobs[0]).to.include({ allocator: undefined, sorter: undefined });
    const same = await compared(plan({ allocators: ['/a/mine.js', '/b/mine.js'], seeds: [1] }));
    expect(same.variants.map(({ name }) => name)).to.deep.equal(['/a/mine.js', '/b/mine.js']);
  });

  it('gives the mean of each variant with its interval, and differences paired by seed', async () => {
    const { variants, metrics, confidence } = await compared(plan());
    expect(metrics).to.deep.equal(['jain', 'utilisation.cpus', 'wait.p50']);
    expect(confidence).to.equal(0.95);
    const [own, other] = variants;
    // Seeds move the wait by 10 to 40; 3.1824 is Student's t for 3 degrees of freedom, 12.91 the standard deviation.
    expect(own?.estimates['wait.p50']?.mean).to.equal(37);
    expect(own?.estimates['wait.p50']?.margin).to.be.closeTo((3.1824 * 12.90994) / 2, 1e-3);
    expect(own?.differences).to.deep.equal({});
    // But every pair differs by exactly 6, the seed's part is in both.
    expect(other?.differences['wait.p50']).to.deep.equal({ count: 4, mean: -6, margin: 0 });
    expect(other?.differences['jain']).to.deep.equal({ count: 4, mean: 0, margin: 0 });
  });

  it('depends on the plan alone, and not on which run was faster', async () => {
    const straight = await compared(plan());
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), async (scheduler) => {
        const run = scheduler.scheduleFunction(async (job: Job) => figures(job));
        const running = compare(plan(), { run });
        await scheduler.waitAll();
        expect([...comparisonFiles(await running)]).to.deep.equal([...comparisonFiles(straight)]);
      }),
      { numRuns: 30 },
    );
  });

  it('tells of a run that failed with the command that repeats it, and keeps the others', async () => {
    const heard: ComparisonProgress[] = [];
    const settings = parseSweep('frameworks.0.resources=cpus:1;mem:64');
    const result = await compare(
      plan({ sweep: [settings] }),
      {
        async run(job) {
          if (job.allocator === 'random' && job.seed === 3) throw new Error('it over-allocated agent-1');
          return figures(job);
        },
      },
      (progress) => heard.push(progress),
    );
    expect(result.failures).to.deep.equal([
      {
        variant: 'random · resources cpus:1;mem:64',
        seed: 3,
        error: 'it over-allocated agent-1',
        command:
          "mezzo lab run labs/pair.yaml --seed 3 --allocator random --set 'frameworks.0.resources=cpus:1;mem:64'",
      },
    ]);
    expect(result.variants.map(({ runs }) => runs.map(({ seed }) => seed))).to.deep.equal([
      [1, 2, 3, 4],
      [1, 2, 4],
    ]);
    // Only seeds that both have are pairs.
    expect(result.variants[1]?.differences['wait.p50']).to.deep.equal({ count: 3, mean: -6, margin: 0 });
    expect(heard[0]).to.deep.equal({ done: 0, failed: 0, total: 8 });
    expect(heard.at(-1)).to.deep.equal({ done: 8, failed: 1, total: 8 });
    expect(heard.map(({ done }) => done)).to.deep.equal([0, 1, 2, 3, 4, 5, 6, 7, 8]);
    expect(comparisonTable(result)).to.include(
      'failed: random · resources cpus:1;mem:64, seed 3: it over-allocated agent-1\n  repeat it: mezzo lab run',
    );
  });

  it('quotes for the shell what needs it', () => {
    const variant = { name: 'v', scenario: "labs/it's mine.yaml", allocator: 'file:///x/a%20b.js', sorter: undefined };
    expect(runCommand({ ...variant, settings: [{ path: 'roles.a.weight', value: 2 }] }, 7)).to.equal(
      "mezzo lab run 'labs/it'\\''s mine.yaml' --seed 7 --allocator file:///x/a%20b.js --set roles.a.weight=2",
    );
  });

  it('of runs that all failed has no figures', async () => {
    const result = await compared(plan(), () => {
      throw new Error('no');
    });
    expect(result.failures).to.have.lengthOf(8);
    expect(result.metrics).to.deep.equal([]);
    expect(comparisonFiles(result).get('comparison.html')).to.include('Runs that failed');
  });

  it('keeps a figure that only some runs have, with the number of those', async () => {
    const { variants, metrics } = await compared(plan(), (job) => ({
      jain: 1,
      ...(job.seed > 2 ? { makespan: job.seed } : {}),
      'offers.made': 5,
    }));
    expect(metrics).to.deep.equal(['jain', 'makespan', 'offers.made']);
    expect(variants[0]?.estimates['makespan']).to.include({ count: 2, mean: 3.5 });
  });

  it('refuses what cannot be run before any run', async () => {
    const refusal = async (more: Partial<ComparisonPlan>): Promise<string> => {
      let ran = 0;
      const outcome = await compare(plan(more), { run: async (job) => (ran++, figures(job)) }).then(
        () => 'it ran',
        String,
      );
      expect(ran).to.equal(0);
      return outcome;
    };
    expect(await refusal({ seeds: [] })).to.equal('RangeError: Invalid comparison: no seeds, expected one or more');
    expect(await refusal({ seeds: [1, 2, 1] })).to.include('a seed is there twice');
    expect(await refusal({ scenarios: [] })).to.include('no scenarios');
    expect(await refusal({ sweep: [parseSweep('frameworks.3.tasks=1')] })).to.include('expected a number from 0 to 0');
    expect(await refusal({ sweep: [parseSweep('frameworks.0.tasks=1,many')] })).to.match(
      /ScenarioError: labs\/pair.yaml:.*tasks/,
    );
  });
});

describe('what a comparison is written as', () => {
  it('is a table of text', async () => {
    expect(comparisonTable(await compared(plan({ seeds: [1, 2, 3] })))).to.equal(
      [
        "2 variants x 3 seeds, 6 runs; means with 95 % confidence intervals (Student's t); differences to the first variant are paired by seed, * where the interval leaves out 0",
        '',
        "Jain's index, mean over time",
        '  hierarchical  0.6111 ± 0.8619',
        '  random        0.6111 ± 0.8619  0 ± 0',
        '',
        'utilisation of cpus (%)',
        '  hierarchical  17 ± 0',
        '  random        11 ± 0  -6 ± 0 *',
        '',
        'waiting time, median (s)',
        '  hierarchical  32 ± 24.84',
        '  random        26 ± 24.84  -6 ± 0 *',
        '',
      ].join('\n'),
    );
    const single = comparisonTable(await compared({ scenarios: [pair], seeds: [7] }));
    expect(single)
      .to.match(/^1 variant x 1 seed, 1 run; means/)
      .and.include('pair.yaml  73 ± ?');
  });

  it('is CSV with a line for each variant and figure, and one for each run', async () => {
    const files = comparisonFiles(
      await compared(plan({ sweep: [parseSweep('frameworks.0.tasks=5,7')], seeds: [1, 2] })),
    );
    const rows = (name: string): Record<string, string>[] =>
      parse(files.get(name) ?? '', { columns: true }) as unknown as Record<string, string>[];
    const tidy = rows('comparison.csv');
    expect(tidy).to.have.lengthOf(4 * 3);
    expect(tidy[4]).to.deep.equal({
      variant: 'hierarchical · tasks 7',
      scenario: 'labs/pair.yaml',
      allocator: 'hierarchical',
      sorter: '',
      'frameworks.0.tasks': '7',
      metric: 'utilisation.cpus',
      unit: 'fraction',
      n: '2',
      mean: '0.19',
      low: '0.19',
      high: '0.19',
      difference_n: '2',
      difference: String(0.19 - 0.17),
      difference_low: String(0.19 - 0.17),
      difference_high: String(0.19 - 0.17),
    });
    const runs = rows('runs.csv');
    expect(runs).to.have.lengthOf(8);
    expect(runs[7]).to.include({ variant: 'random · tasks 7', seed: '2', jain: '0.5', 'wait.p50': '26' });
    expect(JSON.parse(files.get('comparison.json') ?? ''))
      .to.have.property('seeds')
      .that.deep.equals([1, 2]);
  });
});

describe('the page of a comparison in a real browser', function () {
  this.timeout(60_000);
  const browser = withBrowser();

  it('shows every figure of every variant as number and interval, asks for nothing and runs no script', async () => {
    const evil = { source: '<img src=x onerror=alert(1)>/pair.yaml', text };
    const result = await compared(
      plan({ scenarios: [evil], seeds: [1, 2, 3] }),
      ({ scenario, allocator = '', seed }) => {
        if (seed === 3 && allocator === 'random') throw new Error('</script><b>no</b>');
        return metricsOf(generatedResult({ seed, scenario: scenario.source, allocator, samples: 20 }));
      },
    );
    const { page, errors, requests } = await browser.open(comparisonFiles(result).get('comparison.html') ?? '', {
      viewport: { width: 390, height: 800 },
    });
    const titles = await page.locator('h2').allInnerTexts();
    expect(titles.slice(0, 3)).to.deep.equal([
      "Jain's index, mean over time",
      'Dominant-share gap, mean over time',
      'Utilisation of cpus (%)',
    ]);
    expect(titles.slice(-2)).to.deep.equal(['Variants', 'Runs that failed']);
    expect(titles).to.have.lengthOf(result.metrics.length + 2);
    const rows = await page.getByRole('table', { name: "Jain's index" }).getByRole('row').allInnerTexts();
    expect(rows[1]).to.match(/^hierarchical\s+3\s+0\.\d+ ± 0\.\d+/);
    expect(rows[2]).to.match(/^random\s+2\s+0\.\d+ ± [\d.]+\s+[+-]?[\d.]+ ± [\d.]+/);
    // One interval for each mean, one for each difference.
    expect(await page.locator('section').first().locator('svg').count()).to.equal(3);
    expect(await page.locator('body').innerText())
      .to.include('</script><b>no</b>')
      .and.include('<img src=x');
    expect(await page.locator('script, img').count()).to.equal(0);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).to.be.at.most(390);
    expect(errors).to.deep.equal([]);
    expect(requests).to.have.lengthOf(1);
  });
});
