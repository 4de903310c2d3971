import type { Timer } from '../platform/platform.ts';
import { asEnvelope, type Envelope, kind } from './envelope.ts';
import { decode, encode, type End, type Frame, pack, protocolVersion, unknownEnd, unpack } from './frame.ts';
import { Outbox } from './outbox.ts';

/** What a session needs of its node. */
export interface SessionNode {
  readonly maxPayload: number;
  readonly isConnected: boolean;
  /** Milliseconds since the epoch since when this node's own connection has been up without a stall. */
  readonly upSince: number;
  readonly heartbeatInterval: number;
  readonly linkTimeout: number;
  readonly maxMessage: number;
  now(): number;
  timer(delay: number, thunk: () => void): Timer;
  publish(peer: string, frame: Uint8Array): void;
  /** True while this side wants to know whether the peer lives: links or asks are open. */
  interested(peer: string): boolean;
  receive(session: Session, envelope: Envelope): void;
  broken(session: Session, why: string): void;
  rejected(peer: string, why: string): void;
  undeliverable(peer: string, envelope: unknown, reason: 'unencodable' | 'too-large'): void;
  creditReturned(peer: string): void;
  countResent(batches: number): void;
}

/** Envelopes in one batch at most (design: a batch leaves at 256 envelopes or at the end of the slice). */
const batchLimit = 256;
/** A received batch is acknowledged after this many milliseconds if nothing else carries the acknowledgement. */
const acknowledgeDelay = 20;
/** Bytes received that are acknowledged at once, so that the peer's window never runs dry. */
const acknowledgeBytes = 1024 * 1024;
/** Bytes kept free in a frame for its own fields and the codec's. */
const frameReserve = 512;

/**
 * The conversation between this node and one incarnation of a peer: batches are numbered, kept until acknowledged, sent
 * again after a gap, and dropped when they come twice. It ends when the peer is replaced by a newer incarnation, begins a
 * newer session, or stays silent for the link timeout.
 */
export class Session {
  readonly peer: string;
  readonly local: End;
  remote: End = unknownEnd;
  readonly #node: SessionNode;
  readonly #outbox = new Outbox();
  #received = 0;
  #receivedBytes = 0;
  #open = false;
  #ended = false;
  #lastHeard: number;
  #missedAt = 0;
  #lastMissed = 0;
  #watchedSince = 0;
  #heartbeat: Timer | undefined;
  #acknowledgement: Timer | undefined;
  #chunks: Uint8Array[] = [];
  #chunkBytes = 0;

  constructor(node: SessionNode, peer: string, local: End) {
    this.#node = node;
    this.peer = peer;
    this.local = local;
    this.#lastHeard = node.now();
  }

  get isOpen(): boolean {
    return this.#open;
  }
  get hasRoom(): boolean {
    return this.#outbox.hasRoom;
  }
  get hasCredit(): boolean {
    return this.#open && this.#outbox.hasCredit;
  }
  get lastSent(): number {
    return this.#outbox.sent;
  }
  get lastReceived(): number {
    return this.#received;
  }

  /** Greets the peer and keeps at it until it answers or the link timeout has passed. */
  start(): void {
    this.#hello();
    this.#beat();
  }

  push(envelope: Envelope): void {
    this.#outbox.push(envelope);
  }

  /** Sends what waits, as far as credit goes. */
  flush(): void {
    while (this.#open && this.#outbox.hasWaiting && this.#outbox.hasCredit && this.#node.isConnected) {
      this.#sendBatch(this.#outbox.take(batchLimit));
    }
    if (this.#outbox.hasUnacknowledged || this.#outbox.hasWaiting) this.#beat();
  }

  /** Our connection came back: what was on its way may be lost in either direction. */
  reconnected(): void {
    this.#hello();
    this.#beat();
  }

  /** The transport says that nobody listens there now. It may be reconnecting, so this alone proves nothing. */
  suspect(): void {
    this.#beat();
  }

  /** Begins to look whether the peer lives, because somebody came to depend on it. */
  watch(): void {
    this.#beat();
  }

  heard(frame: Frame & { readonly from: End }, bytes: number): void {
    this.#lastHeard = this.#node.now();
    this.#receivedBytes += bytes;
    switch (frame.kind) {
      case 'hello':
        return this.#heardHello(frame.sent, frame.received);
      case 'heartbeat':
        return this.#heardHeartbeat(frame);
      case 'batch':
        return this.#heardBatch(frame.sequence, frame.received, frame.envelopes);
    }
  }

  /** The peer answered with its end of this session. */
  opened(remote: End): void {
    this.remote = remote;
    if (this.#open) return;
    this.#open = true;
    this.flush();
    this.#node.creditReturned(this.peer);
  }

  greet(): void {
    this.#hello();
  }

  end(): void {
    this.#ended = true;
    this.#heartbeat?.cancel();
    this.#acknowledgement?.cancel();
  }

  /** Every envelope that may not have arrived, oldest first. */
  *remains(): Generator<unknown> {
    for (const { frame } of this.#outbox.unacknowledged()) {
      const batch = decode(frame);
      if (batch?.kind === 'batch') yield* batch.envelopes;
    }
    yield* this.#outbox.waiting();
  }

  #hello(): void {
    this.#publish({
      kind: 'hello',
      version: protocolVersion,
      from: this.local,
      to: this.remote,
      sent: this.#outbox.sent,
      received: this.#received,
    });
  }

  #heardHello(sent: number, received: number): void {
    if (!this.#open) return;
    this.#outbox.acknowledge(received);
    this.#resend();
    if (sent > this.#received) this.#reportMissed();
    else this.#acknowledge(false);
    this.flush();
  }

  #heardHeartbeat(frame: Frame & { readonly kind: 'heartbeat' }): void {
    const hadCredit = this.#outbox.hasCredit;
    this.#outbox.acknowledge(frame.received);
    if (frame.missed) this.#resend();
    // Frames keep their order, so whatever was sent before this heartbeat and did not come will not come.
    if (frame.sent > this.#received) this.#reportMissed();
    else if (frame.answer) this.#acknowledge(false);
    this.#afterAcknowledgement(hadCredit);
  }

  #heardBatch(sequence: number, received: number, envelopes: readonly unknown[]): void {
    const hadCredit = this.#outbox.hasCredit;
    this.#outbox.acknowledge(received);
    if (sequence <= this.#received) {
      // Sent again because our acknowledgement was lost.
      this.#acknowledgeSoon();
    } else if (sequence > this.#received + 1) {
      this.#reportMissed();
    } else {
      this.#received = sequence;
      for (const value of envelopes) {
        this.#take(value);
        if (this.#ended) return;
      }
      this.#acknowledgeSoon();
    }
    this.#afterAcknowledgement(hadCredit);
  }

  #afterAcknowledgement(hadCredit: boolean): void {
    this.flush();
    if (!hadCredit && this.#outbox.hasCredit) this.#node.creditReturned(this.peer);
  }

  #take(value: unknown): void {
    const envelope = asEnvelope(value);
    if (envelope === undefined) return this.#node.rejected(this.peer, 'an envelope of unknown shape');
    if (envelope[0] !== kind.chunk) return this.#node.receive(this, envelope);
    const [, last, bytes] = envelope;
    this.#chunkBytes += bytes.length;
    if (this.#chunkBytes <= this.#node.maxMessage) this.#chunks.push(bytes);
    else this.#chunks = [];
    if (!last) return;
    const whole = this.#chunkBytes <= this.#node.maxMessage ? Buffer.concat(this.#chunks) : undefined;
    this.#chunks = [];
    this.#chunkBytes = 0;
    if (whole === undefined) return this.#node.rejected(this.peer, 'a message above the size limit');
    try {
      this.#take(unpack(whole));
    } catch {
      this.#node.rejected(this.peer, 'a chunked message that cannot be decoded');
    }
  }

  #sendBatch(envelopes: readonly unknown[]): void {
    const sequence = this.#outbox.nextSequence();
    const frame = this.#encodeBatch(sequence, envelopes);
    if (frame !== undefined && frame.length <= this.#node.maxPayload) {
      this.#outbox.keep(sequence, frame);
      this.#acknowledgement?.cancel();
      this.#acknowledgement = undefined;
      this.#receivedBytes = 0;
      this.#node.publish(this.peer, frame);
      return;
    }
    // The number is used up, so something must carry it; an empty batch would do, the first part does better.
    const empty = encode(this.#batchFrame(sequence, []));
    this.#outbox.keep(sequence, empty);
    this.#node.publish(this.peer, empty);
    if (envelopes.length > 1) {
      const middle = envelopes.length >> 1;
      this.#sendBatch(envelopes.slice(0, middle));
      this.#sendBatch(envelopes.slice(middle));
    } else {
      this.#sendChunks(envelopes[0]);
    }
  }

  #sendChunks(envelope: unknown): void {
    let whole: Uint8Array;
    try {
      whole = pack(envelope);
    } catch {
      return this.#node.undeliverable(this.peer, envelope, 'unencodable');
    }
    if (whole.length > this.#node.maxMessage) return this.#node.undeliverable(this.peer, envelope, 'too-large');
    const size = this.#node.maxPayload - frameReserve;
    for (let at = 0; at < whole.length; at += size) {
      this.#sendBatch([[kind.chunk, at + size >= whole.length, whole.subarray(at, at + size)]]);
    }
  }

  #encodeBatch(sequence: number, envelopes: readonly unknown[]): Uint8Array | undefined {
    try {
      return encode(this.#batchFrame(sequence, envelopes));
    } catch {
      return undefined;
    }
  }

  #batchFrame(sequence: number, envelopes: readonly unknown[]): Frame {
    return { kind: 'batch', from: this.local, to: this.remote, sequence, received: this.#received, envelopes };
  }

  #resend(): void {
    let batches = 0;
    for (const batch of this.#outbox.unacknowledged()) {
      if (this.#node.isConnected) this.#node.publish(this.peer, batch.frame);
      batches++;
    }
    if (batches > 0) this.#node.countResent(batches);
  }

  /** Asks once per gap and heartbeat interval, however many later batches show the gap. */
  #reportMissed(): void {
    const now = this.#node.now();
    if (this.#missedAt === this.#received + 1 && now - this.#lastMissed < this.#node.heartbeatInterval) return;
    this.#missedAt = this.#received + 1;
    this.#lastMissed = now;
    this.#acknowledge(true);
  }

  #acknowledgeSoon(): void {
    if (this.#receivedBytes >= acknowledgeBytes) return this.#acknowledge(false);
    this.#acknowledgement ??= this.#node.timer(acknowledgeDelay, () => this.#acknowledge(false));
  }

  #acknowledge(missed: boolean): void {
    this.#acknowledgement?.cancel();
    this.#acknowledgement = undefined;
    this.#receivedBytes = 0;
    this.#heartbeatFrame(false, missed);
  }

  #heartbeatFrame(answer: boolean, missed: boolean): void {
    this.#publish({
      kind: 'heartbeat',
      from: this.local,
      to: this.remote,
      sent: this.#outbox.sent,
      received: this.#received,
      answer,
      missed,
    });
  }

  /** Beats as long as something depends on the peer: unacknowledged batches, links, asks, or an open greeting. */
  #beat(): void {
    if (this.#ended || this.#heartbeat !== undefined) return;
    // Silence while nobody depended on the peer says nothing about it.
    this.#watchedSince = this.#node.now();
    this.#armHeartbeat();
  }

  #armHeartbeat(): void {
    this.#heartbeat = this.#node.timer(this.#node.heartbeatInterval, () => {
      this.#heartbeat = undefined;
      const depends = !this.#open || this.#outbox.hasUnacknowledged || this.#outbox.hasWaiting || this.#node.interested(this.peer);
      if (!depends) return;
      if (this.#silence() > this.#node.linkTimeout) {
        this.#node.broken(this, `node '${this.peer}' has been silent for ${Math.round(this.#silence())} ms`);
        return;
      }
      if (this.#open) this.#heartbeatFrame(true, false);
      else this.#hello();
      this.#armHeartbeat();
    });
  }

  /** How long the peer has been silent while we could have heard it. */
  #silence(): number {
    if (!this.#node.isConnected) return 0;
    return this.#node.now() - Math.max(this.#lastHeard, this.#watchedSince, this.#node.upSince);
  }

  #publish(frame: Frame): void {
    if (this.#node.isConnected) this.#node.publish(this.peer, encode(frame));
  }
}
