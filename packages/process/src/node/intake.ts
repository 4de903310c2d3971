import type { Loop } from '../platform/platform.ts';
import { Ring } from '../ring.ts';

interface Arrival {
  readonly open: () => void;
  readonly since: number;
}

/** Messages that may be in mailboxes before further frames wait. */
const appetite = 1024;
/** Messages that may be opened for each slice of processes that never rest: a quarter of what a slice serves. */
const share = 256;

/**
 * What came from the wire waits here as it is until the processes have served what came before. Opened at once, a burst
 * of small messages would fill the mailboxes with hundreds of thousands of objects, and most of the time would go into
 * collecting them.
 */
export class Intake {
  readonly #queue: { readonly idle: boolean };
  readonly #loop: Loop;
  readonly #now: () => number;
  readonly #patience: number;
  readonly #waiting = new Ring<Arrival>(4);
  /** Messages that were opened since everything was served last, less the share of each slice since. */
  #opened = 0;
  #resuming = false;

  /** @param patience milliseconds after which a frame is opened all the same: heartbeats must not wait for busy processes */
  constructor(queue: { readonly idle: boolean }, loop: Loop, now: () => number, patience: number) {
    this.#queue = queue;
    this.#loop = loop;
    this.#now = now;
    this.#patience = patience;
  }

  take(open: () => void): void {
    if (this.#waiting.size === 0 && this.#hasRoom()) open();
    else this.#waiting.push({ open, since: this.#now() });
  }

  count(messages: number): void {
    this.#opened += messages;
  }

  /** At the end of each slice. Whether anything is left to serve is known right after it. */
  resume(): void {
    this.#opened = Math.max(0, this.#opened - share);
    if (this.#waiting.size === 0 || this.#resuming) return;
    this.#resuming = true;
    this.#loop.microtask(this.#openWaiting);
  }

  clear(): void {
    while (this.#waiting.shift() !== undefined);
  }

  readonly #openWaiting = (): void => {
    this.#resuming = false;
    const now = this.#now();
    for (;;) {
      const first = this.#waiting.peek();
      if (first === undefined || !(this.#hasRoom() || now - first.since > this.#patience)) return;
      this.#waiting.shift();
      first.open();
    }
  };

  #hasRoom(): boolean {
    if (this.#queue.idle) this.#opened = 0;
    return this.#opened < appetite;
  }
}
