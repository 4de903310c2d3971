import type { AgentID } from '@mezzo/protocol';
import { add, type Quantities, type ResourceNames, subtract } from './quantities.ts';

/** What a role or a framework has, and what it wants. */
export class Account {
  readonly name: string;
  readonly used: Quantities;
  readonly offered: Quantities;
  /** Tasks that run. */
  running = 0;
  /** Tasks that have arrived and neither run nor have ended. */
  waiting = 0;
  /** Those of them that are not launched. */
  queued = 0;

  constructor(name: string, names: ResourceNames) {
    this.name = name;
    this.used = names.zero();
    this.offered = names.zero();
  }
}

/** Resources of an agent that somebody has: on offer, or used by a task. */
export interface Holding {
  readonly kind: 'offered' | 'used';
  readonly agent: LedgerAgent;
  readonly role: Account;
  readonly framework: Account;
  readonly quantities: Quantities;
  /** For a task: its TASK_RUNNING was seen. */
  runs: boolean;
  /** False once it was given back, or went with its agent. */
  held: boolean;
}

export interface LedgerAgent {
  readonly name: string;
  readonly total: Quantities;
  readonly used: Quantities;
  readonly offered: Quantities;
  isPresent: boolean;
  readonly holdings: Set<Holding>;
  /** As what the master knows it, once an offer has told. */
  id: AgentID | undefined;
}

/**
 * Who has what of which agent, as schedulers see it: what a scheduler was offered or has launched counts from the moment it
 * hears of it, or does it, until it hears of its end. What goes down with an agent is gone at once.
 */
export class Ledger {
  readonly names: ResourceNames;
  readonly agents = new Map<string, LedgerAgent>();
  /** Of the agents that are there. */
  readonly total: Quantities;
  readonly used: Quantities;
  readonly offered: Quantities;
  /** The sum of what waiting tasks need, and their number. */
  readonly wanted: Quantities;
  queued = 0;
  /** Agents as the master knew them before they were lost. */
  readonly #lost = new Set<AgentID>();

  constructor(names: ResourceNames) {
    this.names = names;
    this.total = names.zero();
    this.used = names.zero();
    this.offered = names.zero();
    this.wanted = names.zero();
  }

  /** A new agent, or one that comes back. */
  enter(name: string, total: Quantities): void {
    let agent = this.agents.get(name);
    if (agent === undefined) {
      const { names } = this;
      const [used, offered] = [names.zero(), names.zero()];
      agent = { name, total, used, offered, isPresent: false, holdings: new Set(), id: undefined };
      this.agents.set(name, agent);
    }
    if (agent.isPresent) return;
    agent.isPresent = true;
    add(this.total, agent.total);
  }

  lose(name: string): void {
    const agent = this.agents.get(name);
    if (agent?.isPresent !== true) return;
    for (const holding of agent.holdings) this.release(holding);
    agent.isPresent = false;
    if (agent.id !== undefined) this.#lost.add(agent.id);
    agent.id = undefined;
    subtract(this.total, agent.total);
  }

  /** @returns undefined for an agent that is not there, or not any more */
  offer(
    agentName: string,
    id: AgentID,
    role: Account,
    framework: Account,
    quantities: Quantities,
  ): Holding | undefined {
    const agent = this.agents.get(agentName);
    if (agent?.isPresent !== true || this.#lost.has(id)) return undefined;
    agent.id = id;
    return this.#hold('offered', agent, role, framework, quantities);
  }

  /** A task is launched on what was offered. */
  use(offered: Holding, quantities: Quantities): Holding {
    return this.#hold('used', offered.agent, offered.role, offered.framework, quantities);
  }

  runs(task: Holding): void {
    if (!task.held || task.runs) return;
    task.runs = true;
    task.role.running++;
    task.framework.running++;
  }

  /** Giving back twice changes nothing. */
  release(holding: Holding): void {
    if (!holding.held) return;
    holding.held = false;
    const { kind, agent, role, framework, quantities } = holding;
    agent.holdings.delete(holding);
    subtract(agent[kind], quantities);
    subtract(role[kind], quantities);
    subtract(framework[kind], quantities);
    subtract(this[kind], quantities);
    if (!holding.runs) return;
    role.running--;
    framework.running--;
  }

  arrived(role: Account, framework: Account, needs: Quantities): void {
    this.#queue(role, framework, needs, 1);
    this.waits(role, framework, 1);
  }

  /** Launched, or not wanted any more. */
  left(role: Account, framework: Account, needs: Quantities): void {
    this.#queue(role, framework, needs, -1);
  }

  waits(role: Account, framework: Account, change: number): void {
    role.waiting += change;
    framework.waiting += change;
  }

  #queue(role: Account, framework: Account, needs: Quantities, change: 1 | -1): void {
    role.queued += change;
    framework.queued += change;
    this.queued += change;
    if (change === 1) add(this.wanted, needs);
    else subtract(this.wanted, needs);
  }

  #hold(
    kind: 'offered' | 'used',
    agent: LedgerAgent,
    role: Account,
    framework: Account,
    quantities: Quantities,
  ): Holding {
    const held = agent.isPresent;
    const holding: Holding = { kind, agent, role, framework, quantities, runs: false, held };
    if (!held) return holding;
    agent.holdings.add(holding);
    add(agent[kind], quantities);
    add(role[kind], quantities);
    add(framework[kind], quantities);
    add(this[kind], quantities);
    return holding;
  }
}
