import { expect } from 'chai';
import { HierarchicalAllocator, RandomSorter, type SorterFactory } from '@mezzo/master';
import { allocatorConformance, ConformanceFailure } from '@mezzo/master/allocator/testing';
import { ExplorationFailure } from '@mezzo/process/testing';
import { brokenAllocators, forgetful } from './broken-allocators.ts';

const random: SorterFactory = (options) => new RandomSorter(options);

describe('the hierarchical allocator, as any allocator,', () => {
  for (const { title, run } of allocatorConformance({ create: () => new HierarchicalAllocator() })) it(title, run);
});

describe('the hierarchical allocator with random sorters, as any allocator,', () => {
  const create = (): HierarchicalAllocator =>
    new HierarchicalAllocator({ roleSorter: random, frameworkSorter: random });
  for (const { title, run } of allocatorConformance({ create, seeds: [26, 50] })) it(title, run);
});

describe('the conformance suite finds an allocator that', () => {
  for (const { name, create, foundBy, passesElse } of brokenAllocators) {
    it(name, async () => {
      const found: string[] = [];
      for (const { title, run } of allocatorConformance({ create })) {
        await run().catch((error: unknown) => {
          if (!(error instanceof ConformanceFailure) && !(error instanceof ExplorationFailure)) throw error;
          found.push(title);
        });
      }
      for (const words of foundBy) expect(found.join('\n')).to.contain(words);
      if (passesElse) expect(found).to.have.length(foundBy.length);
    });
  }

  it('throws, and says what it threw', async () => {
    const { create } = brokenAllocators.find(({ name }) => name === 'throws') ?? { create: forgetful };
    const { run } = allocatorConformance({ create }).find(({ title }) => title.includes('an agent that comes')) ?? {};
    expect(await run?.().catch(String)).to.equal('ConformanceFailure: The allocator crashed: one agent is enough');
  });

  it('is wrong in a random walk only, and shows the shortest way there', async () => {
    // It loses what a framework gives back for another role than its first.
    const { run } = allocatorConformance({ create: forgetful }).at(-1) ?? { run: () => Promise.resolve() };
    const failure = await run().then(
      () => undefined,
      (error: unknown) => error,
    );
    if (!(failure instanceof ExplorationFailure)) throw new Error(`not found: ${String(failure)}`);
    expect(failure.message).to.match(/all tasks have ended/);
    const did = failure.history.split('\n').filter((line) => /step \d+/.test(line));
    expect(did.length).to.be.within(1, 6);
  });
});
