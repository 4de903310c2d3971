import { SeededRandom } from '@mezzo/process/testing';
import {
  AgentID,
  FrameworkID,
  type OfferConstraints,
  ResourceLimits,
  ResourceQuantities,
  Resources,
} from '@mezzo/protocol';
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
      ...{ filters, observer, random: this.#random, domain: { region: 'here', zone: 'a' } },
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

  /** Whoever holds what was allocated at `at` reserves its plain cpus, or gives the reservation up. */
  convert(at: number): void {
    const held = this.#held[at % Math.max(1, this.#held.length)];
    if (held === undefined) return;
    const [frameworkId, agentId, resources] = held;
    const [framework, known] = [this.state.frameworks.get(frameworkId), this.state.agents.get(agentId)];
    const role = [...resources.allocations().keys()][0];
    if (framework === undefined || known === undefined || role === undefined) return;
    const cpus = resources.filter(({ name, revocable }) => name === 'cpus' && revocable !== true);
    const plain = cpus.unreserved();
    const consumed = plain.isEmpty ? cpus.reserved(role) : plain;
    const converted = plain.isEmpty ? consumed.toUnreserved() : consumed.pushReservation({ type: 'DYNAMIC', role });
    if (consumed.isEmpty || !this.state.convert(framework, known, [...resources], [{ consumed, converted }])) return;
    held[2] = resources.minus(consumed).plus(converted);
  }

  /** An operator reserves free cpus of the agent to the role, or makes its disk a volume that is shared. */
  convertAvailable(id: AgentID, role: string): void {
    const known = this.state.agents.get(id);
    if (known === undefined) return;
    const free = known.available.unreserved().nonRevocable().nonShared();
    const cpus = free.filter(({ name }) => name === 'cpus');
    const disk = free.filter(({ name, disk: source }) => name === 'disk' && source === undefined);
    const volume = [...disk].map((one) => ({
      ...one,
      disk: { persistence: { id: 'v', principal: 'p' } },
      shared: true as const,
    }));
    const conversions = [
      { consumed: cpus, converted: cpus.pushReservation({ type: 'DYNAMIC', role }) },
      { consumed: disk, converted: Resources.of(volume) },
    ];
    this.state.convertAvailable(
      known,
      conversions.filter(({ consumed }) => !consumed.isEmpty),
    );
  }

  /** Everybody goes, and with them all that is counted. */
  end(): readonly string[] {
    const { state } = this;
    for (const id of [...state.frameworks.keys()]) state.removeFramework(id);
    for (const id of [...state.agents.keys()]) state.removeAgent(id);
    const { held, roles: tree } = state.clients;
    return [state.total.quantities, held.quantities, tree.root.reservations, tree.root.heldUnreserved.quantities].map(
      String,
    );
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
  'cpus:2;cpus{REV}:2',
  'cpus(reservations: [(STATIC, ads), (DYNAMIC, ads/web)]):2',
  'cpus:8;mem:64;ports:[1-9]',
  // Under quota chance decides which of the two is cut.
  'disk:6;disk[MOUNT:/a]:8',
);
const agentCapabilities = ['MULTI_ROLE', 'HIERARCHICAL_ROLE'];
const abilities = [
  ...['GPU_RESOURCES', 'REVOCABLE_RESOURCES', 'SHARED_RESOURCES', 'RESERVATION_REFINEMENT', 'REGION_AWARE'],
  'MULTI_ROLE',
];
const info = fc.record({
  domain: fc.constantFrom(...['here', 'there'].map((region) => ({ region, zone: 'a' }))),
  attributes: fc.constantFrom<Record<string, string>>({}, { rack: 'r1' }),
});
const constraints = fc.constantFrom<OfferConstraints>(
  {},
  { ads: [[{ selector: { attribute: 'rack' }, predicate: { type: 'EXISTS' } }]] },
  { eng: [[{ selector: { attribute: 'rack' }, predicate: { type: 'NOT_EXISTS' } }]] },
);
const flag = fc.boolean();

const size = fc.tuple(agent, total, info, fc.subarray(agentCapabilities)).map(([id, text, its, able]) =>
  named(`${id} has ${text}, is ${JSON.stringify(its)}, takes ${able.join()}`, ({ state }) => {
    const known = state.agents.get(id);
    const here = { hostname: id, resources: [], url: '', ...its };
    if (known === undefined) state.addAgent(id, here, able, Resources.parse(text));
    // What somebody holds there stays there.
    else if (known.held.isEmpty) state.updateAgent(known, here, able, Resources.parse(text));
    else state.updateAgent(known, here, able, undefined);
  }),
);

/** Nothing but what it takes. */
const ability = fc.tuple(agent, fc.subarray(agentCapabilities)).map(([id, able]) =>
  named(`${id} takes ${able.join()}`, ({ state }) => {
    const known = state.agents.get(id);
    if (known !== undefined) state.updateAgent(known, known.info, able, undefined);
  }),
);

const subscription = fc
  .tuple(framework, fc.uniqueArray(role, { minLength: 1 }), fc.subarray(roles), fc.subarray(abilities), constraints)
  .map(([id, its, suppressedRoles, capabilities, offerConstraints]) =>
    named(
      `${id} subscribes to ${its.join()} without ${suppressedRoles.join()} as ${capabilities.join()} with ${JSON.stringify(offerConstraints)}`,
      ({ state }) => {
        const own = Object.fromEntries(Object.entries(offerConstraints).filter(([name]) => its.includes(name)));
        const settings = { roles: its, suppressedRoles, capabilities, minAllocatable: {}, offerConstraints: own };
        if (!state.frameworks.has(id)) state.addFramework(id, settings, true);
        else state.updateFramework(id, settings);
      },
    ),
  );

const revival = framework.map((id) => named(`${id} revives`, ({ state }) => state.revive(id, [])));
const run = named('a run', (bench) => bench.run());
const refusalOfAll = named('all is refused', (bench) => {
  for (let left = 40; left > 0; left--) bench.recover(0, true);
});
const quota = fc
  .tuple(fc.constantFrom('ads', 'eng'), fc.integer({ min: 0, max: 9 }), fc.integer({ min: 0, max: 9 }))
  .map(([path, least, most]) =>
    named(`${path} is guaranteed ${least} cpus and limited to ${most}, and to ${2 * most} of disk`, ({ state }) => {
      const limits =
        most === 0 ? ResourceLimits.empty : ResourceLimits.of({ cpus: Math.max(least, most), disk: 2 * most });
      state.setQuota(path, ResourceQuantities.of({ cpus: least }), limits);
    }),
  );

const step: fc.Arbitrary<Step> = fc.oneof(
  subscription,
  framework.map((id) => named(`${id} is removed`, ({ state }) => state.removeFramework(id))),
  framework.map((id) => named(`${id} is deactivated`, ({ state }) => state.deactivateFramework(id))),
  framework.map((id) => named(`${id} is activated`, ({ state }) => state.activateFramework(id))),
  fc
    .tuple(framework, role)
    .map(([id, its]) => named(`${id} suppresses ${its}`, ({ state }) => state.suppress(id, [its]))),
  revival,
  size,
  ability,
  agent.map((id) => named(`${id} is removed`, ({ state }) => state.removeAgent(id))),
  fc.tuple(agent, flag).map(([id, isActive]) =>
    named(`${id} is ${isActive ? '' : 'de'}activated`, ({ state }) => {
      const known = state.agents.get(id);
      if (known === undefined) return;
      known.isActive = isActive;
      if (isActive) known.changed();
    }),
  ),
  fc
    .option(fc.array(agent, { maxLength: 20 }), { nil: undefined })
    .map((hosts) => named(`only ${hosts?.join() ?? 'all'} are offered`, ({ state }) => state.setWhitelist(hosts))),
  fc
    .tuple(fc.nat(20), flag)
    .map(([at, isRefused]) =>
      named(`offer ${at} is ${isRefused ? 'refused' : 'given back'}`, (bench) => bench.recover(at, isRefused)),
    ),
  fc.nat(20).map((at) => named(`offer ${at} is converted`, (bench) => bench.convert(at))),
  fc
    .tuple(agent, role)
    .map(([id, path]) => named(`free cpus of ${id} go to ${path}`, (bench) => bench.convertAvailable(id, path))),
  fc.constant(named('filters expire', (bench) => bench.expire())),
  quota,
  fc
    .tuple(role, fc.integer({ min: 1, max: 4 }))
    .map(([path, weight]) => named(`${path} weighs ${weight}`, ({ state }) => state.clients.setWeight(path, weight))),
  { weight: 4, arbitrary: fc.constant(run) },
);

/** Something changes when all that could be given was given, or refused: what follows comes from that change alone. */
const afterCalm = fc
  .tuple(fc.oneof(subscription, revival, ability, quota), flag)
  .map(([act, isRefused]) => [run, ...(isRefused ? [refusalOfAll, run] : []), run, act, run]);

const histories = fc
  .array(fc.oneof({ weight: 8, arbitrary: step.map((one) => [one]) }, { weight: 2, arbitrary: afterCalm }), {
    ...{ minLength: 20, maxLength: 100, size: 'max' },
  })
  .map((parts) => parts.flat());

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
        for (const bench of [clever, forgetful]) expect(bench.end()).to.deep.equal(['', '', '', '']);
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
        const settings = { roles: [its], suppressedRoles: [], capabilities: ['MULTI_ROLE'], minAllocatable: {} };
        state.addFramework(FrameworkID(id), settings, true);
      }
      for (let n = 0; n < 20; n++) {
        const here = { hostname: '', resources: [], attributes: {}, url: '' };
        state.addAgent(AgentID(`agent-${n}`), here, agentCapabilities, Resources.parse('cpus:1'));
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
