import { message, type PID, Process } from '@mezzo/process';
import Type from 'typebox';
import { type Leader, leaderSchema } from '../messages/leader.ts';
import { compareTerms, type Term } from '../messages/model.ts';
import { wire } from '../messages/wire.ts';

/** Asks who leads. The answer comes as soon as that is somebody else than `previous`, and once only. */
export const Detect = message('detector.detect', wire(Type.Object({ previous: Type.Optional(leaderSchema) })));

/** The answer to Detect. Without a leader: the one that led is gone and no other is known yet. */
export const Detected = message('detector.detected', wire(Type.Object({ leader: Type.Optional(leaderSchema) })));

interface Waiting {
  readonly from: PID;
  readonly previous: Leader | undefined;
}

/**
 * Tells agents, schedulers and pages who leads, wherever it learns that from. It follows the newest term it has heard of. An
 * older one it never follows, not even while the newest leader is gone: a master that stood still and was replaced meanwhile
 * still takes itself for the leader as it wakes.
 */
export abstract class Detector extends Process {
  /** By the address of whoever asked. */
  readonly #waiting = new Map<string, Waiting>();
  #leader: Leader | undefined;
  #newest: Term | undefined;

  constructor(id: string) {
    super(id);
    this.install(Detect, ({ previous }, from) => {
      // Those that waited before have heard all there is to say.
      this.#answer({ from, previous });
      this.sought();
    });
  }

  /** Somebody wants to know. */
  protected abstract sought(): void;

  protected get leader(): Leader | undefined {
    return this.#leader;
  }

  /** True if this is news: a leader that is not followed yet, and not of an older term. */
  protected follow(leader: Leader): boolean {
    if (this.#newest !== undefined && compareTerms(leader.term, this.#newest) < 0) return false;
    this.#newest = leader.term;
    if (isSame(this.#leader, leader)) return false;
    this.#become(leader);
    return true;
  }

  /** The leader is gone, or cannot be known any more. */
  protected lose(): void {
    this.#become(undefined);
  }

  #become(leader: Leader | undefined): void {
    this.#leader = leader;
    for (const waiting of this.#waiting.values()) this.#answer(waiting);
  }

  #answer(waiting: Waiting): void {
    const { from, previous } = waiting;
    if (isSame(previous, this.#leader)) return void this.#waiting.set(from.address, waiting);
    this.#waiting.delete(from.address);
    this.send(from, Detected, { leader: this.#leader });
  }
}

/** The same master in the same reign. */
function isSame(a: Leader | undefined, b: Leader | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.address === b.address && compareTerms(a.term, b.term) === 0;
}
