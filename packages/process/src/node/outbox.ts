import type { PID } from '../pid.ts';
import { Ring } from '../ring.ts';
import { type Envelope, kind, type MessagesEnvelope, weightOf, withBodies } from './envelope.ts';

interface Unacknowledged {
  readonly sequence: number;
  /** As it was sent: what the sender changes later must not show in what is sent again. */
  readonly frame: Uint8Array;
  /** Of the last part of a chunked message: the message, should it have to be given up. */
  readonly whole: Envelope | undefined;
}

/** What leaves as one frame. */
export interface Batch {
  readonly envelopes: readonly Envelope[];
  readonly whole: Envelope | undefined;
}

/** Bytes that may be on their way unacknowledged; more waits here (the credit window). */
const window = 8 * 1024 * 1024;
/** Messages that may wait for credit; then `send` refuses, so that a slow peer is felt and not swallowed. */
const waitingLimit = 65_536;
/** Messages in one batch at most. */
const batchLimit = 256;
/** Bytes a batch should not exceed by much: larger ones gain nothing and delay what comes behind them. */
const batchBytes = 64 * 1024;

/** One direction of a session: what waits to be sent, and what was sent and not acknowledged yet. */
export class Outbox {
  readonly #waiting = new Ring<Envelope>(4);
  readonly #unacknowledged = new Ring<Unacknowledged>(4);
  /** Batches that were taken and have to be sent in another form, the next one last. */
  readonly #parts: Batch[] = [];
  /** The last envelope that waits, if further messages can join it. */
  #open: MessagesEnvelope | undefined;
  #messages = 0;
  #bytes = 0;
  #sent = 0;
  /** Bytes of an average message lately. */
  #size = 64;

  /** Sequence number of the last batch sent. */
  get sent(): number {
    return this.#sent;
  }
  get hasWaiting(): boolean {
    return this.#waiting.size > 0 || this.#parts.length > 0;
  }
  get hasUnacknowledged(): boolean {
    return this.#unacknowledged.size > 0;
  }
  /** False when a further message should be refused. */
  get hasRoom(): boolean {
    return this.#messages < waitingLimit;
  }
  get hasCredit(): boolean {
    return this.#bytes < window;
  }

  push(envelope: Envelope): void {
    this.#messages += weightOf(envelope);
    this.#open = undefined;
    this.#waiting.push(envelope);
  }

  pushMessage(to: PID, from: PID, name: string, body: unknown): void {
    this.#messages++;
    const open = this.#open;
    if (
      open !== undefined &&
      open[6] === name &&
      open[1] === to.id &&
      open[2] === to.generation &&
      open[3] === to.incarnation &&
      open[4] === from.id &&
      open[5] === from.generation
    ) {
      open[7].push(body);
      return;
    }
    this.#open = [kind.messages, to.id, to.generation, to.incarnation, from.id, from.generation, name, [body]];
    this.#waiting.push(this.#open);
  }

  /** What should leave next as one frame. */
  take(): Batch | undefined {
    const part = this.#parts.pop();
    if (part !== undefined) return part;
    let room = Math.min(batchLimit, Math.max(1, Math.floor(batchBytes / this.#size)));
    const envelopes: Envelope[] = [];
    while (room > 0) {
      const next = this.#waiting.peek();
      if (next === undefined) break;
      if (next[0] === kind.messages && next[7].length > room) {
        envelopes.push(withBodies(next, next[7].splice(0, room)));
        this.#messages -= room;
        break;
      }
      this.#waiting.shift();
      if (next === this.#open) this.#open = undefined;
      room -= weightOf(next);
      this.#messages -= weightOf(next);
      envelopes.push(next);
    }
    return envelopes.length === 0 ? undefined : { envelopes, whole: undefined };
  }

  /** Gives back what was taken, in smaller parts; they leave before anything else. */
  divide(parts: readonly Batch[]): void {
    for (let index = parts.length - 1; index >= 0; index--) {
      const part = parts[index];
      if (part !== undefined) this.#parts.push(part);
    }
  }

  /** Keeps a batch that leaves under the next number until the peer has acknowledged it. */
  keep(frame: Uint8Array, batch: Batch): void {
    this.#unacknowledged.push({ sequence: ++this.#sent, frame, whole: batch.whole });
    this.#bytes += frame.length;
    let messages = 0;
    for (const envelope of batch.envelopes) messages += weightOf(envelope);
    this.#size += (frame.length / messages - this.#size) / 4;
  }

  acknowledge(received: number): void {
    for (;;) {
      const first = this.#unacknowledged.peek();
      if (first === undefined || first.sequence > received) return;
      this.#unacknowledged.shift();
      this.#bytes -= first.frame.length;
    }
  }

  /** What the peer has not acknowledged, oldest first. */
  unacknowledged(): Iterable<Unacknowledged> {
    return this.#unacknowledged;
  }

  /** What was never sent, oldest first. */
  *waiting(): Generator<Envelope> {
    for (const { envelopes, whole } of this.#parts.toReversed()) {
      if (whole !== undefined) yield whole;
      yield* envelopes;
    }
    yield* this.#waiting;
  }
}
