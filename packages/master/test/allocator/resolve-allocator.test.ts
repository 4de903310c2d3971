import { expect } from 'chai';
import {
  type AllocatorChoice,
  type AllocatorFactory,
  type AllocatorOptions,
  DrfSorter,
  HierarchicalAllocator,
  resolveAllocator,
  type SorterFactory,
} from '@mezzo/master';
import { Process } from '@mezzo/process';

const sorter: SorterFactory = (options) => new DrfSorter(options);

class Mine extends Process {}

const refusal = new Error('factory says no');

/** Modules by what an operator would call them. */
const modules: Readonly<Record<string, object>> = {
  './mine.js': { default: () => new Mine('mine') },
  './sorter.js': { default: sorter },
  './class.js': { default: Mine, extra: 3, list: [], nothing: null },
  './empty.js': {},
  './named.js': { allocator: () => new Mine('mine') },
  './throws.js': {
    default: () => {
      throw refusal;
    },
  },
  './product.js': { default: () => ({ id: 'mine' }) },
  './half.js': { default: () => ({ add() {}, remove() {}, sort: () => [] }) },
  package: { default: () => new Mine('package') },
};

const load = (given: string): Promise<unknown> => {
  const found = modules[given];
  return found === undefined ? Promise.reject(new Error(`nothing at ${given}`)) : Promise.resolve(found);
};

const resolve = (choice: AllocatorChoice): Promise<AllocatorFactory> => resolveAllocator(choice, load);

async function faultOf(choice: AllocatorChoice): Promise<Error> {
  try {
    (await resolve(choice))({});
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error(`${JSON.stringify(choice)} was taken`);
}

describe('the choice of an allocator', () => {
  for (const allocator of [undefined, 'hierarchical', 'HierarchicalDRF', 'HierarchicalRandom']) {
    it(`${String(allocator)} is the hierarchical one, and loads nothing`, async () => {
      const factory = await resolveAllocator({ allocator, roleSorter: 'drf', frameworkSorter: 'random' }, () =>
        Promise.reject(new Error('loaded')),
      );
      expect(factory({})).to.be.instanceOf(HierarchicalAllocator);
    });
  }

  it('by path or by the name of a package is what the module makes, and keeps the name it was given by', async () => {
    const factory = await resolve({ allocator: './mine.js' });
    expect(factory({})).to.be.instanceOf(Mine);
    expect(factory.name).to.equal('./mine.js');
    expect((await resolve({ allocator: 'package' }))({})).to.be.instanceOf(Mine);
  });

  it('hands the sorters to the allocator, and what else that is told', async () => {
    let told: AllocatorOptions | undefined;
    const spying = (): Promise<unknown> =>
      Promise.resolve({
        default: (options: AllocatorOptions) => {
          told = options;
          return new Mine('mine');
        },
      });
    (await resolveAllocator({ allocator: './spy.js', roleSorter: 'drf' }, spying))({});
    expect(Object.keys(told ?? {})).to.deep.equal(['roleSorter']);
    const made = (await resolve({ roleSorter: './sorter.js', frameworkSorter: 'random' }))({});
    expect(made).to.be.instanceOf(HierarchicalAllocator);
  });

  it('that cannot be loaded is refused with what was given and what is there to choose from', async () => {
    const fault = await faultOf({ allocator: './nope.js' });
    expect(fault).to.be.instanceOf(RangeError);
    expect(fault.message).to.contain("--allocator './nope.js' cannot be loaded: nothing at ./nope.js");
    for (const name of [
      'hierarchical, HierarchicalDRF, HierarchicalRandom',
      './mine.js',
      '`export default`',
      'AllocatorFactory',
    ])
      expect(fault.message).to.contain(name);
    const sorterFault = await faultOf({ roleSorter: 'fair' });
    expect(sorterFault.message).to.contain("--role-sorter 'fair' cannot be loaded").and.to.contain('drf, random');
    expect((await faultOf({ frameworkSorter: 'fair' })).message).to.contain("--framework-sorter 'fair'");
  });

  it('that exports something else is refused with what it exports', async () => {
    const messageOf = async (choice: AllocatorChoice): Promise<string> => (await faultOf(choice)).message;
    expect(await messageOf({ allocator: './class.js' })).to.contain(
      'it exports default (a class), extra (a number), list (an array), nothing (null)',
    );
    expect(await messageOf({ allocator: './empty.js' })).to.contain('it exports nothing');
    expect(await messageOf({ allocator: './named.js' })).to.contain('it exports allocator (a function)');
    expect(await messageOf({ allocator: './product.js' })).to.contain("'./product.js' made an object, not a Process");
  });

  it('of a sorter that lacks something is refused with what it lacks', async () => {
    const { message } = await faultOf({ roleSorter: './half.js' });
    expect(message).to.contain(
      'without has, activate, deactivate, updateWeight, allocated, unallocated, updated, share',
    );
    expect((await faultOf({ frameworkSorter: './mine.js' })).message).to.contain('without add, remove');
  });

  it('whose factory throws is named, by the flag that chose it, with what it threw', async () => {
    const flags = {
      allocator: '--allocator',
      roleSorter: '--role-sorter',
      frameworkSorter: '--framework-sorter',
      sorter: '--sorter',
    };
    for (const [key, flag] of Object.entries(flags)) {
      const fault = await faultOf({ [key]: './throws.js' });
      expect(fault.message).to.equal(`The default export of ${flag} './throws.js' threw: factory says no`);
      expect(fault.cause).to.equal(refusal);
    }
  });

  it('of one sorter for roles and frameworks hands it over for both, and says so when it cannot be loaded', async () => {
    let told: AllocatorOptions | undefined;
    const loading = (given: string): Promise<unknown> =>
      given === './spy.js'
        ? Promise.resolve({
            default: (options: AllocatorOptions) => {
              told = options;
              return new Mine('mine');
            },
          })
        : load(given);
    (await resolveAllocator({ allocator: './spy.js', sorter: './sorter.js' }, loading))({});
    expect([told?.roleSorter?.name, told?.frameworkSorter?.name]).to.deep.equal(['sorter', 'sorter']);
    expect((await faultOf({ sorter: 'fair' })).message).to.contain("--sorter 'fair' cannot be loaded");
  });
});
