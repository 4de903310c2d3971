import { startAgent } from '@mezzo/agent';
import { startScheduler } from '@mezzo/frameworks';
import { type Master, startMaster } from '@mezzo/master';
import { dispatch, type LocalPID, type PID } from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';
import { AnnouncementDetector } from '@mezzo/protocol';
import type { AgentSpec } from '../scenario/agent-groups.ts';
import type { QuotaSpec } from '../scenario/events.ts';
import type { Scenario } from '../scenario/scenario.ts';
import type { LabFramework } from '../workload/lab-framework.ts';
import { sleepScript } from '../workload/sleep-command.ts';
import type { AllocatorOfMaster } from './allocator-choice.ts';

const cluster = 'lab';

export interface LabClusterOptions {
  readonly seed: number;
  readonly allocator: AllocatorOfMaster;
  readonly onError: (error: unknown, context: string) => void;
}

/** The shipping master, agents and drivers, each on a node of its own, under virtual time. */
export class LabCluster {
  readonly world: Simulation;
  readonly #nodes: { readonly freeze: false; readonly heartbeatInterval: number; readonly linkTimeout: number };
  readonly #scenario: Scenario;
  readonly #options: LabClusterOptions;
  #master: LocalPID<Master> | undefined;
  #detector: PID | undefined;

  constructor(scenario: Scenario, options: LabClusterOptions) {
    const { latency, pings } = scenario;
    this.#scenario = scenario;
    this.#options = options;
    // A constant latency keeps what happens together together: fewer moments, and a faster run.
    const delay = { delay: typeof latency === 'number' ? latency : 0 };
    this.world = new Simulation({
      seed: options.seed,
      script: sleepScript,
      onError: options.onError,
      ...(typeof latency === 'number' ? { fate: () => delay } : { latency }),
    });
    // Pings say that both sides live; heartbeats need not be more frequent. Nobody changes what was sent, so no freezing.
    const silence = pings.every * pings.misses;
    this.#nodes = {
      freeze: false,
      heartbeatInterval: pings.every * 2.5,
      linkTimeout: Math.max(silence, pings.every * 5),
    };
  }

  async startMaster(): Promise<void> {
    const { allocationInterval, minAllocatable, offerTimeout, pings, roles } = this.#scenario;
    const { allocator } = this.#options;
    const runtime = await this.world.start('master', this.#nodes);
    const started = startMaster(runtime, {
      cluster,
      ...allocator,
      allocationInterval,
      agentPingTimeout: pings.every,
      maxAgentPingTimeouts: pings.misses,
      weights: Object.fromEntries(Object.entries(roles).map(([role, { weight }]) => [role, weight])),
      // Nobody looks at what has been.
      maxCompletedFrameworks: 0,
      maxCompletedTasksPerFramework: 0,
      maxUnreachableTasksPerFramework: 0,
      ...(minAllocatable === undefined ? {} : { minAllocatableResources: minAllocatable }),
      ...(offerTimeout === undefined ? {} : { offerTimeout }),
    });
    this.#master = started.master;
    // One for all: announcements to ten thousand listeners would cost more than all the rest.
    this.#detector = runtime.spawn(new AnnouncementDetector({ cluster }));
  }

  async startAgent({ name, resources, attributes }: AgentSpec): Promise<void> {
    let starts = 0;
    const detector = this.#found;
    await this.world.start(nodeOf(name), {
      ...this.#nodes,
      boot: (runtime) =>
        void startAgent(runtime, {
          ...{ cluster, hostname: name, resources, attributes, detector },
          // What was on its disk is gone with it: one that comes back is another agent.
          workDirectory: `/work-${starts++}`,
          // Nobody looks at what has been.
          maxCompletedExecutorsPerFramework: 0,
          gcDelay: '1mins',
          diskWatchInterval: '365days',
        }),
    });
  }

  /** Its machine stops: nobody is told, its tasks are gone. */
  loseAgent(name: string): void {
    this.world.losePower(nodeOf(name));
  }

  async bringBackAgent(name: string): Promise<void> {
    await this.world.restart(nodeOf(name));
  }

  async startFramework(scheduler: LabFramework): Promise<void> {
    const { name, roles } = scheduler;
    const runtime = await this.world.start(`framework_${name}`, this.#nodes);
    // Not PARTITION_AWARE: tasks of a lost agent are lost, and come again.
    const capabilities = ['GPU_RESOURCES', ...(roles.length > 1 ? ['MULTI_ROLE'] : [])];
    startScheduler(runtime, {
      cluster,
      framework: { name, roles, capabilities },
      scheduler,
      detector: this.#found,
      // Updates are not lost in here, and asking for all of them every 15 minutes is work.
      reconciliationInterval: '365days',
    });
  }

  /** Also those that the cluster cannot keep, or not yet. */
  setQuotas(quotas: Readonly<Record<string, QuotaSpec>>): void {
    const given = Object.entries(quotas).map(([role, { guarantees = '', limits = '' }]) => {
      return [role, { ...(guarantees === '' ? {} : { guarantees }), ...(limits === '' ? {} : { limits }) }] as const;
    });
    this.#operate('quotas', (master) => master.operator.setQuotas(Object.fromEntries(given), { force: true }));
  }

  setWeights(weights: Readonly<Record<string, number>>): void {
    this.#operate('weights', (master) => master.operator.setWeights(weights));
  }

  #operate(what: string, act: (master: Master) => void): void {
    if (this.#master === undefined) throw new Error('The master is not started');
    dispatch(this.#master, act).onFailed((error) => this.#options.onError(error, `the master refused the ${what}`));
  }

  /** Of the master and its allocator, by name. */
  async metrics(): Promise<ReadonlyMap<string, number>> {
    const snapshot = this.world.runtime('master')?.metrics.snapshot();
    if (snapshot === undefined) return new Map();
    await this.world.advanceUntil(() => snapshot.isReady, '3secs');
    return snapshot;
  }

  get #found(): PID {
    if (this.#detector === undefined) throw new Error('The master is not started');
    return this.#detector;
  }
}

/** An agent's, so that no framework's is the same. */
function nodeOf(agent: string): string {
  return `agent_${agent}`;
}
