import type { Asks } from '../ask.ts';
import type { Cell } from '../cell.ts';
import { toMilliseconds, type Duration } from '../duration.ts';
import { messageOf, OutcomeUnknown, ProcessError, ProcessGone } from '../errors.ts';
import { Event } from '../event.ts';
import { Deferred, Future } from '../future/future.ts';
import type { WireSchema } from '../message.ts';
import { PID } from '../pid.ts';
import type { Timer } from '../platform/platform.ts';
import type { DeadLetter, Runtime } from '../runtime.ts';
import type { Subscription, Transport, TransportEvents } from '../transport.ts';
import { type Envelope, kind, type MessageEnvelope } from './envelope.ts';
import { decode, type Frame, isLater, protocolVersion, sameEnd } from './frame.ts';
import { RemoteLinks } from './remote-links.ts';
import { Session, type SessionNode } from './session.ts';

export interface NodeOptions {
  /** How often a peer that something depends on is asked for a sign of life. Default 1 s. */
  readonly heartbeatInterval?: Duration;
  /** A peer that is silent for this long is lost: links to it exit, asks fail. Default 5 s. */
  readonly linkTimeout?: Duration;
  /** Largest message in bytes; above a frame's size it travels in chunks. Default 64 MB. */
  readonly maxMessage?: number;
}

/** A runtime as one node among others: its sessions to peers, and what comes in from the wire. */
export class Node implements SessionNode, TransportEvents {
  readonly heartbeatInterval: number;
  readonly linkTimeout: number;
  readonly maxMessage: number;
  upSince: number;
  readonly #runtime: Runtime;
  readonly #asks: Asks;
  readonly #transport: Transport;
  readonly #sessions = new Map<string, Session>();
  readonly #links: RemoteLinks;
  readonly #dirty = new Set<Session>();
  readonly #waiting = new Map<string, Deferred<void>[]>();
  #epochs = 0;
  #stall: Timer | undefined;
  #stalledCheck = 0;
  #crashed = false;

  constructor(runtime: Runtime, asks: Asks, transport: Transport, options: NodeOptions) {
    this.#runtime = runtime;
    this.#asks = asks;
    this.#transport = transport;
    this.heartbeatInterval = toMilliseconds(options.heartbeatInterval ?? 1000);
    this.linkTimeout = toMilliseconds(options.linkTimeout ?? 5000);
    this.maxMessage = options.maxMessage ?? 64 * 1024 * 1024;
    this.upSince = runtime.clock.now();
    this.#links = new RemoteLinks(runtime, (peer, envelope) => this.#push(this.#session(peer), envelope));
  }

  start(): Future<void> {
    return this.#transport.start(this.#runtime.name, this.#runtime.incarnation, this);
  }

  async stop(): Promise<void> {
    // Exits of the processes that just ended and their last messages are still to be sent.
    this.flush();
    this.#stall?.cancel();
    for (const session of this.#sessions.values()) session.end();
    this.#sessions.clear();
    await this.#transport.stop();
  }

  crash(): void {
    this.#crashed = true;
    this.#stall?.cancel();
    for (const session of this.#sessions.values()) session.end();
    this.#sessions.clear();
    void this.#transport.stop();
  }

  owns(pid: PID): boolean {
    return pid.node === this.#runtime.name;
  }

  // ---- outgoing

  send(to: PID, name: string, body: unknown, from: PID): boolean {
    const session = this.#session(to.node);
    const letter = { name, from, to };
    if (to.isExact && session.isOpen && to.incarnation !== session.remote.incarnation) {
      this.#runtime.deadLetter({ reason: 'stale', ...letter });
      return false;
    }
    // Answers to asks have a reserve, so that two full peers cannot block each other.
    if (!session.hasRoom && !to.id.startsWith('?')) {
      this.#runtime.deadLetter({ reason: 'overflow', ...letter });
      return false;
    }
    this.#push(session, [kind.message, to.id, to.generation, to.incarnation, from.id, from.generation, name, body]);
    if (from.id.startsWith('?')) session.watch();
    return true;
  }

  /** Tells the asker at another node that no answer will come. */
  refuse(asker: PID, error: Error): void {
    if (!asker.id.startsWith('?')) return;
    const code = error instanceof ProcessError ? error.code : 'PROCESS_ENDED';
    this.#push(this.#session(asker.node), [kind.refused, asker.id, asker.generation, code, error.message]);
  }

  link(linker: Cell, to: PID): void {
    const session = this.#session(to.node);
    this.#links.make(linker, to, session.isOpen ? session.remote.incarnation : 0);
    session.watch();
  }

  ready(peer: string): Future<void> {
    const session = this.#session(peer);
    if (session.hasCredit && session.hasRoom) return Future.ready(undefined);
    const deferred = new Deferred<void>();
    const waiting = this.#waiting.get(peer);
    if (waiting === undefined) this.#waiting.set(peer, [deferred]);
    else waiting.push(deferred);
    return deferred.future;
  }

  announce(topic: string, data: Uint8Array): void {
    this.#transport.announce(topic, data);
  }

  listen(topic: string, receive: (data: Uint8Array) => void): Subscription {
    return this.#transport.listen(topic, receive);
  }

  /** At the end of each slice: what it produced for one peer leaves together. */
  flush(): void {
    if (this.#dirty.size === 0) return;
    for (const session of this.#dirty) session.flush();
    this.#dirty.clear();
  }

  // ---- what the transport tells

  frame(peer: string, bytes: Uint8Array): void {
    if (this.#crashed) return;
    let frame: Frame | undefined;
    try {
      frame = decode(bytes);
    } catch {
      frame = undefined;
    }
    if (frame === undefined || peer === this.#runtime.name) return this.rejected(peer, 'a frame that cannot be decoded');
    if (frame.kind === 'hello') this.#heardHello(peer, frame, bytes.length);
    else this.#heardInSession(peer, frame, bytes.length);
  }

  noResponders(peer: string): void {
    this.#sessions.get(peer)?.suspect();
  }

  connected(): void {
    // What we did not hear while our own connection was away proves nothing about others.
    this.upSince = this.now() + 2 * this.#transport.reconnectWait;
    for (const session of this.#sessions.values()) session.reconnected();
  }

  disconnected(): void {}

  failed(error: Error): void {
    this.#runtime.report(error, `node '${this.#runtime.name}' lost its transport for good`);
  }

  // ---- what sessions ask

  get maxPayload(): number {
    return this.#transport.maxPayload;
  }
  get isConnected(): boolean {
    return this.#transport.connected;
  }
  now(): number {
    return this.#runtime.clock.now();
  }
  timer(delay: number, thunk: () => void): Timer {
    return this.#runtime.clock.timer(delay, thunk);
  }
  publish(peer: string, frame: Uint8Array): void {
    this.#transport.publish(peer, frame);
  }
  interested(peer: string): boolean {
    return this.#links.has(peer) || this.#asks.awaits(peer);
  }
  rejected(peer: string, why: string): void {
    this.#runtime.metrics.wireRejected++;
    this.#runtime.log.warn({ peer }, `dropped ${why}`);
  }
  countResent(batches: number): void {
    this.#runtime.metrics.wireResent += batches;
  }
  creditReturned(peer: string): void {
    const waiting = this.#waiting.get(peer);
    this.#waiting.delete(peer);
    for (const deferred of waiting ?? []) deferred.set(undefined);
  }
  undeliverable(peer: string, envelope: unknown, reason: 'unencodable' | 'too-large'): void {
    this.#bury(peer, envelope as Envelope, reason);
  }

  broken(session: Session, why: string): void {
    const { peer } = session;
    if (this.#sessions.get(peer) === session) this.#sessions.delete(peer);
    this.#dirty.delete(session);
    session.end();
    for (const envelope of session.remains()) this.#bury(peer, envelope as Envelope, 'session');
    this.#asks.failNode(peer, why);
    this.#links.lost(peer, why);
    this.creditReturned(peer);
  }

  receive(session: Session, envelope: Envelope): void {
    const { peer } = session;
    switch (envelope[0]) {
      case kind.message:
        return this.#receiveMessage(session, envelope);
      case kind.refused: {
        const [, asker, generation, code, text] = envelope;
        const error = code === 'OUTCOME_UNKNOWN' ? new OutcomeUnknown('OUTCOME_UNKNOWN', text) : new ProcessGone('PROCESS_ENDED', text);
        return this.#asks.fail(new PID(asker, this.#runtime.name, this.#runtime.incarnation, generation), error);
      }
      case kind.link:
        return this.#links.requested(peer, envelope);
      case kind.exited:
        return this.#links.exited(peer, session.remote.incarnation, envelope);
      case kind.unlink:
        return this.#links.withdrawn(peer, envelope);
      case kind.chunk:
        return this.rejected(peer, 'a chunk within a chunk');
    }
  }

  // ---- inside

  #session(peer: string): Session {
    const known = this.#sessions.get(peer);
    if (known !== undefined) return known;
    const session = this.#makeSession(peer);
    session.start();
    return session;
  }

  #makeSession(peer: string): Session {
    const session = new Session(this, peer, { incarnation: this.#runtime.incarnation, epoch: ++this.#epochs });
    this.#sessions.set(peer, session);
    this.#watchForStalls();
    return session;
  }

  #push(session: Session, envelope: Envelope): void {
    session.push(envelope);
    this.#dirty.add(session);
    this.#runtime.queue.wake();
  }

  #heardHello(peer: string, hello: Frame & { readonly kind: 'hello' }, bytes: number): void {
    if (hello.version !== protocolVersion) {
      return this.rejected(peer, `a greeting of protocol version ${hello.version}; this node speaks ${protocolVersion}`);
    }
    let session = this.#sessions.get(peer);
    if (session !== undefined && session.isOpen && !sameEnd(session.remote, hello.from)) {
      if (!isLater(hello.from, session.remote)) return session.watch();
      this.broken(session, `node '${peer}' has begun a new session`);
      session = undefined;
    }
    session ??= this.#makeSession(peer);
    const knowsUs = sameEnd(hello.to, session.local);
    const wasOpen = session.isOpen;
    session.opened(hello.from);
    if (!knowsUs) session.greet();
    if (wasOpen || knowsUs) session.heard(hello, bytes);
  }

  #heardInSession(peer: string, frame: Exclude<Frame, { readonly kind: 'hello' }>, bytes: number): void {
    const session = this.#session(peer);
    if (sameEnd(frame.from, session.remote) && sameEnd(frame.to, session.local)) session.heard(frame, bytes);
    // The peer is in an earlier session of ours: our greeting tells it so. Frames of its own past need no answer.
    else if (!isLater(session.remote, frame.from)) session.greet();
  }

  #receiveMessage(session: Session, envelope: MessageEnvelope): void {
    const { peer } = session;
    const runtime = this.#runtime;
    const [, id, generation, incarnation, fromId, fromGeneration, name, body] = envelope;
    const from = new PID(fromId, peer, session.remote.incarnation, fromGeneration);
    if (id.startsWith('?')) {
      const asker = new PID(id, runtime.name, incarnation, generation);
      const receiver = this.#asks.receiver(asker);
      if (receiver === undefined) return this.#unreached(asker, name, from, 'stale');
      const schema = this.#asks.schema(asker, name);
      if (schema === undefined) return void receiver.accept(new Event('message', name, from, undefined, undefined));
      const answer = this.#validate(schema, body);
      if (answer === undefined) return this.#invalid(peer, name, from, id);
      return void receiver.accept(new Event('message', name, from, answer.value, undefined));
    }
    const to = new PID(id, runtime.name, incarnation, generation);
    const cell = runtime.cell(id);
    if (cell === undefined) return this.#unreached(to, name, from, 'unknown');
    if (generation !== 0 && (cell.pid.generation !== generation || incarnation !== runtime.incarnation)) {
      return this.#unreached(to, name, from, 'stale');
    }
    const entry = cell.handlers?.get(name) ?? cell.delegates?.get(name);
    if (entry?.schema === undefined) return this.#unreached(to, name, from, 'unhandled');
    const valid = this.#validate(entry.schema, body);
    if (valid === undefined) return this.#invalid(peer, name, from, id);
    cell.accept(new Event('message', name, from, valid.value, undefined));
  }

  #unreached(to: PID, name: string, from: PID, reason: 'unknown' | 'stale' | 'unhandled'): void {
    if (reason === 'unhandled') this.#runtime.metrics.wireRejected++;
    this.#runtime.deadLetter({ reason, name, from, to });
    this.refuse(from, new ProcessGone('PROCESS_NOT_FOUND', `${to.toString()} did not take '${name}': ${reasons[reason]}`));
  }

  #invalid(peer: string, name: string, from: PID, id: string): void {
    this.rejected(peer, `a body of '${name}' that does not satisfy its schema, for process '${id}'`);
    this.refuse(from, new ProcessError('MESSAGE_INVALID', `The body of '${name}' does not satisfy the receiver's schema`));
  }

  #validate(schema: WireSchema<unknown>, body: unknown): { readonly value: unknown } | undefined {
    try {
      const outcome = schema['~standard'].validate(body);
      if (outcome instanceof Promise || outcome.issues !== undefined) return undefined;
      return outcome;
    } catch (error) {
      this.#runtime.log.warn({ error: messageOf(error) }, 'a schema threw while it validated a body');
      return undefined;
    }
  }

  /** What cannot arrive any more counts as a dead letter; lost control envelopes are settled by the links themselves. */
  #bury(peer: string, envelope: Envelope, reason: DeadLetter['reason']): void {
    if (envelope[0] !== kind.message) return;
    const [, id, generation, incarnation, fromId, fromGeneration, name] = envelope;
    const from = new PID(fromId, this.#runtime.name, this.#runtime.incarnation, fromGeneration);
    this.#runtime.deadLetter({ reason, name, from, to: new PID(id, peer, incarnation, generation) });
    const code = reason === 'too-large' ? 'MESSAGE_TOO_LARGE' : 'MESSAGE_INVALID';
    if (reason !== 'session') {
      this.#asks.fail(from, new ProcessError(code, `'${name}' could not be sent to ${id}@${peer}: ${reason === 'too-large' ? 'it is above the size limit' : 'its body cannot be encoded'}`));
    }
  }

  /** A loop that stood still (SIGSTOP, a long turn) could not have heard anybody: the silence of others starts anew. */
  #watchForStalls(): void {
    if (this.#stall !== undefined || this.#runtime.platform.simulated) return;
    this.#stalledCheck = this.now();
    const check = (): void => {
      const now = this.now();
      if (now - this.#stalledCheck > 2 * this.heartbeatInterval) this.upSince = now;
      this.#stalledCheck = now;
      this.#stall = this.timer(this.heartbeatInterval / 2, check);
    };
    this.#stall = this.timer(this.heartbeatInterval / 2, check);
  }
}

const reasons = {
  unknown: 'there is no such process',
  stale: 'that process has ended and another has its id',
  unhandled: 'it has no handler for it',
} as const;


