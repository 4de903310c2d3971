import type { Counter, Metrics } from '@mezzo/process';
import {
  isTerminal,
  type OperationState,
  type Resources,
  TERMINAL_TASK_STATES,
  LIVE_TASK_STATES,
  type TaskState,
  type TaskStatus,
} from '@mezzo/protocol';
import type { MasterContext } from './master-context.ts';

type Cluster = Pick<MasterContext, 'frameworks' | 'agents' | 'unreachableAgents' | 'offers'>;

/** The master's metrics, under Mesos's names. */
export class MasterMetrics {
  readonly droppedMessages: Counter;
  readonly validStatusUpdates: Counter;
  readonly invalidStatusUpdates: Counter;
  readonly validAcknowledgements: Counter;
  readonly invalidAcknowledgements: Counter;
  readonly agentRegistrations: Counter;
  readonly agentReregistrations: Counter;
  readonly agentRemovals: Counter;
  readonly agentUnreachable: Counter;
  readonly offersSent: Counter;
  readonly offersAccepted: Counter;
  readonly offersDeclined: Counter;
  readonly offersRescinded: Counter;
  /** What an allocator gave and never should have. */
  readonly invalidAllocations: Counter;
  /** What it gave to whom or of what was no longer there. */
  readonly staleAllocations: Counter;
  readonly #metrics: Metrics;
  readonly #counters = new Map<string, Counter>();
  readonly #names: string[] = [];

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
    this.droppedMessages = this.counter('dropped_messages');
    this.validStatusUpdates = this.counter('valid_status_updates');
    this.invalidStatusUpdates = this.counter('invalid_status_updates');
    this.validAcknowledgements = this.counter('valid_status_update_acknowledgements');
    this.invalidAcknowledgements = this.counter('invalid_status_update_acknowledgements');
    this.agentRegistrations = this.counter('slave_registrations');
    this.agentReregistrations = this.counter('slave_reregistrations');
    this.agentRemovals = this.counter('slave_removals');
    this.agentUnreachable = this.counter('slave_unreachable_completed');
    this.offersSent = this.counter('offers_sent');
    this.offersAccepted = this.counter('offers_accepted');
    this.offersDeclined = this.counter('offers_declined');
    this.offersRescinded = this.counter('offers_rescinded');
    this.invalidAllocations = this.counter('invalid_allocations');
    this.staleAllocations = this.counter('stale_allocations');
    for (const state of TERMINAL_TASK_STATES) this.counter(state.toLowerCase().replace('task_', 'tasks_'));
  }

  /** The counter `master/<name>`, made at first use. */
  counter(name: string): Counter {
    const known = this.#counters.get(name);
    if (known !== undefined) return known;
    const counter = this.#metrics.counter(this.#name(name));
    this.#counters.set(name, counter);
    return counter;
  }

  /** The counter `frameworks/<principal>/messages_<what>`, made at first use. */
  ofPrincipal(principal: string, what: 'received' | 'processed'): Counter {
    const name = `frameworks/${encodeURIComponent(principal)}/messages_${what}`;
    const known = this.#counters.get(name);
    if (known !== undefined) return known;
    const counter = this.#metrics.counter(name);
    this.#names.push(name);
    this.#counters.set(name, counter);
    return counter;
  }

  operationEnded(type: string, state: OperationState): void {
    const ending = state.toLowerCase().replace('operation_', '');
    this.counter(`operations/${type.toLowerCase()}/${ending}`).increment();
    this.counter(`operations/${ending}`).increment();
  }

  taskEnded(state: TaskState, { source, reason }: TaskStatus): void {
    if (!isTerminal(state)) return;
    this.counter(state.toLowerCase().replace('task_', 'tasks_')).increment();
    if (reason === undefined || reason === '') return;
    const names = [state, source, reason].map((name) => name.toLowerCase().replace('source_agent', 'source_slave'));
    // The reason comes from agents; whatever else it holds, it must not make up names.
    if (/^reason_[a-z_]{1,64}$/.test(names[2] ?? '')) this.counter(names.join('/')).increment();
  }

  /** Gauges that look at the master's state when they are read. */
  watch({ frameworks, agents, unreachableAgents, offers }: Cluster, uptimeSeconds: () => number): void {
    const gauge = (name: string, read: () => number): void => void this.#metrics.pullGauge(this.#name(name), read);
    gauge('elected', () => 1);
    gauge('uptime_secs', uptimeSeconds);
    gauge('outstanding_offers', () => offers.size);
    const count = <T>(items: Iterable<T>, holds: (item: T) => boolean): number => [...items].filter(holds).length;
    gauge('frameworks_connected', () => count(frameworks.values(), (framework) => framework.isConnected));
    gauge('frameworks_disconnected', () => count(frameworks.values(), (framework) => !framework.isConnected));
    gauge('frameworks_active', () => count(frameworks.values(), (framework) => framework.isActive));
    gauge('frameworks_inactive', () => count(frameworks.values(), (framework) => !framework.isActive));
    gauge('slaves_connected', () => count(agents.values(), (agent) => agent.isConnected));
    gauge('slaves_disconnected', () => count(agents.values(), (agent) => !agent.isConnected));
    gauge('slaves_active', () => count(agents.values(), (agent) => agent.isConnected));
    gauge('slaves_inactive', () => count(agents.values(), (agent) => !agent.isConnected));
    gauge('slaves_unreachable', () => unreachableAgents.size);
    for (const state of LIVE_TASK_STATES) {
      gauge(state.toLowerCase().replace('task_', 'tasks_'), () => {
        let sum = 0;
        for (const { tasks } of frameworks.values()) sum += count(tasks.values(), (task) => task.state === state);
        return sum;
      });
    }
    gauge('tasks_unreachable', () => {
      let sum = 0;
      for (const framework of frameworks.values()) {
        sum += count(framework.unreachableTasks.values(), (task) => task.state === 'TASK_UNREACHABLE');
      }
      return sum;
    });
    const sum = (name: string, of: (agent: { total: Resources; used: Resources }) => Resources): number => {
      let amount = 0;
      for (const agent of agents.values()) amount += of(agent).scalar(name);
      return amount;
    };
    for (const name of ['cpus', 'mem', 'disk', 'gpus']) {
      const total = (): number => sum(name, (agent) => agent.total);
      const used = (): number => sum(name, (agent) => agent.used);
      gauge(`${name}_total`, total);
      gauge(`${name}_used`, used);
      gauge(`${name}_percent`, () => (total() === 0 ? 0 : used() / total()));
    }
  }

  /** Frees the names, for the master that comes after. */
  remove(): void {
    for (const name of this.#names) this.#metrics.remove(name);
  }

  #name(name: string): string {
    this.#names.push(`master/${name}`);
    return `master/${name}`;
  }
}
