import type { BodyOf, Message } from '../message.ts';
import type { PID } from '../pid.ts';
import type { Random } from '../platform/platform.ts';
import { rendezvous, seedOf } from './rendezvous.ts';

/**
 * Who gets a message: each in turn, one by chance, or one and the same for all messages of a key, as long as that one is
 * there. When receivers come or go, only their own share of the keys moves.
 */
export type Choice<K extends Message<unknown>> =
  | 'round-robin'
  | 'random'
  | { readonly consistentHash: (body: BodyOf<K>, kind: K['name']) => string };

/** Somebody who can be chosen. */
export interface Candidate {
  readonly pid: PID;
  /** Of its lasting name, for hashing. */
  readonly seed: number;
}

/** @param name what stays the same when the candidate is restarted. */
export function candidate(name: string, pid: PID): Candidate {
  return { pid, seed: seedOf(name) };
}

/** Chooses receivers for messages of the given kinds. */
export class Chooser<K extends Message<unknown>> {
  readonly #choice: Choice<K>;
  readonly #random: Random;
  #turn = 0;

  constructor(choice: Choice<K>, random: Random) {
    this.#choice = choice;
    this.#random = random;
  }

  choose<C extends Candidate>(candidates: readonly C[], body: BodyOf<K>, kind: K['name']): C | undefined {
    switch (this.#choice) {
      case 'round-robin':
        this.#turn = (this.#turn + 1) % Math.max(1, candidates.length);
        return candidates[this.#turn];
      case 'random':
        return candidates[Math.floor(this.#random.next() * candidates.length)];
      default:
        return rendezvous(this.#choice.consistentHash(body, kind), candidates);
    }
  }
}
