import {
  type Duration,
  type ExitReason,
  type Message,
  type PID,
  Process,
  type Timer,
  toMilliseconds,
} from '@mezzo/process';
import {
  compareTerms,
  Detect,
  Detected,
  type FrameworkID,
  type FrameworkInfo,
  type Leader,
  schedulerMessages,
  type Term,
} from '@mezzo/protocol';
import { Backoff } from '../backoff.ts';
import { isSameProcess } from '../same-process.ts';
import type { Subscription } from './scheduler.ts';

const { FrameworkError, Subscribe, Subscribed } = schedulerMessages;

export interface MasterConnectionOptions {
  readonly id: string;
  /** Answers `Detect`. */
  readonly detector: PID;
  readonly registrationBackoffFactor?: Duration;
  readonly registrationRetryIntervalMax?: Duration;
}

/**
 * Keeps a framework subscribed to the leading master, whichever that is: with backoff, again under the same framework id
 * after every loss of the leader or of the session to it. Drops what comes from anybody else or from a leader of the past.
 */
export abstract class MasterConnection extends Process {
  readonly #detector: PID;
  readonly #options: MasterConnectionOptions;
  /** Roles that get no offers, said at every subscription. */
  protected readonly suppressed: Set<string>;
  #info: FrameworkInfo;
  #term: Term | undefined;
  #master: PID | undefined;
  #connected = false;
  #registration: Backoff | undefined;
  #attempt: Timer | undefined;

  constructor(options: MasterConnectionOptions, info: FrameworkInfo, suppressed: readonly string[]) {
    super(options.id);
    this.#options = options;
    this.#detector = options.detector;
    this.#info = info;
    this.suppressed = new Set(suppressed);
  }

  /** Right after a subscription was answered, also when the framework is known from before. */
  protected abstract subscribed(subscription: Subscription): void;
  /** The connection is gone; another one is sought already. */
  protected abstract lost(): void;
  /** The master wants nothing to do with the framework: this ends after it. */
  protected abstract refused(message: string): void;

  get frameworkId(): FrameworkID | undefined {
    return this.#info.id;
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** What the framework is from the next subscription on. */
  protected get info(): FrameworkInfo {
    return this.#info;
  }

  protected set info(info: FrameworkInfo) {
    this.#info = info;
  }

  /** The leader, while the framework is subscribed to it. */
  protected get master(): PID | undefined {
    return this.#connected ? this.#master : undefined;
  }

  /** False without a connection: then nothing is sent. */
  protected call<T extends { readonly frameworkId: FrameworkID }>(
    kind: Message<T>,
    body: Omit<T, 'frameworkId'>,
  ): boolean {
    const { id } = this.#info;
    if (this.master === undefined || id === undefined) return false;
    // Together they are a whole body; a message without one is another overload.
    const whole = { ...body, frameworkId: id } as T;
    return this.send(this.master, kind, ...([whole] as [T] extends [void] ? [] : [T]));
  }

  /** Handles what the leader says while the framework is subscribed to it. */
  protected hear<T extends { readonly term: Term }>(kind: Message<T>, handler: (body: T) => void): void {
    this.install(kind, (body, from) => {
      if (this.#connected && this.#isLeader(body.term, from)) handler(body);
    });
  }

  protected override initialize(): void {
    const { registrationBackoffFactor = '2secs', registrationRetryIntervalMax = '1mins' } = this.#options;
    const longest = toMilliseconds(registrationRetryIntervalMax);
    this.#registration = new Backoff(this.random, toMilliseconds(registrationBackoffFactor), longest);
    this.install(Detected, ({ leader }, from) => this.#detected(leader, from));
    this.install(Subscribed, ({ term, ...body }, from) => {
      if (!this.#connected && this.#isLeader(term, from)) this.#subscribed(body);
    });
    this.install(FrameworkError, ({ term, message }, from) => {
      if (this.#isLeader(term, from)) this.#refused(message);
    });
    this.link(this.#detector);
    this.send(this.#detector, Detect, {});
  }

  protected override exited(pid: PID, reason: ExitReason): void {
    if (isSameProcess(pid, this.#detector)) {
      throw new Error(`The leader cannot be followed any more: detector ${pid.toString()} has ended (${reason.kind})`);
    }
    if (this.#master === undefined || !isSameProcess(pid, this.#master)) return;
    this.#disconnect();
    // The leader may be alive and only the session to it gone, so it is tried again until the detector knows better.
    this.#subscribeLater();
  }

  #detected(leader: Leader | undefined, from: PID): void {
    if (!isSameProcess(from, this.#detector)) return;
    this.send(this.#detector, Detect, leader === undefined ? {} : { previous: leader });
    if (leader !== undefined && this.#isPast(leader.term)) return;
    this.#disconnect();
    this.#registration?.reset();
    this.#master = leader === undefined ? undefined : this.runtime.pid(leader.address);
    if (leader !== undefined) this.#term = leader.term;
    this.#subscribe();
  }

  #subscribe(): void {
    if (this.#master === undefined) return;
    this.link(this.#master);
    this.send(this.#master, Subscribe, { framework: this.#info, suppressedRoles: [...this.suppressed] });
    this.#subscribeLater();
  }

  #subscribeLater(): void {
    this.#attempt?.cancel();
    this.#attempt = this.delay(this.#registration?.next() ?? 0, () => this.#subscribe());
  }

  #disconnect(): void {
    this.#attempt?.cancel();
    if (!this.#connected) return;
    this.#connected = false;
    this.lost();
  }

  #subscribed({ frameworkId, masterUrl }: { readonly frameworkId: FrameworkID; readonly masterUrl: string }): void {
    const again = this.#info.id !== undefined;
    this.#info = { ...this.#info, id: frameworkId };
    this.#connected = true;
    this.#attempt?.cancel();
    this.#registration?.reset();
    this.subscribed({ frameworkId, masterUrl, again });
  }

  #refused(message: string): void {
    this.#connected = false;
    this.#attempt?.cancel();
    this.refused(message);
    this.terminate();
  }

  /** Anybody on the network can send a message, but only the leader's count, and only those of its newest reign. */
  #isLeader(term: Term, from: PID): boolean {
    if (this.#master === undefined || !isSameProcess(from, this.#master) || this.#isPast(term)) return false;
    this.#term = term;
    return true;
  }

  #isPast(term: Term): boolean {
    return this.#term !== undefined && compareTerms(term, this.#term) < 0;
  }
}
