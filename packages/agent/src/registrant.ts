import { type ExitReason, type Message, type PID, Process, type Timer } from '@mezzo/process';
import {
  agentMessages,
  type AgentID,
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

export type RegistrantState = 'recovering' | 'disconnected' | 'running' | 'terminating';

/**
 * The half of an agent that keeps it registered: it follows the leading master, registers with it and again whenever the
 * master may have lost it (a new leader, a broken link, no ping for too long, a ping that says so), answers pings, and
 * lets nothing through that a former leader says.
 */
export abstract class Registrant extends Process {
  readonly #detector: PID;
  readonly #backoff: RegistrationBackoff;
  #state: RegistrantState = 'recovering';
  #agentId: AgentID | undefined;
  #leader: Leader | undefined;
  #master: PID | undefined;
  #term: Term | undefined;
  #attempt: Timer | undefined;
  #pingTimer: Timer | undefined;
  #totalPingTimeout = 0;

  /** @param registrationBackoffFactor milliseconds */
  constructor(id: string, detector: PID, registrationBackoffFactor: number) {
    super(id);
    this.#detector = detector;
    this.#backoff = new RegistrationBackoff(registrationBackoffFactor);
    this.install(Detected, ({ leader }) => this.#detected(leader));
    this.installOfLeader(AgentRegistered, ({ agentId, totalPingTimeout }) =>
      this.#registered(agentId, totalPingTimeout),
    );
    this.installOfLeader(AgentReregistered, ({ agentId, totalPingTimeout, reconcile }) => {
      if (this.#registered(agentId, totalPingTimeout)) this.reconcile(reconcile);
    });
    this.installOfLeader(Ping, ({ connected }, master) => this.#pinged(connected, master));
  }

  /** Asks the master for an id. */
  protected abstract register(master: PID): void;
  /** Tells the master what runs here. */
  protected abstract reregister(master: PID, agentId: AgentID): void;
  /** Tasks that the master believes here and that were not in the last `reregister`. */
  protected abstract reconcile(tasks: readonly { readonly frameworkId: FrameworkID; readonly taskId: TaskID }[]): void;
  protected abstract connected(): void;
  protected abstract disconnected(): void;
  /** The master has another idea of who this agent is: it must not go on. */
  protected abstract repudiated(message: string): void;

  protected get state(): RegistrantState {
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

  protected get leader(): Leader | undefined {
    return this.#leader;
  }

  /** Recovered: from now on it looks for a master. */
  protected startRegistering(): void {
    this.#state = 'disconnected';
    this.#detect();
  }

  /** No registration from now on. */
  protected stopRegistering(): void {
    this.#state = 'terminating';
    this.#attempt?.cancel();
    this.#pingTimer?.cancel();
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
    if (this.#master === undefined || !pid.equals(this.#master) || this.#state !== 'running') return;
    this.runtime.log.warn({ master: pid.toString() }, 'The master is gone or cannot be reached; registering again');
    this.#startOver();
  }

  #detect(): void {
    this.send(this.#detector, Detect, { previous: this.#leader });
  }

  #detected(leader: Leader | undefined): void {
    if (this.#state === 'terminating') return;
    this.#leader = leader;
    this.#detect();
    const isOld = leader !== undefined && this.#term !== undefined && compareTerms(leader.term, this.#term) < 0;
    this.#master = leader === undefined || isOld ? undefined : this.runtime.pid(leader.address);
    if (leader !== undefined && !isOld) this.#term = leader.term;
    this.#startOver();
  }

  #isLeader(from: PID, term: Term, kind: string): boolean {
    if (this.#state === 'terminating') return false;
    const isOld = this.#term !== undefined && compareTerms(term, this.#term) < 0;
    if (this.#master === undefined || !from.equals(this.#master) || isOld) {
      this.runtime.log.warn(
        { from: from.address, kind, term },
        'Ignored a message: its sender is not the leading master',
      );
      return false;
    }
    this.#term = term;
    return true;
  }

  #startOver(): void {
    this.#attempt?.cancel();
    this.#pingTimer?.cancel();
    if (this.#state === 'running') {
      this.#state = 'disconnected';
      this.disconnected();
    }
    if (this.#master === undefined) return;
    this.#backoff.reset();
    this.#attemptLater(this.#master);
  }

  #attemptLater(master: PID): void {
    this.#attempt = this.delay(this.#backoff.next(this.random), () => {
      this.link(master);
      if (this.#agentId === undefined) this.register(master);
      else this.reregister(master, this.#agentId);
      this.#attemptLater(master);
    });
  }

  #registered(agentId: AgentID, totalPingTimeout: number): boolean {
    if (this.#agentId !== undefined && this.#agentId !== agentId) {
      this.repudiated(`The master registered agent ${this.#agentId} under another id, ${agentId}`);
      return false;
    }
    this.#totalPingTimeout = totalPingTimeout;
    this.#awaitPing();
    // A late answer to an earlier attempt changes nothing.
    if (this.#state === 'running') return true;
    this.#attempt?.cancel();
    this.#agentId = agentId;
    this.#state = 'running';
    this.runtime.log.info({ agentId, master: this.#master?.toString() }, 'Registered');
    this.connected();
    return true;
  }

  #pinged(connected: boolean, master: PID): void {
    if (this.#agentId !== undefined) this.send(master, Pong, { agentId: this.#agentId });
    if (this.#state !== 'running') return;
    if (connected) this.#awaitPing();
    else this.#startOver();
  }

  #awaitPing(): void {
    this.#pingTimer?.cancel();
    this.#pingTimer = this.delay(this.#totalPingTimeout, () => {
      this.runtime.log.warn({ totalPingTimeout: this.#totalPingTimeout }, 'No ping from the master; registering again');
      this.#startOver();
    });
  }
}
