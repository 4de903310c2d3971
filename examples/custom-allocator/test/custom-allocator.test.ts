import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import bestFitAllocator from '../src/best-fit.ts';
import firstComeFirstServed from '../src/first-come-first-served.ts';
import leastRecentlyServed from '../src/least-recently-served.ts';
import { type Experiment, run } from './experiment.ts';

describe('the custom allocators', () => {
  // Twelve small tasks fill three of eight agents, if they are put together.
  const small: Experiment = {
    agents: [8, 'cpus:4;mem:4096'],
    frameworks: { small: { tasks: 12, demand: 'cpus:1;mem:512' } },
    time: 30,
  };

  it('best fit puts small tasks together, and leaves agents whole', async () => {
    const begun = async (experiment: Experiment): Promise<number> => new Set((await run(experiment)).get('small')).size;
    for (const seed of [1, 2, 3]) expect(await begun({ ...small, seed, allocator: bestFitAllocator })).to.equal(3);
    const byChance = await Promise.all([1, 2, 3].map((seed) => begun({ ...small, seed })));
    for (const count of byChance) expect(count).to.be.within(5, 8);
  });

  it('best fit has room for tasks that need a whole agent', async () => {
    const room = async (allocator: Experiment['allocator'] & {}): Promise<number | undefined> => {
      const whole = { tasks: 8, demand: 'cpus:4;mem:4096', comesAt: 30 };
      const { frameworks, ...rest } = small;
      const placed = await run({ ...rest, allocator, time: 60, frameworks: { ...frameworks, whole } });
      return placed.get('whole')?.length;
    };
    expect(await room(bestFitAllocator)).to.equal(5);
    expect(await room('hierarchical')).to.be.at.most(3);
  });

  it('least recently served shares turns, where DRF shares resources', async () => {
    const tasks = 30;
    const experiment: Experiment = {
      agents: [1, 'cpus:40;mem:40960'],
      frameworks: { large: { tasks, demand: 'cpus:3;mem:1024' }, small: { tasks, demand: 'cpus:1;mem:1024' } },
      time: 60,
    };
    const turns = async (roleSorter?: Experiment['roleSorter'] & {}): Promise<Record<string, number>> => {
      const placed = await run({ ...experiment, ...(roleSorter === undefined ? undefined : { roleSorter }) });
      return Object.fromEntries([...placed].map(([name, hosts]) => [name, hosts.length]));
    };
    expect(await turns(leastRecentlyServed)).to.deep.equal({ large: 10, small: 10 });
    expect(await turns()).to.deep.equal({ large: 7, small: 19 });
  });

  it('first come, first served gives all to the first as long as that wants it', async () => {
    const placed = await run({
      allocator: firstComeFirstServed,
      agents: [2, 'cpus:4;mem:4096'],
      frameworks: { first: { tasks: 6, demand: 'cpus:1;mem:512' }, second: { tasks: 6, demand: 'cpus:1;mem:512' } },
      time: 60,
    });
    expect([...placed].map(([name, hosts]) => [name, hosts.length])).to.deep.equal([
      ['first', 6],
      ['second', 2],
    ]);
  });

  for (const file of ['least-recently-served', 'best-fit', 'first-come-first-served']) {
    it(`${file} is less than 150 lines`, () => {
      const text = readFileSync(new URL(`../src/${file}.ts`, import.meta.url), 'utf8');
      expect(text.split('\n').length).to.be.below(150);
    });
  }
});
