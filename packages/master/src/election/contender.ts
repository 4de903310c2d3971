import type { ExitReason, PID, Timer } from '@mezzo/process';
import { compareTerms, type Term } from '@mezzo/protocol';
import { Announcer } from './announcer.ts';
import { Deposed, Elected, Leads, Resigns } from './contender-messages.ts';

/** The time in which leadership is this contender's, as far as it can know. */
interface Reign {
  readonly term: Term;
  /** By its own clock; later it must take leadership for lost. */
  readonly until: number;
  readonly master: PID | undefined;
}

/**
 * A holder counts what keeps it in office as over a little earlier than others do: their clocks may run 1 % faster, and its
 * own 1 % slower.
 */
export const prudence = 0.98;

/**
 * What contenders have in common, whatever decides who leads: they tell their owner of each reign, announce the master that
 * the owner runs meanwhile, and end a reign by themselves when it was not confirmed in time. They end with their owner.
 */
export abstract class Contender extends Announcer {
  readonly #owner: PID;
  #reign: Reign | undefined;
  #expiry: Timer | undefined;

  /** @param owner hears Elected and Deposed, and says Leads */
  constructor(cluster: string, owner: PID) {
    super('contender', cluster);
    this.#owner = owner;
    this.install(Leads, ({ term, master }) => this.#leads(term, master));
    this.install(Resigns, ({ term, reason }) => {
      if (this.#reign === undefined || compareTerms(this.#reign.term, term) !== 0) return;
      this.resign();
      this.lose(reason);
    });
  }

  protected override initialize(): void {
    super.initialize();
    this.link(this.#owner);
  }

  protected override exited(pid: PID, reason: ExitReason): void {
    if (pid.equals(this.#owner)) this.terminate();
    else if (this.#reign?.master?.equals(pid) === true) {
      this.resign();
      this.lose(`the master has ended: ${reason.kind}`);
    }
  }

  protected override mayAnnounce(): boolean {
    return this.holds();
  }

  /** Of the reign that goes on. */
  protected get term(): Term | undefined {
    return this.#reign?.term;
  }

  /** Of that reign, once its owner has named it. */
  protected get master(): PID | undefined {
    return this.#reign?.master;
  }

  /** Gives leadership up while it still holds; the master ended by itself. */
  protected abstract resign(): void;

  /** A reign was not confirmed in time and is over. */
  protected abstract expired(): void;

  /** The owner named the master. */
  protected named(_master: PID): void {}

  /** Whether it leads. Whoever stood still finds out here that its time is over, before it does anything else. */
  protected holds(): boolean {
    if (this.#reign !== undefined && this.clock.now() >= this.#reign.until) {
      this.lose('its hold on leadership was not confirmed in time');
    }
    return this.#reign !== undefined;
  }

  /** The reign begins, or is confirmed. @param until the time of its own clock at which it ends unless confirmed again */
  protected reign(term: Term, until: number): void {
    const begins = this.#reign === undefined;
    this.#reign = { term, until, master: this.#reign?.master };
    this.#expireAt(until);
    if (!begins) return;
    this.runtime.log.info({ term }, 'Elected');
    this.send(this.#owner, Elected, { term });
  }

  protected lose(reason: string): void {
    if (this.#reign === undefined) return;
    const { term } = this.#reign;
    this.#reign = undefined;
    this.#expiry?.cancel();
    this.fallSilent();
    this.runtime.log.warn({ term, reason }, 'Deposed');
    this.send(this.#owner, Deposed, { term, reason });
  }

  #leads(term: Term, master: PID): void {
    if (!this.holds() || this.#reign === undefined || compareTerms(this.#reign.term, term) !== 0) return;
    this.#reign = { ...this.#reign, master };
    this.link(master);
    this.announce(master, term);
    this.named(master);
  }

  #expireAt(until: number): void {
    this.#expiry?.cancel();
    this.#expiry = this.delay(Math.max(until - this.clock.now(), 1), () => {
      // Timers may be a little early.
      if (this.holds()) this.#expireAt(until);
      else this.expired();
    });
  }
}
