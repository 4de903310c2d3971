import { Ring } from '../ring.ts';

interface Unacknowledged {
  readonly sequence: number;
  /** As it was sent: what the sender changes later must not show in what is sent again. */
  readonly frame: Uint8Array;
}

/** Bytes that may be on their way unacknowledged; more waits here (the credit window). */
const window = 8 * 1024 * 1024;
/** Messages that may wait for credit; then `send` refuses, so that a slow peer is felt and not swallowed. */
const waitingLimit = 65_536;

/** One direction of a session: what waits to be sent, and what was sent and not acknowledged yet. */
export class Outbox {
  readonly #waiting = new Ring<unknown>(16);
  readonly #unacknowledged = new Ring<Unacknowledged>(16);
  #bytes = 0;
  #sent = 0;

  /** Sequence number of the last batch sent. */
  get sent(): number {
    return this.#sent;
  }
  get hasWaiting(): boolean {
    return this.#waiting.size > 0;
  }
  get hasUnacknowledged(): boolean {
    return this.#unacknowledged.size > 0;
  }
  /** False when a further message should be refused. */
  get hasRoom(): boolean {
    return this.#waiting.size < waitingLimit;
  }
  get hasCredit(): boolean {
    return this.#bytes < window;
  }

  push(envelope: unknown): void {
    this.#waiting.push(envelope);
  }

  /** Up to `count` envelopes that wait. */
  take(count: number): unknown[] {
    const taken: unknown[] = [];
    while (taken.length < count && this.#waiting.size > 0) taken.push(this.#waiting.shift());
    return taken;
  }

  nextSequence(): number {
    return ++this.#sent;
  }

  /** Keeps a batch until the peer has acknowledged it. */
  keep(sequence: number, frame: Uint8Array): void {
    this.#unacknowledged.push({ sequence, frame });
    this.#bytes += frame.length;
  }

  acknowledge(received: number): void {
    for (let first = this.#first(); first !== undefined && first.sequence <= received; first = this.#first()) {
      this.#unacknowledged.shift();
      this.#bytes -= first.frame.length;
    }
  }

  /** What the peer has not acknowledged, oldest first. */
  unacknowledged(): Iterable<Unacknowledged> {
    return this.#unacknowledged;
  }

  /** What was never sent. */
  waiting(): Iterable<unknown> {
    return this.#waiting;
  }

  #first(): Unacknowledged | undefined {
    for (const batch of this.#unacknowledged) return batch;
    return undefined;
  }
}
