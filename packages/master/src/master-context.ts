import type { Future, Logger, Message, PID, Timer, Unwrapped } from '@mezzo/process';
import type { AgentID, FrameworkID, MasterID, OfferID, Term } from '@mezzo/protocol';
import type { Agent } from './agents/agent.ts';
import type { Removals } from './agents/removals.ts';
import type { AllocatorClient } from './allocator-client.ts';
import type { Framework } from './frameworks/framework.ts';
import type { History } from './history.ts';
import type { MasterMetrics } from './master-metrics.ts';
import type { MasterOffer } from './offers/master-offer.ts';
import type { ResolvedOptions } from './options.ts';
import type { RegistryClient } from './registrar/index.ts';

/** What the parts of the master share: its state, and the process's ways to the outside. */
export interface MasterContext {
  readonly id: MasterID;
  readonly term: Term;
  readonly options: ResolvedOptions;
  /** All but the completed ones. */
  readonly frameworks: Map<FrameworkID, Framework>;
  readonly completedFrameworks: History<FrameworkID, Framework>;
  /** Registered ones, connected or not. */
  readonly agents: Map<AgentID, Agent>;
  readonly unreachableAgents: Map<AgentID, Agent>;
  /** Admitted before this master led, and not back yet. */
  readonly recoveredAgents: Map<AgentID, Agent>;
  /** Marked gone by an operator: they may not come back. */
  readonly goneAgents: ReadonlyMap<AgentID, unknown>;
  readonly registry: RegistryClient;
  readonly removals: Removals;
  /** The address of no process. */
  readonly nobody: PID;
  /** Whoever is now at this address: perhaps the same, started again. */
  readonly successor: (pid: PID) => PID;
  readonly offers: Map<OfferID, MasterOffer>;
  readonly allocator: AllocatorClient;
  readonly metrics: MasterMetrics;
  readonly log: Logger;
  /** Address of the HTTP server; empty without one. */
  readonly url: string;
  /** Milliseconds since the epoch. */
  now(): number;
  /** A random UUID. */
  uuid(): string;
  /** This master reigns no more, or cannot know: it ends at once. */
  lost(message: string): void;
  /** A task or an operation of the agent is over: it may have been the last. */
  relieved(agent: Agent): void;
  /** An agent's resources are others than was thought. */
  changed(agent: Agent): void;
  send<T>(to: PID, kind: Message<T>, body: T): void;
  link(to: PID): void;
  delay(milliseconds: number, call: () => void): Timer;
  /** `call` in a turn of the master. */
  deferred<A extends unknown[], R>(call: (...values: A) => R): (...values: A) => Future<Unwrapped<R>>;
}

/** To the framework's scheduler; false if none is connected. */
export function sendToFramework<T>(context: MasterContext, framework: Framework, kind: Message<T>, body: T): boolean {
  if (framework.pid === undefined) return false;
  context.send(framework.pid, kind, body);
  return true;
}

/** To the agent; false if it is not connected. */
export function sendToAgent<T>(context: MasterContext, agent: Agent | undefined, kind: Message<T>, body: T): boolean {
  if (agent === undefined || !agent.isConnected) return false;
  context.send(agent.pid, kind, body);
  return true;
}
