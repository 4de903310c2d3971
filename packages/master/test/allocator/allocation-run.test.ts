import { SeededRandom } from '@mezzo/process/testing';
import { AgentID, FrameworkID, ResourceLimits, ResourceQuantities, Resources } from '@mezzo/protocol';
import { expect } from 'chai';
import fc from 'fast-check';

import { AllocationRun } from '../../src/allocator/allocation-run.ts';
import { AllocatorState } from '../../src/allocator/allocator-state.ts';
import { DrfSorter } from '../../src/allocator/drf-sorter.ts';
import { MinAllocatable } from '../../src/allocator/min-allocatable.ts';
import { OfferFilters } from '../../src/allocator/offer-filters.ts';
import type { SorterFactory } from '../../src/allocator/sorter.ts';

type Allocated = ReturnType<AllocationRun['take']>;

/** An allocator without time: filters end when the test says so. */
class Bench {
  readonly state: AllocatorState;
  readonly #random = new SeededRandom('allocation run');
  readonly #timers: (() => void)[] = [];
  readonly #isForgetful: boolean;
  #now = 0;
  #held: [FrameworkID, AgentID, Resources][] = [];

  /** @param isForgetful remembers nothing from one agent, or one run, to the next: each looks at everything, in one go. */
  constructor(isForgetful: boolean) {
    this.#isForgetful = isForgetful;
    const filters = new OfferFilters({
      now: () => this.#now,
      delay: (_milliseconds, call) => {
        this.#timers.push(call);
        return { cancel: () => true };
      },
    });
    const sorter: SorterFactory = (options) => new DrfSorter(options);
    const forgetful: SorterFactory = (options) => {
      const drf = new DrfSorter(options);
      const sort = drf.sort.bind(drf);
      drf.sort = () => [...sort()];
      return drf;
    };
    const factory = isForgetful ? forgetful : sorter;
    const observer = { roleAdded() {}, roleRemoved() {} };
    this.state = new AllocatorState({
      ...{ filters, observer, random: this.#random },
      ...{ roleSorter: factory, frameworkSorter: factory },
    });
  }

  run(paused = (): void => undefined): string[] {
    if (this.#isForgetful) for (const agent of this.state.agents.values()) agent.settledIn = -1;
    const run = new AllocationRun(this.state, this.state.agents.keys(), {
      minAllocatable: new MinAllocatable([{ cpus: 1 }, { disk: 8 }]),
      filterGpus: true,
      random: this.#random,
    });
    // It pauses after each stride, or never.
    while (!run.advance(() => !this.#isForgetful)) paused();
    return this.#note(run.take());
  }

  /** Gives back what was allocated at `at`, refused for a while or not. */
  recover(at: number, isRefused: boolean): void {
    const [held] = this.#held.splice(at % Math.max(1, this.#held.length), 1);
    if (held === undefined) return;
    const [frameworkId, agentId, resources] = held;
    const returned = this.state.recover(frameworkId, agentId, [...resources], false);
    const agent = this.state.agents.get(agentId);
    if (!isRefused || agent === undefined) return;
    for (const [client, part] of returned) this.state.clients.filters.add(client, agent, part.unallocate(), 1000);
  }

  expire(): void {
    this.#now += 1000;
    for (const expire of this.#timers.splice(0)) expire();
  }

  #note(allocated: Allocated): string[] {
    const notes: string[] = [];
    for (const [frameworkId, list] of allocated) {
      for (const { agentId, role, resources } of list) {
        this.#held.push([frameworkId, agentId, resources]);
        notes.push(`${frameworkId} ${role} ${agentId} ${String(resources)}`);
      }
    }
    return notes;
  }
}

interface Step {
  (bench: Bench): string[] | void;
}

/** A step that a counterexample shows by its words. */
function named(words: string, act: Step): Step {
  return Object.assign((bench: Bench) => act(bench), { toString: () => words });
}

const roles = ['ads', 'ads/web', 'eng'];
const role = fc.constantFrom(...roles);
const framework = fc.integer({ min: 0, max: 5 }).map((n) => FrameworkID(`framework-${n}`));
/** More than a run looks at between two pauses. */
const agent = fc.integer({ min: 0, max: 19 }).map((n) => AgentID(`agent-${n}`));
const total = fc.constantFrom(
  'cpus:4;mem:1024',
  'cpus:2;mem(ads):512',
  'cpus:1;gpus:1',
  'cpus:8;mem:64;ports:[1-9]',
  // Under quota chance decides which of the two is cut.
  'disk:6;disk[MOUNT:/a]:8',
);
const capabilities = ['MULTI_ROLE', 'HIERARCHICAL_ROLE'];

const size = fc.tuple(agent, total).map(([id, text]) =>
  named(`${id} has ${text}`, ({ state }) => {
    const info = { hostname: id, resources: [], attributes: {}, url: '' };
    const known = state.agents.get(id);
    if (known === undefined) state.addAgent(id, info, capabilities, Resources.parse(text));
    else state.updateAgent(known, info, undefined, Resources.parse(text));
  }),
);

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(framework, fc.uniqueArray(role, { minLength: 1 })).map(([id, its]) =>
    named(`${id} subscribes to ${its.join()}`, ({ state }) => {
      const settings = { roles: its, suppressedRoles: [], capabilities, minAllocatable: {} };
      if (!state.frameworks.has(id)) state.addFramework(id, settings, true);
      else state.updateFramework(id, settings);
    }),
  ),
  framework.map((id) => named(`${id} is removed`, ({ state }) => state.removeFramework(id))),
  framework.map((id) => named(`${id} is deactivated`, ({ state }) => state.deactivateFramework(id))),
  framework.map((id) => named(`${id} is activated`, ({ state }) => state.activateFramework(id))),
  fc
    .tuple(framework, role)
    .map(([id, its]) => named(`${id} suppresses ${its}`, ({ state }) => state.suppress(id, [its]))),
  framework.map((id) => named(`${id} revives`, ({ state }) => state.revive(id, []))),
  size,
  agent.map((id) => named(`${id} is removed`, ({ state }) => state.removeAgent(id))),
  fc
    .tuple(fc.nat(20), fc.boolean())
    .map(([at, isRefused]) =>
      named(`offer ${at} is ${isRefused ? 'refused' : 'given back'}`, (bench) => bench.recover(at, isRefused)),
    ),
  fc.constant(named('filters expire', (bench) => bench.expire())),
  fc
    .tuple(fc.constantFrom('ads', 'eng'), fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 9 }))
    .map(([path, least, most]) =>
      named(`${path} is guaranteed ${least} cpus and limited to ${most}, and to ${2 * most} of disk`, ({ state }) => {
        const limits =
          most === 0 ? ResourceLimits.empty : ResourceLimits.of({ cpus: Math.max(least, most), disk: 2 * most });
        state.setQuota(path, ResourceQuantities.of({ cpus: least }), limits);
      }),
    ),
  fc
    .tuple(role, fc.integer({ min: 1, max: 4 }))
    .map(([path, weight]) => named(`${path} weighs ${weight}`, ({ state }) => state.clients.setWeight(path, weight))),
  { weight: 4, arbitrary: fc.constant(named('a run', (bench) => bench.run())) },
);

const histories = fc.array(step, { minLength: 20, maxLength: 120, size: 'max' });

describe('AllocationRun', () => {
  it('gives the same whether it looks at changed agents only or at all of them anew, and whether it pauses or not', () => {
    let allocated = 0;
    fc.assert(
      fc.property(fc.array(size, { maxLength: 60, size: 'max' }), histories, (population, steps) => {
        const [clever, forgetful] = [new Bench(false), new Bench(true)];
        for (const act of [...population, ...steps, (bench: Bench) => bench.run()]) {
          const [its, expected] = [act(clever), act(forgetful)];
          expect(its).to.deep.equal(expected);
          allocated += its?.length ?? 0;
        }
      }),
      { numRuns: 200 },
    );
    expect(allocated).to.be.greaterThan(1000);
  }).timeout(60_000);

  describe('with something guaranteed to a role whose frameworks are below it', () => {
    const cluster = (bench: Bench): Bench => {
      const { state } = bench;
      state.setQuota('ads', ResourceQuantities.of({ cpus: 8 }), ResourceLimits.empty);
      for (const [id, its] of Object.entries({ web: 'ads/web', eng: 'eng' })) {
        const settings = { roles: [its], suppressedRoles: [], capabilities, minAllocatable: {} };
        state.addFramework(FrameworkID(id), settings, true);
      }
      for (let n = 0; n < 20; n++) {
        const info = { hostname: '', resources: [], attributes: {}, url: '' };
        state.addAgent(AgentID(`agent-${n}`), info, capabilities, Resources.parse('cpus:1'));
      }
      return bench;
    };

    it('reckons that once, however often it pauses', () => {
      const given = [true, false].map((isForgetful) => cluster(new Bench(isForgetful)).run().length);
      expect(given).to.deep.equal([12, 12]);
    });

    it('reckons it anew when a quota has changed in a pause', () => {
      const bench = cluster(new Bench(false));
      let pauses = 0;
      const given = bench.run(() => {
        // The first one is in the stage that gives guarantees.
        if (++pauses === 2) bench.state.setQuota('ads', ResourceQuantities.empty, ResourceLimits.empty);
      });
      // Of the 16 agents before it four were kept.
      expect(given).to.have.length(16);
    });
  });
});
