import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { type Experiment, runExperiment } from '../src/allocator-lab.ts';

describe('allocator lab', () => {
  const paper: Experiment = {
    seed: 1,
    agents: ['cpus:9;mem:18432'],
    demands: { a: 'cpus:1;mem:4096', b: 'cpus:3;mem:1024' },
    time: '1mins',
  };

  it('ends with equal dominant shares, as the paper on dominant resource fairness has it', async () => {
    expect(await runExperiment(paper)).to.deep.equal(
      new Map([
        ['a', 3],
        ['b', 2],
      ]),
    );
  });

  it('gives the same result for the same seed', async () => {
    const wide = {
      ...paper,
      seed: 7,
      agents: Array.from({ length: 20 }, () => 'cpus:4;mem:8192'),
      time: '1mins',
    } as const;
    expect(await runExperiment(wide)).to.deep.equal(await runExperiment(wide));
  });

  it('prints the shares', () => {
    const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
    const options = ['--import', 'tsx', '--conditions', 'mezzo:source', main];
    expect(execFileSync(process.execPath, options, { encoding: 'utf8' })).to.equal(
      'a  cpus:1;mem:4096   3 tasks  dominant share 67 %\nb  cpus:3;mem:1024   2 tasks  dominant share 67 %\n',
    );
  });
});
