import { expect } from 'chai';
import fc from 'fast-check';
import { DrfSorter, RandomSorter, type SorterFactory } from '@mezzo/master';
import { Resources } from '@mezzo/protocol';
import { textOf } from './allocated-entry.ts';
import { AllocationBooks } from './allocation-books.ts';
import { abilities, histories, interval, limitedRoles, populations, roles } from './allocation-history.ts';
import { AllocatorWorld } from './allocator-world.ts';

/** A framework that takes anything gets exactly what nobody holds. */
async function everythingIsAccountedFor(books: AllocationBooks, setting: AllocatorWorld): Promise<void> {
  const { master, world } = setting;
  for (const id of books.frameworks.keys()) master.deactivate(id);
  for (const role of limitedRoles) master.quota(role, '');
  for (const id of books.agents.keys()) master.activateAgent(id);
  master.whitelist();
  master.framework('all', roles, { capabilities: ['MULTI_ROLE', ...abilities] });
  await world.advance(interval);
  const given = master.take();
  for (const id of books.agents.keys()) {
    const own = given.filter(({ agent }) => agent === id).map(({ resources }) => Resources.parse(resources));
    // Of what is shared each run gives a copy.
    const all = own.reduce((sum, one) => sum.plus(one.minus(sum.shared())), Resources.empty);
    expect(textOf(all), `free of ${id}`).to.equal(textOf(books.freeOf(id)));
  }
}

describe('the hierarchical allocator', () => {
  it('offers nothing twice, nothing to who does not want it, keeps limits and guarantees, and loses nothing, whatever happens', async function () {
    this.timeout(60_000);
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1 }),
        fc.constantFrom('drf', 'random'),
        populations,
        histories,
        async (seed, kind, population, commands) => {
          const sorter: SorterFactory = (options) =>
            kind === 'drf' ? new DrfSorter(options) : new RandomSorter(options);
          await using setting = await AllocatorWorld.start({ seed, roleSorter: sorter, frameworkSorter: sorter });
          setting.master.begin({ interval, minAllocatable: [] });
          const books = new AllocationBooks();
          for (const step of population) if (step.check({ books })) await step.run({ books }, setting);
          await fc.asyncModelRun(() => ({ model: { books }, real: setting }), commands);
          await everythingIsAccountedFor(books, setting);
        },
      ),
      { numRuns: 700 },
    );
  });
});
