import type { PID } from '../pid.ts';
import type { Timer } from '../platform/platform.ts';
import { Assembly, partsOf, smallestPart } from './assembly.ts';
import { asEnvelope, type Envelope, halve, kind, weightOf, wireOf } from './envelope.ts';
import { decode, encode, type End, type Frame, pack, protocolVersion, sameEnd, unknownEnd } from './frame.ts';
import { type Batch, Outbox } from './outbox.ts';
import type { SessionNode } from './session-node.ts';

/** A received batch is acknowledged after this many milliseconds if nothing else carries the acknowledgement. */
const acknowledgeDelay = 100;
/** Bytes, or messages, received that are acknowledged at once, so that the peer's window never runs dry. */
const acknowledgeBytes = 1024 * 1024;
const acknowledgeMessages = 8192;
/** Bytes kept free in a frame for its own fields and the codec's. */
const frameReserve = 512;

/**
 * The conversation between this node and one incarnation of a peer: batches are numbered, kept until acknowledged, sent
 * again after a gap, and dropped when they come twice. It opens once the peer has named our end of it, so nothing that an
 * earlier incarnation left on its way can open it. It ends when the peer begins a newer one, stops, or stays silent for
 * the link timeout.
 */
export class Session {
  readonly peer: string;
  readonly local: End;
  remote: End = unknownEnd;
  readonly #node: SessionNode;
  readonly #outbox = new Outbox();
  #received = 0;
  #receivedBytes = 0;
  #receivedMessages = 0;
  #open = false;
  #ended = false;
  #suspected = false;
  #doubted = false;
  #lastHeard: number;
  #missedAt = 0;
  #lastMissed = 0;
  #lastStray = Number.NEGATIVE_INFINITY;
  #resentFrom: number | undefined;
  #lastResent = Number.NEGATIVE_INFINITY;
  #watchedSince = 0;
  #heartbeat: Timer | undefined;
  #acknowledgement: Timer | undefined;
  #owesAcknowledgement = false;
  readonly #assembly = new Assembly();

  constructor(node: SessionNode, peer: string, local: End) {
    this.#node = node;
    this.peer = peer;
    this.local = local;
    this.#lastHeard = node.now();
    this.#beat();
  }

  get isOpen(): boolean {
    return this.#open;
  }
  get hasRoom(): boolean {
    return this.#outbox.hasRoom;
  }
  /** True if a message that is sent now leaves now. */
  get isReady(): boolean {
    return this.#open && this.#outbox.hasCredit && this.#outbox.hasRoom;
  }
  /** True while something is to be delivered and there is hope that it will be. */
  get owes(): boolean {
    // One that we talked to may be reconnecting, as a slow consumer that the server cut off does.
    const hopeful = this.#open || !this.#suspected;
    return !this.#ended && hopeful && (this.#outbox.hasWaiting || this.#outbox.hasUnacknowledged);
  }
  /** True when more waits for a peer that takes nothing than a node can keep. */
  get overflows(): boolean {
    return this.#outbox.overflows;
  }
  get lastSent(): number {
    return this.#outbox.sent;
  }
  get lastReceived(): number {
    return this.#received;
  }

  push(envelope: Envelope): void {
    this.#outbox.push(envelope);
  }

  pushMessage(to: PID, from: PID, name: string, body: unknown, meta?: unknown): void {
    this.#outbox.pushMessage(to, from, name, body, meta);
  }

  /** Sends what waits, as far as credit goes. */
  flush(): void {
    while (this.#open && !this.#ended && this.#node.isConnected && this.#outbox.hasCredit) {
      const batch = this.#outbox.take();
      if (batch === undefined) break;
      this.#sendBatch(batch);
    }
    if (this.#outbox.hasUnacknowledged || this.#outbox.hasWaiting) this.#beat();
  }

  /** Tells the peer our end of the session, and what we know of its end. */
  greet(to: End = this.remote): void {
    const { sent } = this.#outbox;
    this.#publish({ kind: 'hello', version: protocolVersion, from: this.local, to, sent, received: this.#received });
  }

  /** Something that belongs to no session came from the peer: it should know which one there is. */
  greetStray(from: End): void {
    const now = this.#node.now();
    // A whole window may be under way to a session that is no more; one greeting answers it.
    if (now - this.#lastStray < this.#node.heartbeatInterval / 4) return;
    this.#lastStray = now;
    this.greet(from);
  }

  /** Our connection came back: what was on its way may be lost in either direction. */
  reconnected(): void {
    this.greet();
    this.#beat();
  }

  /** The transport says that nobody listens there now. It may be reconnecting, so this alone proves nothing. */
  suspect(): void {
    this.#suspected = true;
    this.doubt();
  }

  /** The peer has to give a sign of life, or else the session ends. */
  doubt(): void {
    this.#doubted = true;
    this.#beat();
  }

  /** Begins to look whether the peer lives, because somebody came to depend on it. */
  watch(): void {
    this.#beat();
  }

  /** Asks for what is missing to be acknowledged now. */
  hurry(): void {
    if (this.#open) this.#heartbeatFrame(true, false);
  }

  /** Whether so many messages can have come back that nobody took. */
  takeBack(messages: number): boolean {
    return this.#outbox.takeBack(messages);
  }

  bye(): void {
    if (this.#open) this.#publish({ kind: 'bye', from: this.local, to: this.remote });
  }

  /** A greeting by the end of the peer's that this session is with, or will be. */
  heardHello(hello: Frame & { readonly kind: 'hello' }, bytes: number): void {
    if (!sameEnd(hello.to, this.local)) return this.greet(hello.from);
    if (this.#open) return this.heard(hello, bytes);
    this.opened(hello.from);
    this.greet();
  }

  /** A frame of this very session. */
  heard(frame: Frame, bytes: number): void {
    this.#heardNow();
    this.#receivedBytes += bytes;
    switch (frame.kind) {
      case 'hello':
        return this.#heardHello(frame.sent, frame.received);
      case 'heartbeat':
        return this.#heardHeartbeat(frame);
      case 'batch':
        return this.#heardBatch(frame.sequence, frame.received, frame.envelopes);
      case 'bye':
        return this.#node.broken(this, `node '${this.peer}' has stopped`);
    }
  }

  /** The peer named our end, so `remote` is its end of this session. */
  opened(remote: End): void {
    this.remote = remote;
    this.#open = true;
    this.#heardNow();
    this.flush();
    this.#ease();
  }

  end(): void {
    this.#ended = true;
    this.#heartbeat?.cancel();
    this.#acknowledgement?.cancel();
    this.#assembly.clear();
  }

  /** Every envelope that may not have arrived, oldest first. */
  *remains(): Generator<Envelope> {
    for (const { frame, whole } of this.#outbox.unacknowledged()) {
      if (whole !== undefined) yield whole;
      const batch = decode(frame);
      if (batch?.kind !== 'batch') continue;
      for (const value of batch.envelopes) {
        const envelope = asEnvelope(value);
        if (envelope !== undefined) yield envelope;
      }
    }
    yield* this.#outbox.waiting();
  }

  #heardNow(): void {
    this.#lastHeard = this.#node.now();
    this.#suspected = this.#doubted = false;
  }

  #heardHello(sent: number, received: number): void {
    this.#outbox.acknowledge(received);
    // Our answer tells what we sent. It comes behind all of that, so the peer will know for certain what it missed.
    this.#acknowledge(sent > this.#received);
    this.#afterAcknowledgement();
  }

  #heardHeartbeat(frame: Frame & { readonly kind: 'heartbeat' }): void {
    this.#outbox.acknowledge(frame.received);
    if (frame.missed) this.#resend();
    if (this.#ended) return;
    // Frames keep their order, so whatever was sent before this heartbeat and did not come will not come.
    if (frame.sent > this.#received) this.#reportMissed();
    else if (frame.answer) this.#acknowledge(false);
    this.#afterAcknowledgement();
  }

  #heardBatch(sequence: number, received: number, envelopes: readonly unknown[]): void {
    this.#outbox.acknowledge(received);
    if (sequence !== this.#received + 1) this.#node.countStray();
    if (sequence > this.#received + 1) {
      this.#reportMissed();
    } else {
      if (sequence === this.#received + 1) {
        this.#received = sequence;
        for (const value of envelopes) {
          this.#take(asEnvelope(value));
          if (this.#ended) return;
        }
      }
      // Also if it came before: then our acknowledgement was lost.
      this.#acknowledgeSoon();
    }
    this.#afterAcknowledgement();
  }

  #afterAcknowledgement(): void {
    this.flush();
    this.#ease();
  }

  #ease(): void {
    if (this.isReady || !this.owes) this.#node.eased(this);
  }

  #take(envelope: Envelope | undefined): void {
    if (envelope === undefined) return this.#node.rejected(this.peer, 'an envelope of unknown shape');
    this.#receivedMessages += weightOf(envelope);
    if (envelope[0] !== kind.chunk) return this.#node.receive(this, envelope);
    const whole = this.#assembly.take(envelope, this.#node.maxMessage);
    if (typeof whole === 'string') this.#node.rejected(this.peer, whole);
    else if (whole !== undefined) this.#node.receive(this, whole);
  }

  #sendBatch(batch: Batch): void {
    const frame = this.#encode(batch.envelopes);
    if (frame !== undefined && frame.length <= this.#node.maxPayload) {
      this.#outbox.keep(frame, batch);
      this.#acknowledged();
      this.#node.publish(this.peer, frame);
      return;
    }
    // Too large, or one of its messages cannot be encoded: it is found by halving.
    const halves = halve(batch.envelopes);
    if (halves !== undefined) return this.#outbox.divide(halves.map((envelopes) => ({ envelopes, whole: undefined })));
    const [only] = batch.envelopes;
    if (only?.[0] === kind.chunk) this.#node.broken(this, this.#shrunk(frame?.length ?? 0));
    else if (only !== undefined) this.#chunk(only);
  }

  #shrunk(size: number): string {
    return `the network takes frames of ${this.#node.maxPayload} bytes now, and one of ${size} is due`;
  }

  #chunk(envelope: Envelope): void {
    let packed: Uint8Array;
    try {
      packed = pack(wireOf([envelope])[0]);
    } catch {
      return this.#replace(envelope, 'unencodable');
    }
    if (packed.length > this.#node.maxMessage) return this.#replace(envelope, 'too-large');
    const size = Math.max(smallestPart, this.#node.maxPayload - frameReserve);
    this.#outbox.divide(partsOf(envelope, packed, size));
  }

  #replace(envelope: Envelope, reason: 'unencodable' | 'too-large'): void {
    const instead = this.#node.undeliverable(this.peer, envelope, reason);
    if (instead !== undefined) this.#outbox.divide([{ envelopes: [instead], whole: undefined }]);
  }

  #encode(envelopes: readonly Envelope[]): Uint8Array | undefined {
    const sequence = this.#outbox.sent + 1;
    try {
      return encode({
        kind: 'batch',
        from: this.local,
        to: this.remote,
        sequence,
        received: this.#received,
        envelopes: wireOf(envelopes),
      });
    } catch {
      return undefined;
    }
  }

  #resend(): void {
    // All of it leaves again, for a frame of a few bytes: not more often than an honest peer would ask.
    const [first] = this.#outbox.unacknowledged();
    const now = this.#node.now();
    if (first?.sequence === this.#resentFrom && now - this.#lastResent < this.#node.heartbeatInterval / 2) return;
    this.#resentFrom = first?.sequence;
    this.#lastResent = now;
    let batches = 0;
    for (const { frame } of this.#outbox.unacknowledged()) {
      if (frame.length > this.#node.maxPayload) return this.#node.broken(this, this.#shrunk(frame.length));
      if (this.#node.isConnected) this.#node.publish(this.peer, frame);
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
    if (this.#receivedBytes >= acknowledgeBytes || this.#receivedMessages >= acknowledgeMessages) {
      return this.#acknowledge(false);
    }
    this.#owesAcknowledgement = true;
    // Not armed anew for every batch: batches outnumber what has to be acknowledged on its own.
    this.#acknowledgement ??= this.#node.timer(acknowledgeDelay, () => {
      this.#acknowledgement = undefined;
      if (this.#owesAcknowledgement) this.#acknowledge(false);
    });
  }

  #acknowledge(missed: boolean): void {
    this.#heartbeatFrame(false, missed);
  }

  /** Whatever just left carried the acknowledgement. */
  #acknowledged(): void {
    this.#owesAcknowledgement = false;
    this.#receivedBytes = this.#receivedMessages = 0;
  }

  #heartbeatFrame(answer: boolean, missed: boolean): void {
    this.#acknowledged();
    const { sent } = this.#outbox;
    this.#publish({
      kind: 'heartbeat',
      from: this.local,
      to: this.remote,
      sent,
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
    const interval = this.#node.heartbeatInterval;
    const due = this.#node.now() + interval;
    this.#heartbeat = this.#node.timer(interval, () => {
      this.#heartbeat = undefined;
      const now = this.#node.now();
      // A loop that stood still (SIGSTOP, a long turn) asked nobody for a sign of life: the silence of others starts anew.
      if (now - due > interval) this.#watchedSince = now;
      this.#node.prove();
      const delivering = this.#outbox.hasUnacknowledged || this.#outbox.hasWaiting;
      if (this.#open && !delivering && !this.#doubted && !this.#node.interested(this.peer)) return;
      const silence = this.#silence();
      if (silence > this.#node.linkTimeout) {
        this.#node.broken(this, `node '${this.peer}' has been silent for ${Math.round(silence)} ms`);
        return;
      }
      if (!this.#open) this.greet();
      // Whoever spoke within the interval lives.
      else if (delivering || this.#doubted || now - this.#lastHeard > interval / 2) this.#heartbeatFrame(true, false);
      this.#armHeartbeat();
    });
  }

  /** How long the peer has been silent while we could have heard it. */
  #silence(): number {
    if (!this.#node.isConnected) return 0;
    return (
      Math.min(this.#node.now(), this.#node.provenUntil) -
      Math.max(this.#lastHeard, this.#watchedSince, this.#node.upSince)
    );
  }

  #publish(frame: Frame): void {
    if (!this.#ended && this.#node.isConnected) this.#node.publish(this.peer, encode(frame));
  }
}
