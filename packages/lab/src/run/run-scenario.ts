import { messageOf } from '@mezzo/process';
import { Resources } from '@mezzo/protocol';
import { Account, Ledger } from '../measure/ledger.ts';
import { ResourceNames } from '../measure/quantities.ts';
import { takeSample } from '../measure/sampler.ts';
import type { LabResult, Sample } from '../result.ts';
import { type AgentSpec, agentsOf } from '../scenario/agent-groups.ts';
import type { ScenarioEvent } from '../scenario/events.ts';
import { namesOf, rolesOf } from '../scenario/frameworks.ts';
import { samplingOf, type Scenario } from '../scenario/scenario.ts';
import { LabFramework } from '../workload/lab-framework.ts';
import { Places } from '../workload/places.ts';
import { type AllocatorOfMaster, chooseAllocator, isModule } from './allocator-choice.ts';
import type { Happening } from './happening.ts';
import { LabCluster } from './lab-cluster.ts';

export interface RunOptions {
  /** Everything that is left to chance comes from it. */
  readonly seed: number;
  /** Instead of the scenario's: a name that the master knows, or a module (path or `file:` URL) whose default export makes one. */
  readonly allocator?: string | undefined;
  /** Instead of the scenario's, for roles and frameworks: `drf`, `random`, or a module whose default export makes one. */
  readonly sorter?: string | undefined;
  /** Where the scenario is: relative paths of the modules that it names begin there. A `file:` URL. */
  readonly file?: URL | undefined;
  /** Where relative paths of these options begin: a `file:` URL that ends in `/`. */
  readonly directory?: URL | undefined;
  /** Called after each sample with milliseconds of virtual time. */
  readonly onProgress?: ((progress: { readonly time: number; readonly duration: number }) => void) | undefined;
}

/**
 * Runs a scenario: the shipping master, agents and scheduler drivers under virtual time. The same scenario, seed and options
 * give the same result, byte for byte (on one version of Node).
 *
 * @throws RangeError for an allocator or sorter that the master does not know, or that cannot be loaded
 * @throws TypeError for a module that exports something else
 * @throws Error if a process of the cluster crashed, or the master refused a quota, with the first cause and the modules that ran
 */
export async function runScenario(scenario: Scenario, options: RunOptions): Promise<LabResult> {
  const { allocator = scenario.allocator, sorter = scenario.sorter, file, directory, ...rest } = options;
  const chosen = await chooseAllocator(
    { name: allocator, base: options.allocator === undefined ? file : directory },
    sorter === undefined ? undefined : { name: sorter, base: options.sorter === undefined ? file : directory },
  );
  return new ScenarioRun(scenario, { ...rest, allocator, sorter, chosen }).run();
}

interface Chosen extends RunOptions {
  readonly allocator: string;
  readonly chosen: AllocatorOfMaster;
}

class ScenarioRun {
  readonly #scenario: Scenario;
  readonly #options: Chosen;
  readonly #cluster: LabCluster;
  readonly #ledger: Ledger;
  readonly #places: Places;
  readonly #agents: AgentSpec[];
  readonly #roles = new Map<string, Account>();
  readonly #weights = new Map<string, number>();
  readonly #frameworks: LabFramework[] = [];
  readonly #samples: Sample[] = [];
  readonly #events: { time: number; what: string }[] = [];
  #start = 0;
  #error: unknown;

  constructor(scenario: Scenario, options: Chosen) {
    this.#scenario = scenario;
    this.#options = options;
    this.#agents = scenario.agents.flatMap((group) => agentsOf(group));
    const groups = [...scenario.agents, ...scenario.events.flatMap(({ add }) => add ?? [])];
    const names = groups.flatMap(({ resources }) => Resources.parse(resources).quantities.names);
    this.#ledger = new Ledger(new ResourceNames(names));
    this.#places = new Places(this.#agents);
    for (const [role, { weight }] of Object.entries(scenario.roles)) {
      this.#weights.set(role, weight);
      this.#account(role);
    }
    this.#cluster = new LabCluster(scenario, {
      seed: options.seed,
      allocator: options.chosen,
      onError: (error, context) => {
        const message = `The simulated cluster failed${modulesOf(options)}: ${context}: ${messageOf(error)}`;
        this.#error ??= new Error(message, { cause: error });
      },
    });
  }

  async run(): Promise<LabResult> {
    const { world } = this.#cluster;
    try {
      this.#start = world.clock.now();
      await this.#cluster.startMaster();
      this.#setRoles();
      for (const agent of this.#agents) await this.#enter(agent);
      for (const happening of this.#happenings()) {
        await world.advance(happening.time - world.elapsed);
        if (this.#error !== undefined) throw this.#error;
        if (happening.what !== '') this.#events.push({ time: happening.time, what: happening.what });
        await happening.act();
      }
      return await this.#result();
    } finally {
      world.abandon();
    }
  }

  /** All that will happen, in order; what happens at the time of a sample happens before it. */
  #happenings(): readonly Happening[] {
    const { duration, events } = this.#scenario;
    const happenings: Happening[] = [...this.#arrivals()];
    for (const event of events)
      happenings.push({ time: event.at, what: describe(event), act: () => this.#happen(event) });
    const sampling = samplingOf(this.#scenario);
    for (let time = sampling; time < duration; time += sampling) {
      happenings.push({ time, what: '', act: () => this.#sample(time) });
    }
    happenings.push({ time: duration, what: '', act: () => this.#sample(duration) });
    return happenings.filter(({ time }) => time <= duration).sort((a, b) => a.time - b.time);
  }

  *#arrivals(): Iterable<Happening> {
    for (const group of this.#scenario.frameworks) {
      const { arrives, leaves } = group;
      for (const [index, name] of namesOf(group).entries()) {
        const framework = new LabFramework({
          name,
          group,
          roles: rolesOf(group, index),
          seed: this.#options.seed,
          ledger: this.#ledger,
          account: new Account(name, this.#ledger.names),
          accountOfRole: (role) => this.#account(role),
          places: this.#places,
          roundTrip: roundTripOf(this.#scenario),
        });
        this.#frameworks.push(framework);
        const what = arrives === 0 ? '' : `framework ${name} arrives`;
        yield { time: arrives, what, act: () => this.#cluster.startFramework(framework) };
        if (leaves === undefined) continue;
        yield {
          time: leaves,
          what: `framework ${name} leaves`,
          act: () => framework.leave(this.#cluster.world.clock.now()),
        };
      }
    }
  }

  async #happen({ add, lose, back, quotas, weights }: ScenarioEvent): Promise<void> {
    if (add !== undefined) {
      const taken = this.#agents.filter(({ group }) => group === add.name).length;
      for (const agent of agentsOf(add, taken)) {
        this.#agents.push(agent);
        await this.#enter(agent);
      }
    }
    if (lose !== undefined) {
      for (const { name } of this.#chosen(lose, true)) {
        this.#ledger.lose(name);
        this.#cluster.loseAgent(name);
      }
    }
    if (back !== undefined) {
      for (const agent of this.#chosen(back, false)) {
        await this.#cluster.bringBackAgent(agent.name);
        this.#ledger.enter(agent.name, this.#quantities(agent));
      }
    }
    if (quotas !== undefined) this.#cluster.setQuotas(quotas);
    if (weights !== undefined) {
      for (const [role, weight] of Object.entries(weights)) this.#weights.set(role, weight);
      this.#cluster.setWeights(weights);
    }
  }

  async #enter(agent: AgentSpec): Promise<void> {
    this.#ledger.enter(agent.name, this.#quantities(agent));
    await this.#cluster.startAgent(agent);
  }

  /** The first ones of a group, or the one agent, that are there, or are not. */
  #chosen({ agents, count }: { agents: string; count?: number | undefined }, present: boolean): readonly AgentSpec[] {
    return this.#agents
      .filter(({ name, group }) => (group === agents || name === agents) && this.#isPresent(name) === present)
      .slice(0, count);
  }

  #isPresent(name: string): boolean {
    return this.#ledger.agents.get(name)?.isPresent === true;
  }

  #quantities({ resources }: AgentSpec): number[] {
    return this.#ledger.names.quantities(Resources.parse(resources));
  }

  #account(role: string): Account {
    let account = this.#roles.get(role);
    if (account === undefined) this.#roles.set(role, (account = new Account(role, this.#ledger.names)));
    return account;
  }

  #setRoles(): void {
    const quotas = Object.entries(this.#scenario.roles).filter(
      ([, { guarantees, limits }]) => guarantees !== undefined || limits !== undefined,
    );
    if (quotas.length === 0) return;
    this.#cluster.setQuotas(
      Object.fromEntries(quotas.map(([role, { guarantees, limits }]) => [role, { guarantees, limits }])),
    );
  }

  #sample(time: number): void {
    const frameworks = this.#frameworks.map((framework) => ({
      account: framework.account,
      role: framework.roles[0] ?? '*',
    }));
    const weightOf = (role: string): number => this.#weights.get(role) ?? 1;
    this.#samples.push(takeSample(time, { ledger: this.#ledger, roles: this.#roles, frameworks, weightOf }));
    this.#options.onProgress?.({ time, duration: this.#scenario.duration });
  }

  async #result(): Promise<LabResult> {
    const { name, roles, duration } = this.#scenario;
    const { allocator, sorter, seed } = this.#options;
    const end = this.#start + duration;
    const metrics = await this.#cluster.metrics();
    return {
      scenario: name,
      allocator,
      sorter: sorter ?? (/^hierarchical(DRF)?$/i.test(allocator) ? 'drf' : 'its own'),
      seed,
      duration,
      samples: this.#samples,
      frameworks: this.#frameworks.map((framework) => framework.result(end)),
      roles: [...this.#roles.keys()].map((role) => ({ name: role, weight: roles[role]?.weight ?? 1 })),
      events: this.#events,
      // 0 for an allocator that does not count.
      allocationRuns: metrics.get('allocator/mesos/allocation_runs') ?? 0,
      refusedAllocations: metrics.get('master/invalid_allocations') ?? 0,
    };
  }
}

/** What somebody made himself is the first to be suspected. */
function modulesOf({ allocator, sorter }: Chosen): string {
  const suspects = [
    ...(isModule(allocator) ? [`allocator '${allocator}'`] : []),
    ...(sorter !== undefined && isModule(sorter) ? [`sorter '${sorter}'`] : []),
  ];
  return suspects.length === 0 ? '' : ` with ${suspects.join(' and ')}`;
}

function roundTripOf({ latency }: Scenario): number {
  return typeof latency === 'number' ? 2 * latency : latency[0] + latency[1];
}

function describe({ add, lose, back, quotas, weights }: ScenarioEvent): string {
  if (add !== undefined) return `${add.count} agents of ${add.name} added`;
  if (lose !== undefined) return `${lose.count === undefined ? '' : `${lose.count} of `}${lose.agents} lost`;
  if (back !== undefined) return `${back.count === undefined ? '' : `${back.count} of `}${back.agents} back`;
  if (weights !== undefined) {
    return `weights: ${Object.entries(weights)
      .map(([role, weight]) => `${role} ${weight}`)
      .join(', ')}`;
  }
  return Object.entries(quotas ?? {})
    .map(([role, { guarantees, limits }]) => {
      const parts = [
        ...(guarantees === undefined ? [] : [`guarantees ${guarantees || 'none'}`]),
        ...(limits === undefined ? [] : [`limits ${limits || 'none'}`]),
      ];
      return `quota of ${role}: ${parts.join(', ')}`;
    })
    .join('; ');
}
