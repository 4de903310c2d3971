import { type ExitReason, type Message, type PID, Process, type Timer } from '@mezzo/process';
import {
  type AgentEffect,
  type AgentEvent,
  type AgentID,
  agentLifecycle,
  agentMessages,
  type AgentState,
  compareTerms,
  Detect,
  Detected,
  type FrameworkID,
  type Leader,
  type TaskID,
  type Term,
} from '@mezzo/protocol';
import { RegistrationBackoff } from './registration-backoff.ts';

const { AgentRegistered, AgentReregistered, Ping, Pong, UnregisterAgent } = agentMessages;

/**
 * Milliseconds that an agent waits for a ping at least, whatever the master says: with less it would register again
 * without end. Mesos's masters refuse an agent_ping_timeout below 1 s.
 */
const shortestPingTimeout = 1000;

export interface RegistrantOptions {
  /** Tells who leads. */
  readonly detector: PID;
  /** Milliseconds. */
  readonly registrationBackoffFactor: number;
  /** What a master called the agent that was here before. */
  readonly agentId: AgentID | undefined;
  /** The newest reign that the agent before heard of. */
  readonly term: Term | undefined;
}

/**
 * The half of an agent that keeps it registered: it follows the leading master, registers with it and again whenever the
 * master may have lost it (a new leader, a broken link, no ping for too long, a ping that says so), answers pings, and
 * lets nothing through that a former leader says. When it does what is in its lifecycle (`agentLifecycle`).
 */
export abstract class Registrant extends Process {
  readonly #detector: PID;
  readonly #backoff: RegistrationBackoff;
  #state: AgentState = agentLifecycle.initial;
  #agentId: AgentID | undefined;
  #leader: Leader | undefined;
  #master: PID | undefined;
  #term: Term | undefined;
  #attempt: Timer | undefined;
  #pingTimer: Timer | undefined;
  #totalPingTimeout = 0;

  constructor(options: RegistrantOptions) {
    super('agent');
    this.#detector = options.detector;
    this.#backoff = new RegistrationBackoff(options.registrationBackoffFactor);
    this.#agentId = options.agentId;
    this.#term = options.term;
    this.install(Detected, ({ leader }) => this.#detected(leader));
    this.installOfLeader(AgentRegistered, ({ agentId, totalPingTimeout }) =>
      this.#registered(agentId, totalPingTimeout),
    );
    this.installOfLeader(AgentReregistered, ({ agentId, totalPingTimeout, reconcile }) => {
      if (this.#registered(agentId, totalPingTimeout)) this.reconcile(reconcile);
    });
    this.install(Ping, ({ connected, term }, master) => {
      // It does not know yet who leads; a master that hears nothing would give it up.
      if (this.#state === 'recovering') this.#pong(master, term);
      else if (this.#isLeader(master, term, Ping.name)) this.#pinged(connected, master);
    });
  }

  /** Asks the master for an id. */
  protected abstract register(master: PID): void;
  /** Tells the master what runs here. */
  protected abstract reregister(master: PID, agentId: AgentID): void;
  /** Tasks that the master believes here and that were not in the last `reregister`. */
  protected abstract reconcile(tasks: readonly { readonly frameworkId: FrameworkID; readonly taskId: TaskID }[]): void;
  /** The master takes status updates from now on. */
  protected abstract resumeUpdates(): void;
  /** There is no master that takes them. */
  protected abstract pauseUpdates(): void;
  /** A master has given this agent its name. */
  protected abstract named(agentId: AgentID): void;
  /** There is a newer reign than there was. */
  protected abstract reignBegan(): void;
  /** The master has another idea of who this agent is: it must not go on. */
  protected abstract repudiated(message: string): void;

  protected get state(): AgentState {
    return this.#state;
  }

  /** What the master calls this agent, once it has registered. */
  protected get agentId(): AgentID | undefined {
    return this.#agentId;
  }

  /** The master with which this agent is registered now. */
  protected get master(): PID | undefined {
    return this.#state === 'running' ? this.#master : undefined;
  }

  /** The newest reign that this agent has heard of. */
  protected get term(): Term | undefined {
    return this.#term;
  }

  protected get leader(): Leader | undefined {
    return this.#leader;
  }

  /** Recovered: from now on it looks for a master. */
  protected startRegistering(): void {
    this.#step('RECOVERED');
  }

  /** No registration from now on. */
  protected stopRegistering(): void {
    this.#step('SHUTDOWN');
  }

  /** This agent will not come back under its id. */
  protected unregister(): void {
    if (this.#master !== undefined && this.#agentId !== undefined) {
      this.send(this.#master, UnregisterAgent, { agentId: this.#agentId });
    }
  }

  /** Handles messages of one kind if the leading master sent them in its present reign. */
  protected installOfLeader<T extends { readonly term: Term }>(
    kind: Message<T>,
    handler: (body: T, master: PID) => void,
  ): void {
    this.install(kind, (body, from) => {
      if (this.#isLeader(from, body.term, kind.name)) handler(body, from);
    });
  }

  protected override exited(pid: PID, _reason: ExitReason): void {
    if (this.#master === undefined || !pid.equals(this.#master)) return;
    if (this.#step('LINK_BROKEN'))
      this.runtime.log.warn({ master: pid.toString() }, 'The master is gone or cannot be reached; registering again');
  }

  #detected(leader: Leader | undefined): void {
    const followed = leader === undefined || this.#isOld(leader.term) ? undefined : leader;
    const event = followed === undefined ? 'LEADER_LOST' : 'LEADER_FOUND';
    // An agent that ends takes leave of the master it had.
    if (agentLifecycle.next(this.#state, event) === undefined) return;
    this.#leader = leader;
    this.#master = followed && this.runtime.pid(followed.address);
    if (followed !== undefined) this.#hear(followed.term);
    this.#step(event);
  }

  #isLeader(from: PID, term: Term, kind: string): boolean {
    if (this.#state === 'terminating') return false;
    if (this.#master === undefined || !from.equals(this.#master) || this.#isOld(term)) {
      this.runtime.log.warn(
        { from: from.address, kind, term },
        'Ignored a message: its sender is not the leading master',
      );
      return false;
    }
    this.#hear(term);
    return true;
  }

  #hear(term: Term): void {
    const isNewer = this.#term === undefined || compareTerms(term, this.#term) > 0;
    this.#term = term;
    if (isNewer) this.reignBegan();
  }

  #isOld(term: Term): boolean {
    return this.#term !== undefined && compareTerms(term, this.#term) < 0;
  }

  #registered(agentId: AgentID, totalPingTimeout: number): boolean {
    if (this.#agentId !== undefined && this.#agentId !== agentId) {
      this.repudiated(`The master registered agent ${this.#agentId} under another id, ${agentId}`);
      return false;
    }
    const isNew = this.#agentId === undefined;
    this.#agentId = agentId;
    if (isNew) this.named(agentId);
    this.#totalPingTimeout = Math.max(totalPingTimeout, shortestPingTimeout);
    return this.#step('REGISTERED');
  }

  #pong(master: PID, term: Term): void {
    if (this.#agentId !== undefined && !this.#isOld(term)) this.send(master, Pong, { agentId: this.#agentId });
  }

  #pinged(connected: boolean, master: PID): void {
    if (this.#agentId !== undefined) this.send(master, Pong, { agentId: this.#agentId });
    this.#step(connected ? 'CONNECTED_PING' : 'DISCONNECTED_PING');
  }

  /** False if the agent does not take the event in its state. */
  #step(event: AgentEvent): boolean {
    const transition = agentLifecycle.next(this.#state, event);
    if (transition === undefined) return false;
    this.#state = transition.state;
    for (const effect of transition.effects) this.#carryOut(effect);
    return true;
  }

  #carryOut(effect: AgentEffect): void {
    switch (effect) {
      case 'detectLeader':
        this.send(this.#detector, Detect, { previous: this.#leader });
        return;
      case 'startAttempts':
        this.#backoff.reset();
        return this.#attemptLater();
      case 'stopAttempts':
        this.#attempt?.cancel();
        return;
      case 'awaitPing':
        return this.#awaitPing();
      case 'stopAwaitingPing':
        this.#pingTimer?.cancel();
        return;
      case 'resumeUpdates':
        this.runtime.log.info({ agentId: this.#agentId, master: this.#master?.toString() }, 'Registered');
        return this.resumeUpdates();
      case 'pauseUpdates':
        return this.pauseUpdates();
    }
  }

  #attemptLater(): void {
    this.#attempt = this.delay(this.#backoff.next(this.random), () => {
      const master = this.#master;
      if (master === undefined) return;
      this.link(master);
      if (this.#agentId === undefined) this.register(master);
      else this.reregister(master, this.#agentId);
      this.#attemptLater();
    });
  }

  #awaitPing(): void {
    this.#pingTimer?.cancel();
    this.#pingTimer = this.delay(this.#totalPingTimeout, () => {
      this.runtime.log.warn({ totalPingTimeout: this.#totalPingTimeout }, 'No ping from the master; registering again');
      this.#step('PING_TIMEOUT');
    });
  }
}
