import type { PID } from '../pid.ts';
import { Ring } from '../ring.ts';
import { bytesOf, type Envelope, kind, type MessagesEnvelope, runOf, weightOf } from './envelope.ts';

interface Unacknowledged {
  readonly sequence: number;
  /** As it was sent: what the sender changes later must not show in what is sent again. */
  readonly frame: Uint8Array;
  readonly messages: number;
  /** Of the last part of a chunked message: the message, should it have to be given up. */
  readonly whole: Envelope | undefined;
}

/** What leaves as one frame. */
export interface Batch {
  readonly envelopes: readonly Envelope[];
  readonly whole: Envelope | undefined;
}

/**
 * Bytes, and messages, that may be on their way unacknowledged; more waits here (the credit window). The bytes fill a long
 * line; the messages bound how much work a receiver has before it.
 */
const window = 8 * 1024 * 1024;
const windowMessages = 65_536;
/** Messages that may wait for credit; then `send` refuses, so that a slow peer is felt and not swallowed. */
const waitingLimit = 65_536;
/** Of what is never refused, answers and words about links, so much may wait: a peer that takes none of it is no peer. */
const endurance = 16 * waitingLimit;
/** Envelopes in one batch at most, and messages in one of them unless they are bytes, whose size is known beforehand. */
const batchLimit = 256;
/**
 * Bytes a batch should not exceed by much: larger ones gain nothing, delay what comes behind them, and mostly lie across
 * two of the 64 KB that a socket reads at a time, where NATS's client copies them several times.
 */
const batchBytes = 32 * 1024;
/** Bytes a message is taken to have at least: however small they were lately, the next hundreds may be large. */
const leastSize = 64;

/** One direction of a session: what waits to be sent, and what was sent and not acknowledged yet. */
export class Outbox {
  readonly #waiting = new Ring<Envelope>(4);
  readonly #unacknowledged = new Ring<Unacknowledged>(4);
  /** Batches that were taken and have to be sent in another form, the next one last. */
  readonly #parts: Batch[] = [];
  /** The last envelope that waits, if further messages can join it: between which processes, and for how many bytes. */
  #open: MessagesEnvelope | undefined;
  #to: PID | undefined;
  #from: PID | undefined;
  #room = 0;
  /** Messages that wait. */
  #messages = 0;
  #sent = 0;
  #unacknowledgedBytes = 0;
  #unacknowledgedMessages = 0;
  /** Messages that were sent and not taken back. */
  #given = 0;
  /** Bytes of an average message lately, of those that are not bytes themselves. */
  #size = leastSize;

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
  /** True when too much waits to wait any longer. */
  get overflows(): boolean {
    return this.#messages >= endurance;
  }
  get hasCredit(): boolean {
    return this.#unacknowledgedBytes < window && this.#unacknowledgedMessages < windowMessages;
  }

  push(envelope: Envelope): void {
    this.#messages += weightOf(envelope);
    this.#open = undefined;
    this.#waiting.push(envelope);
  }

  pushMessage(to: PID, from: PID, name: string, body: unknown, meta?: unknown): void {
    this.#messages++;
    if (meta === undefined && this.#joins(to, from, name, body)) return;
    this.#to = to;
    this.#from = from;
    const envelope = runOf(to, from, name, body, meta);
    this.#room = envelope[0] === kind.bytes ? batchBytes : Math.min(batchBytes, batchLimit * this.#size);
    this.#room -= this.#roomOf(body);
    this.#waiting.push(envelope);
    this.#open = meta === undefined ? envelope : undefined;
  }

  /** Adds to the envelope that waits last, if the message is one of its run. */
  #joins(to: PID, from: PID, name: string, body: unknown): boolean {
    const open = this.#open;
    if (open === undefined || this.#room <= 0 || open[6] !== name) return false;
    if (this.#to === undefined || this.#from === undefined || !to.equals(this.#to) || !from.equals(this.#from))
      return false;
    if (body instanceof Uint8Array) {
      if (open[0] !== kind.bytes) return false;
      open[7].push(body);
    } else {
      if (open[0] !== kind.messages) return false;
      open[7].push(body);
    }
    this.#room -= this.#roomOf(body);
    return true;
  }

  /** Bytes it will take in a frame, or is likely to. */
  #roomOf(body: unknown): number {
    return body instanceof Uint8Array ? body.length + 1 : this.#size;
  }

  /** What should leave next as one frame. */
  take(): Batch | undefined {
    const part = this.#parts.pop();
    if (part !== undefined) return part;
    const envelopes: Envelope[] = [];
    for (let bytes = 0; envelopes.length < batchLimit;) {
      const next = this.#waiting.peek();
      if (next === undefined) break;
      bytes += this.#sizeOf(next);
      if (bytes > batchBytes && envelopes.length > 0) break;
      this.#waiting.shift();
      if (next === this.#open) this.#open = undefined;
      this.#messages -= weightOf(next);
      envelopes.push(next);
    }
    return envelopes.length === 0 ? undefined : { envelopes, whole: undefined };
  }

  #sizeOf(envelope: Envelope): number {
    return envelope[0] === kind.bytes ? bytesOf(envelope[7]) : weightOf(envelope) * this.#size;
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
    let messages = 0;
    let encoded = 0;
    let bytes = frame.length;
    for (const envelope of batch.envelopes) {
      messages += weightOf(envelope);
      if (envelope[0] === kind.bytes) bytes -= bytesOf(envelope[7]);
      else if (envelope[0] === kind.messages) encoded += envelope[7].length;
    }
    if (encoded > 0) this.#size = Math.max(leastSize, this.#size + (bytes / encoded - this.#size) / 4);
    this.#unacknowledged.push({ sequence: ++this.#sent, frame, messages, whole: batch.whole });
    this.#unacknowledgedBytes += frame.length;
    this.#unacknowledgedMessages += messages;
    this.#given += messages;
  }

  /** False if not so many were sent that can be taken back. */
  takeBack(messages: number): boolean {
    if (!(messages >= 0 && messages <= this.#given)) return false;
    this.#given -= messages;
    return true;
  }

  acknowledge(received: number): void {
    for (;;) {
      const first = this.#unacknowledged.peek();
      if (first === undefined || first.sequence > received) return;
      this.#unacknowledged.shift();
      this.#unacknowledgedBytes -= first.frame.length;
      this.#unacknowledgedMessages -= first.messages;
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
