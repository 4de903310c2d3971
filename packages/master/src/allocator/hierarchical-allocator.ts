import { type BodyOf, type ExitReason, json, type Message, type PID, Process, type Timer } from '@mezzo/process';
import {
  type AgentID,
  allocatorMessages as messages,
  type Filters,
  type FrameworkID,
  type Quota,
  type ResourceConversion,
  ResourceConversionError,
  ResourceLimits,
  ResourceQuantities,
  Resources,
} from '@mezzo/protocol';
import { AllocationLoop } from './allocation-loop.ts';
import type { AllocationRun } from './allocation-run.ts';
import type { AllocatorAgent } from './allocator-agent.ts';
import { AllocatorMetrics } from './allocator-metrics.ts';
import { AllocatorState, type FrameworkSettings } from './allocator-state.ts';
import {
  answerInverseOffer,
  inverseOffers,
  inverseOfferStatuses,
  refusalTime,
  setUnavailability,
} from './maintenance.ts';
import { MinAllocatable } from './min-allocatable.ts';
import { excludedAgents } from './offer-constraints.ts';
import { OfferFilters } from './offer-filters.ts';
import type { Placement } from './placement.ts';
import { RecoveryPause } from './recovery-pause.ts';
import { ServedMaster } from './served-master.ts';
import type { SorterFactory } from './sorter.ts';

export interface HierarchicalAllocatorOptions {
  /** Default `allocator`. */
  readonly id?: string;
  /** The only address (`id@node`) it takes a master from. Default: whoever comes while it has none. */
  readonly master?: PID;
  /** Default: dominant resource fairness. */
  readonly roleSorter?: SorterFactory;
  /** Default: dominant resource fairness. */
  readonly frameworkSorter?: SorterFactory;
  /** In which order agents are offered. Default: by chance, as Mesos does. */
  readonly placement?: Placement;
}

/** What the master wants of allocations. */
interface Settings {
  /** Milliseconds between periodic runs. */
  readonly interval: number;
  readonly minAllocatable: MinAllocatable;
  readonly filterGpus: boolean;
}

type Initialization = BodyOf<typeof messages.InitializeAllocator>;

const noSettings: Settings = { interval: 1000, minAllocatable: new MinAllocatable([]), filterGpus: true };

/** Milliseconds; a shorter interval would leave no time for anything else. */
const shortestInterval = 1;

/**
 * Decides which framework is offered what. It serves one master until that is gone, or started again, and then forgets
 * everything.
 */
export class HierarchicalAllocator extends Process {
  readonly #options: HierarchicalAllocatorOptions;
  readonly #loop: AllocationLoop;
  readonly #filters: OfferFilters;
  readonly #master: ServedMaster;
  #state: AllocatorState | undefined;
  #metrics: AllocatorMetrics | undefined;
  #settings = noSettings;
  #periodic: Timer | undefined;
  #pause = new RecoveryPause();

  constructor(options: HierarchicalAllocatorOptions = {}) {
    super(options.id ?? 'allocator');
    this.#options = options;
    this.#master = new ServedMaster(options.master);
    this.#filters = new OfferFilters({
      now: () => this.clock.now(),
      // One turn later than its time: it must be there in the next periodic run, due at the same time.
      delay: (milliseconds, call) => this.delay(milliseconds, this.defer(call)),
    });
    this.#loop = new AllocationLoop({
      now: () => this.clock.now(),
      later: (call) => this.defer(call)(),
      state: () => this.#known,
      options: () => {
        const { minAllocatable, filterGpus } = this.#settings;
        return { minAllocatable, filterGpus, placement: this.#options.placement, random: this.random };
      },
      metrics: () => this.#metrics,
      allocated: (run) => this.#sendAllocated(run),
      done: (run) => this.#sendInverse(run),
    });
  }

  protected override initialize(): void {
    this.#state = this.#emptyState();
    this.#metrics = new AllocatorMetrics(this.runtime.metrics, () => this.#known);
    this.install(messages.InitializeAllocator, (body, from) => {
      const fault = this.#master.faultOf(from) ?? intervalFault(body.allocationInterval);
      if (fault === undefined) this.#begin(from, body);
      else this.#ignore(messages.InitializeAllocator, from, fault);
    });
    this.#serveFrameworks();
    this.#serveAgents();
    this.#serveOffers();
    this.#serveRoles();
    this.route(
      '/offer_constraints_debug',
      () => json(excludedAgents(this.#known.frameworks.values(), [...this.#known.agents.values()])),
      {
        help: 'Which agents the offer constraints of frameworks exclude, by role',
      },
    );
  }

  /** @internal All that it knows, for tests that look on; undefined before it has begun. */
  get known(): AllocatorState | undefined {
    return this.#state;
  }

  protected override finalize(_reason: ExitReason): void {
    this.#filters.stop();
    this.#metrics?.remove();
  }

  protected override exited(pid: PID): void {
    if (this.#master.is(pid)) this.#forget();
  }

  get #known(): AllocatorState {
    return (this.#state ??= this.#emptyState());
  }

  // ---- what the master says

  #serveFrameworks(): void {
    this.#serve(messages.AddFramework, (body) => {
      const { frameworkId, active, used } = body;
      this.#known.addFramework(
        frameworkId,
        body,
        active,
        used.map(({ agentId, resources }) => [agentId, Resources.of(resources)]),
      );
      if (active) this.#triggerAll();
    });
    this.#serve(messages.RemoveFramework, ({ frameworkId }) => this.#known.removeFramework(frameworkId));
    this.#serve(messages.ActivateFramework, ({ frameworkId }) => {
      this.#known.activateFramework(frameworkId);
      this.#triggerAll();
    });
    this.#serve(messages.DeactivateFramework, ({ frameworkId }) => this.#known.deactivateFramework(frameworkId));
    this.#serve(
      messages.UpdateFramework,
      ({ frameworkId, ...settings }: { frameworkId: FrameworkID } & FrameworkSettings) =>
        this.#known.updateFramework(frameworkId, settings),
    );
    this.#serve(messages.SuppressOffers, ({ frameworkId, roles }) => this.#known.suppress(frameworkId, roles));
    this.#serve(messages.ReviveOffers, ({ frameworkId, roles }) => {
      this.#known.revive(frameworkId, roles);
      this.#triggerAll();
    });
  }

  #serveAgents(): void {
    this.#serve(messages.AddAgent, ({ agentId, agent: info, capabilities, total, used, unavailability }) => {
      const agent = this.#known.addAgent(agentId, info, capabilities, Resources.of(total), usedBy(used));
      if (unavailability !== undefined) setUnavailability(this.#known, agent, unavailability);
      this.#metrics?.resourcesKnown(this.#known.totals.names);
      if (this.#pause.agentAdded(this.#known.agents.size)) this.#resume();
      this.#trigger(agentId);
    });
    this.#serve(messages.UpdateAgent, ({ agentId, agent: info, capabilities, total }) =>
      this.#ofAgent(agentId, (agent) => {
        const resources = total === undefined ? undefined : Resources.of(total);
        if (!this.#known.updateAgent(agent, info, capabilities, resources)) return;
        this.#metrics?.resourcesKnown(this.#known.totals.names);
        this.#trigger(agentId);
      }),
    );
    this.#serve(messages.AddResourceProvider, ({ agentId, total, used }) =>
      this.#ofAgent(agentId, (agent) => {
        this.#known.addProvider(agent, Resources.of(total), usedBy(used));
        this.#metrics?.resourcesKnown(this.#known.totals.names);
      }),
    );
    this.#serve(messages.RemoveAgent, ({ agentId }) => {
      this.#known.removeAgent(agentId);
      this.#loop.removed(agentId);
    });
    this.#serve(messages.ActivateAgent, ({ agentId }) =>
      this.#ofAgent(agentId, (agent) => {
        agent.isActive = true;
        agent.changed();
      }),
    );
    this.#serve(messages.DeactivateAgent, ({ agentId }) =>
      this.#ofAgent(agentId, (agent) => {
        agent.isActive = false;
      }),
    );
    this.#serve(messages.UpdateWhitelist, ({ hostnames }) => this.#known.setWhitelist(hostnames));
    this.#serve(messages.UpdateUnavailability, ({ agentId, unavailability }) =>
      this.#ofAgent(agentId, (agent) => {
        setUnavailability(this.#known, agent, unavailability);
        this.#trigger(agentId);
      }),
    );
  }

  #serveOffers(): void {
    this.#serve(messages.RecoverResources, ({ frameworkId, agentId, resources, filters, isAllocated }) => {
      const returned = this.#known.recover(frameworkId, agentId, resources, isAllocated);
      const agent = this.#known.agents.get(agentId);
      const lasts = filters === undefined ? 0 : refusalTime(filters, this.#settings.interval);
      if (agent === undefined || lasts === 0) return;
      for (const [client, part] of returned)
        if (client.framework.roles.has(client.role.path)) this.#filters.add(client, agent, part.unallocate(), lasts);
    });
    this.#serve(messages.TransitionOfferedToAllocated, ({ frameworkId, agentId, resources }) =>
      this.#known.use(frameworkId, agentId, Resources.of(resources)),
    );
    this.#serve(messages.UpdateAllocation, ({ frameworkId, agentId, offered, conversions }) => {
      const framework = this.#known.frameworks.get(frameworkId);
      if (framework === undefined) return;
      this.#ofAgent(agentId, (agent) => {
        if (this.#known.convert(framework, agent, offered, conversions.map(conversionOf))) return;
        throw new RangeError(`framework ${frameworkId} does not hold what is to be converted on agent ${agentId}`);
      });
    });
    this.answer(messages.UpdateAvailable, ({ agentId, conversions }, from) => {
      if (!this.#master.isWith(from)) return { fault: 'this allocator serves another master' };
      const agent = this.#known.agents.get(agentId);
      if (agent === undefined) return { fault: `Unknown agent ${agentId}` };
      try {
        this.#known.convertAvailable(agent, conversions.map(conversionOf));
        return {};
      } catch (error) {
        if (error instanceof ResourceConversionError) return { fault: error.message };
        throw error;
      }
    });
    this.#serve(messages.UpdateInverseOffer, ({ agentId, frameworkId, status, filters }) => {
      const now = this.clock.now();
      const refused = this.#refusedUntil(filters);
      answerInverseOffer(this.#known, agentId, frameworkId, { status, refused, now });
    });
    this.answer(messages.GetInverseOfferStatuses, () => ({ statuses: inverseOfferStatuses(this.#known) }));
  }

  #serveRoles(): void {
    this.#serve(messages.UpdateQuota, ({ role, quota }) => this.#setQuota(role, quota));
    this.#serve(messages.UpdateWeights, ({ weights }) => {
      for (const { role, weight } of weights) if (weight > 0) this.#known.clients.setWeight(role, weight);
    });
    this.#serve(messages.Recover, ({ expectedAgents, quotas, timeout, factor }) => {
      for (const [role, quota] of Object.entries(quotas)) this.#setQuota(role, quota);
      // Without quotas nobody can be hurt by what is offered too early.
      if (Object.keys(quotas).length === 0) return;
      this.#pause.begin(Math.floor(expectedAgents * factor), this.#known.agents.size, () =>
        this.delay(timeout, () => this.#resume()),
      );
    });
  }

  /** Whoever is not the master that initialised it is not heard, nor is what makes no sense. */
  #serve<T>(kind: Message<T>, handle: (body: T) => void): void {
    this.install(kind, (body, from) => {
      if (!this.#master.is(from))
        return this.#ignore(kind, from, 'it is not from the master that initialised this allocator');
      try {
        handle(body);
      } catch (error) {
        if (!(error instanceof RangeError) && !(error instanceof ResourceConversionError)) throw error;
        this.#ignore(kind, from, error.message);
      }
    });
  }

  #ofAgent(agentId: AgentID, act: (agent: AllocatorAgent) => void): void {
    const agent = this.#known.agents.get(agentId);
    if (agent !== undefined) act(agent);
  }

  #ignore(kind: { readonly name: string }, from: PID, why: string): void {
    this.#metrics?.ignored.increment();
    this.runtime.log.warn({ from: from.address }, `ignored '${kind.name}': ${why}`);
  }

  #setQuota(role: string, { guarantees, limits }: Quota): void {
    this.#known.setQuota(role, ResourceQuantities.of(guarantees), ResourceLimits.of(limits));
    this.#metrics?.quotaSet(role, this.#known.clients.roles.get(role)?.quota);
  }

  #refusedUntil(filters: Filters | undefined): number | undefined {
    const lasts = filters === undefined ? 0 : refusalTime(filters, this.#settings.interval);
    return lasts === 0 ? undefined : this.clock.now() + lasts;
  }

  // ---- whom it serves

  #begin(master: PID, body: Initialization): void {
    this.#forget();
    this.#master.begin(master);
    this.#settings = {
      interval: body.allocationInterval,
      minAllocatable: new MinAllocatable(body.minAllocatable),
      filterGpus: body.filterGpuResources,
    };
    this.#state = this.#emptyState(body.fairnessExcluded, body.domain);
    this.link(master);
    this.send(master, messages.AllocatorInitialized, {});
    this.#startPeriod();
  }

  #forget(): void {
    this.#filters.stop();
    this.#metrics?.clear();
    this.#state = this.#emptyState();
    this.#loop.stop();
    this.#periodic?.cancel();
    this.#pause.end();
    this.#master.end();
  }

  #emptyState(fairnessExcluded: readonly string[] = [], domain?: Initialization['domain']): AllocatorState {
    const { roleSorter, frameworkSorter } = this.#options;
    const observer = {
      roleAdded: (role: string) => this.#metrics?.roleAdded(role),
      roleRemoved: (role: string) => this.#metrics?.roleRemoved(role),
    };
    const { random } = this;
    return new AllocatorState({
      filters: this.#filters,
      random,
      observer,
      roleSorter,
      frameworkSorter,
      fairnessExcluded,
      domain,
    });
  }

  // ---- runs

  #startPeriod(): void {
    this.#periodic = this.delay(this.#settings.interval, () => {
      this.#triggerAll();
      this.#startPeriod();
    });
  }

  #resume(): void {
    if (this.#pause.end()) this.#loop.triggerAll();
  }

  #triggerAll(): void {
    if (!this.#pause.isOn) this.#loop.triggerAll();
  }

  #trigger(agentId: AgentID): void {
    if (!this.#pause.isOn) this.#loop.trigger([agentId]);
  }

  #sendAllocated(run: AllocationRun): void {
    const master = this.#master.pid;
    if (master === undefined) return;
    for (const [frameworkId, allocations] of run.take()) {
      this.send(master, messages.Allocated, {
        frameworkId,
        allocations: allocations.map(({ role, agentId, resources }) => ({ role, agentId, resources: [...resources] })),
      });
    }
  }

  #sendInverse(run: AllocationRun): void {
    const master = this.#master.pid;
    if (master === undefined) return;
    for (const [frameworkId, agents] of inverseOffers(this.#known, run.candidates, this.clock.now()))
      this.send(master, messages.InverseAllocated, { frameworkId, agents: [...agents] });
  }
}

type WireConversion = BodyOf<typeof messages.UpdateAllocation>['conversions'][number];

function conversionOf({ consumed, converted, takesEveryCopy }: WireConversion): ResourceConversion {
  const conversion = { consumed: Resources.of(consumed), converted: Resources.of(converted) };
  return takesEveryCopy === undefined ? conversion : { ...conversion, takesEveryCopy };
}

function usedBy(used: BodyOf<typeof messages.AddAgent>['used']): readonly (readonly [FrameworkID, Resources])[] {
  return used.map(({ frameworkId, resources }) => [frameworkId, Resources.of(resources)]);
}

function intervalFault(interval: number): string | undefined {
  if (interval >= shortestInterval && Number.isFinite(interval)) return undefined;
  return `invalid allocation interval ${interval}: expected ${shortestInterval} ms or more`;
}
