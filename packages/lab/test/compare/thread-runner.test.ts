import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';

import { compare, comparisonFiles, type ComparisonPlan, type Job, ThreadRunner } from '../../src/compare/index.ts';
import { runJob } from '../../src/compare/run-job.ts';

const text = `
name: threads
duration: 20s
agents: [{ count: 3, resources: "cpus:4;mem:1024" }]
frameworks:
  - { name: web, kind: greedy, resources: "cpus:1;mem:128", duration: { exponential: 5s } }
  - { name: replay, kind: recorded, trace: trace.csv }
`;

describe('runs in worker threads', function () {
  this.timeout(60_000);
  let folder: string;
  let runner: ThreadRunner;
  let plan: ComparisonPlan;

  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'mezzo-compare-'));
    writeFileSync(join(folder, 'trace.csv'), 'arrival,framework,duration,cpus,mem\n1,replay,2,1,64\n3,replay,2,2,64\n');
    plan = { scenarios: [{ source: join(folder, 'lab.yaml'), text }], seeds: [1, 2] };
    runner = await ThreadRunner.start({ threads: 2 });
  });

  after(async () => {
    await runner?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('give what the same runs in this thread give, byte for byte, with traces beside the scenario', async () => {
    const sweep = [{ path: 'duration', values: ['20s', '10s'] }];
    const inThreads = await compare({ ...plan, sweep }, runner);
    expect(inThreads.failures).to.deep.equal([]);
    expect(inThreads.variants[0]?.runs[0]?.metrics).to.include.keys('jain', 'utilisation.cpus', 'wait.p50');
    expect(inThreads.variants[0]?.runs[0]?.metrics['tasks.finished']).to.be.greaterThan(5);
    const here = await compare({ ...plan, sweep }, { run: runJob });
    expect([...comparisonFiles(here)]).to.deep.equal([...comparisonFiles(inThreads)]);
  });

  it('take a sorter in TypeScript where this package is TypeScript itself', async () => {
    const sorter = new URL('../run/modules/first-come-sorter.ts', import.meta.url).href;
    const scenario = plan.scenarios[0] ?? { source: '', text: '' };
    const metrics = await runner.run({ scenario, allocator: undefined, sorter, seed: 1 });
    expect(metrics['tasks.finished']).to.be.greaterThan(5);
  });

  it('fail alone, with why', async () => {
    const result = await compare({ ...plan, allocators: ['hierarchical', 'nobody-has-heard-of'], seeds: [1] }, runner);
    expect(result.failures).to.have.lengthOf(1);
    expect(result.failures[0]?.error).to.include('nobody-has-heard-of');
    expect(result.variants.map(({ runs }) => runs.length)).to.deep.equal([1, 0]);
  });

  it('may take their thread with them, and cost no other run', async () => {
    const allocator = join(folder, 'deadly.mjs');
    writeFileSync(allocator, 'process.exit(3);\n');
    const job: Job = { scenario: plan.scenarios[0] ?? { source: '', text: '' }, sorter: undefined, allocator, seed: 1 };
    const [died, lived] = await Promise.allSettled([runner.run(job), runner.run({ ...job, allocator: undefined })]);
    expect(died).to.have.property('status', 'rejected');
    expect(died.status === 'rejected' ? String(died.reason) : '').to.match(/thread died|exit/);
    expect(lived).to.have.property('status', 'fulfilled');
  });
});
