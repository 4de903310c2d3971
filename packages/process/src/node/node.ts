import { type Asks, isAsker } from '../ask.ts';
import type { Cell } from '../cell.ts';
import { toMilliseconds, type Duration } from '../duration.ts';
import { ProcessError } from '../errors.ts';
import { Deferred, Future } from '../future/future.ts';
import { PID } from '../pid.ts';
import type { Timer } from '../platform/platform.ts';
import type { Runtime } from '../runtime.ts';
import type { DeadLetter } from '../runtime-options.ts';
import type { Subscription, Transport, TransportEvents } from '../transport.ts';
import { type Envelope, kind } from './envelope.ts';
import { decode, type Frame, isLater, protocolVersion, sameEnd } from './frame.ts';
import { Reception } from './reception.ts';
import { RemoteLinks } from './remote-links.ts';
import { Session } from './session.ts';
import type { SessionNode } from './session-node.ts';

export interface NodeOptions {
  /** How often a peer that something depends on is asked for a sign of life. Default 1 s. */
  readonly heartbeatInterval?: Duration;
  /** A peer that is silent for this long is lost: links to it exit, asks fail. Default 5 s. */
  readonly linkTimeout?: Duration;
  /** Largest message in bytes; above a frame's size it travels in chunks. Default 64 MB. */
  readonly maxMessage?: number;
}

/** How long stop() waits, in milliseconds, for peers to acknowledge the last messages. */
const lastWords = 2000;
/** Between two lines of the log about what was rejected, in milliseconds: a flood of garbage must not become one of lines. */
const rejectionLogInterval = 1000;

/** A runtime as one node among others: its sessions to peers, and what comes in from the wire. */
export class Node implements SessionNode, TransportEvents {
  readonly heartbeatInterval: number;
  readonly linkTimeout: number;
  readonly maxMessage: number;
  upSince: number;
  provenUntil: number;
  readonly #runtime: Runtime;
  readonly #asks: Asks;
  readonly #transport: Transport;
  readonly #sessions = new Map<string, Session>();
  readonly #links: RemoteLinks;
  readonly #reception: Reception;
  readonly #dirty = new Set<Session>();
  readonly #waiting = new Map<string, Deferred<void>[]>();
  #epochs = 0;
  #proving = false;
  #lastRejectionLog = Number.NEGATIVE_INFINITY;
  /** Set while stop() waits for the last acknowledgements. */
  #allSaid: Deferred<void> | undefined;
  /** Why nothing can be sent any more. */
  #closed: string | undefined;

  constructor(runtime: Runtime, asks: Asks, transport: Transport, options: NodeOptions) {
    this.#runtime = runtime;
    this.#asks = asks;
    this.#transport = transport;
    this.heartbeatInterval = toMilliseconds(options.heartbeatInterval ?? 1000);
    this.linkTimeout = toMilliseconds(options.linkTimeout ?? 5000);
    this.maxMessage = options.maxMessage ?? 64 * 1024 * 1024;
    this.upSince = this.provenUntil = runtime.clock.now();
    const push = (peer: string, envelope: Envelope): void => this.#push(peer, envelope);
    this.#links = new RemoteLinks(runtime, push);
    this.#reception = new Reception(runtime, asks, push, (peer, why) => this.rejected(peer, why));
  }

  start(): Future<void> {
    return this.#transport.start(this.#runtime.name, this.#runtime.incarnation, this);
  }

  /** Delivers the last messages and exits of the processes that just ended, as far as peers acknowledge them in time. */
  async stop(): Promise<void> {
    this.flush();
    const owing = [...this.#sessions.values()].filter((session) => session.owes);
    if (owing.length > 0 && this.isConnected) {
      const allSaid = new Deferred<void>();
      this.#allSaid = allSaid;
      const limit = this.timer(Math.min(lastWords, this.linkTimeout), () => void allSaid.set(undefined));
      for (const session of owing) session.hurry();
      await allSaid.future;
      limit.cancel();
    }
    for (const session of this.#sessions.values()) session.bye();
    this.#close(`node '${this.#runtime.name}' has stopped`);
    await this.#transport.stop();
  }

  /** Without a word to anybody. */
  crash(): void {
    this.#close(`node '${this.#runtime.name}' has crashed`);
    void this.#transport.stop();
  }

  owns(pid: PID): boolean {
    return pid.node === this.#runtime.name;
  }

  // ---- outgoing

  send(to: PID, name: string, body: unknown, from: PID): boolean {
    if (this.#closed !== undefined) return this.#undelivered('unreachable', name, from, to);
    const session = this.#session(to.node);
    if (to.isExact && session.isOpen && to.incarnation !== session.remote.incarnation) {
      return this.#undelivered('stale', name, from, to);
    }
    // Answers to asks have a reserve, so that two full peers cannot block each other.
    if (!session.hasRoom && !isAsker(to)) return this.#undelivered('overflow', name, from, to);
    session.pushMessage(to, from, name, body);
    this.#wake(session);
    if (isAsker(from)) session.watch();
    return true;
  }

  refuse(asker: PID, error: Error): void {
    this.#reception.refuse(asker, error);
  }

  link(linker: Cell, to: PID): void {
    if (this.#closed !== undefined) return linker.notifyExited(to, { kind: 'unreachable', message: this.#closed });
    const session = this.#session(to.node);
    this.#links.make(linker, to, session.isOpen ? session.remote.incarnation : 0);
    session.watch();
  }

  ready(peer: string): Future<void> {
    if (this.#closed !== undefined) return Future.failed(new ProcessError('TRANSPORT_UNAVAILABLE', this.#closed));
    if (this.#session(peer).isReady) return Future.ready(undefined);
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
    while (this.#dirty.size > 0) {
      const sessions = [...this.#dirty];
      // Whoever learns now that there is credit again may send at once.
      this.#dirty.clear();
      for (const session of sessions) session.flush();
    }
  }

  // ---- what the transport tells

  frame(peer: string, bytes: Uint8Array): void {
    if (this.#closed !== undefined) return;
    let frame: Frame | undefined;
    try {
      frame = decode(bytes);
    } catch {
      frame = undefined;
    }
    if (frame === undefined || peer === this.#runtime.name)
      return this.rejected(peer, 'a frame that cannot be decoded');
    if (frame.kind === 'hello') this.#heardHello(peer, frame, bytes.length);
    else this.#heardInSession(peer, frame, bytes.length);
  }

  noResponders(peer: string): void {
    const session = this.#sessions.get(peer);
    session?.suspect();
    this.#checkAllSaid();
  }

  connected(): void {
    // What we did not hear while our own connection was away proves nothing about others.
    this.upSince = this.now() + 2 * this.#transport.reconnectWait;
    for (const session of this.#sessions.values()) session.reconnected();
  }

  disconnected(): void {}

  trouble(error: Error): void {
    this.#runtime.report(error, `node '${this.#runtime.name}' was refused by its transport`);
  }

  failed(error: Error): void {
    this.#runtime.report(error, `node '${this.#runtime.name}' lost its transport for good`);
    const sessions = [...this.#sessions.values()];
    this.#close(error.message);
    for (const session of sessions) this.broken(session, error.message);
    // Of two living nodes with one name the newer ends: what it still did would be taken for the other's.
    if (error instanceof ProcessError && error.code === 'NODE_NAME_TAKEN') void this.#runtime.stop();
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
  prove(): void {
    if (this.#proving || !this.isConnected) return;
    this.#proving = true;
    const asked = this.now();
    this.#transport.check().onAny((check) => {
      this.#proving = false;
      if (!check.isReady) return;
      this.provenUntil = asked;
      // A broker that was frozen held everybody's frames: they have the time of a silence to come.
      if (this.now() - asked > this.heartbeatInterval) this.upSince = this.now();
    });
  }
  rejected(peer: string, why: string): void {
    this.#runtime.metrics.wireRejected++;
    const now = this.now();
    if (now - this.#lastRejectionLog < rejectionLogInterval) return;
    this.#lastRejectionLog = now;
    this.#runtime.log.warn({ peer, rejected: this.#runtime.metrics.wireRejected }, `dropped ${why}`);
  }
  countResent(batches: number): void {
    this.#runtime.metrics.wireResent += batches;
  }
  eased(session: Session): void {
    const { peer } = session;
    if (session.isReady && this.#waiting.has(peer)) this.#resumeWaiting(peer);
    this.#checkAllSaid();
  }
  undeliverable(peer: string, envelope: Envelope, reason: 'unencodable' | 'too-large'): void {
    this.#bury(peer, envelope, reason);
  }

  broken(session: Session, why: string): void {
    const { peer, isOpen } = session;
    if (this.#sessions.get(peer) === session) this.#sessions.delete(peer);
    this.#dirty.delete(session);
    session.end();
    // Links first: whoever hears of the failed asks may link anew at once.
    this.#links.lost(peer, { kind: isOpen ? 'lost' : 'unreachable', message: why });
    for (const envelope of session.remains()) this.#bury(peer, envelope, isOpen ? 'session' : 'unreachable');
    this.#asks.failNode(peer, why, isOpen);
    this.#resumeWaiting(peer);
    this.#checkAllSaid();
  }

  receive(session: Session, envelope: Envelope): void {
    const { peer } = session;
    switch (envelope[0]) {
      case kind.messages:
        return this.#reception.messages(session, envelope);
      case kind.refused:
        return this.#reception.refused(envelope[1], envelope[2], envelope[3], envelope[4]);
      case kind.returned:
        return this.#reception.returned(peer, envelope);
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
    session.greet();
    return session;
  }

  #makeSession(peer: string): Session {
    const session = new Session(this, peer, { incarnation: this.#runtime.incarnation, epoch: ++this.#epochs });
    this.#sessions.set(peer, session);
    return session;
  }

  #push(peer: string, envelope: Envelope): void {
    if (this.#closed !== undefined) return;
    const session = this.#session(peer);
    session.push(envelope);
    this.#wake(session);
  }

  #wake(session: Session): void {
    this.#dirty.add(session);
    this.#runtime.queue.wake();
  }

  #close(why: string): void {
    this.#closed ??= why;
    for (const session of this.#sessions.values()) session.end();
    this.#sessions.clear();
    this.#dirty.clear();
    this.#allSaid?.set(undefined);
    for (const peer of [...this.#waiting.keys()]) this.#resumeWaiting(peer);
  }

  #checkAllSaid(): void {
    if (this.#allSaid === undefined) return;
    for (const session of this.#sessions.values()) if (session.owes) return;
    this.#allSaid.set(undefined);
  }

  #resumeWaiting(peer: string): void {
    const waiting = this.#waiting.get(peer);
    this.#waiting.delete(peer);
    for (const deferred of waiting ?? []) deferred.set(undefined);
  }

  #heardHello(peer: string, hello: Frame & { readonly kind: 'hello' }, bytes: number): void {
    if (hello.version !== protocolVersion) {
      return this.rejected(
        peer,
        `a greeting of protocol version ${hello.version}; this node speaks ${protocolVersion}`,
      );
    }
    let session = this.#sessions.get(peer);
    if (session?.isOpen === true && !sameEnd(session.remote, hello.from)) {
      // A greeting from the past, or the clock of a restarted peer went back: then only silence ends the old session.
      if (!isLater(hello.from, session.remote)) return session.doubt();
      this.broken(session, `node '${peer}' has begun a new session`);
      session = undefined;
    }
    session ??= this.#makeSession(peer);
    session.heardHello(hello, bytes);
  }

  #heardInSession(peer: string, frame: Exclude<Frame, { readonly kind: 'hello' }>, bytes: number): void {
    const session = this.#sessions.get(peer) ?? this.#makeSession(peer);
    if (sameEnd(frame.to, session.local)) {
      if (!session.isOpen) session.opened(frame.from);
      if (sameEnd(frame.from, session.remote)) return session.heard(frame, bytes);
    }
    // The peer is in an earlier session of ours: our greeting tells it so. Frames of its own past need no answer.
    if (!isLater(session.remote, frame.from)) session.greetStray(frame.from);
  }

  #undelivered(reason: DeadLetter['reason'], name: string, from: PID, to: PID): false {
    this.#runtime.deadLetter({ reason, name, from, to });
    return false;
  }

  /** What cannot arrive any more counts as a dead letter; lost control envelopes are settled by the links themselves. */
  #bury(peer: string, envelope: Envelope, reason: DeadLetter['reason']): void {
    if (envelope[0] !== kind.messages) return;
    const [, id, generation, incarnation, fromId, fromGeneration, name, bodies] = envelope;
    const from = new PID(fromId, this.#runtime.name, this.#runtime.incarnation, fromGeneration);
    const to = new PID(id, peer, incarnation, generation);
    for (let index = 0; index < bodies.length; index++) this.#undelivered(reason, name, from, to);
    if (reason !== 'unencodable' && reason !== 'too-large') return;
    const code = reason === 'too-large' ? 'MESSAGE_TOO_LARGE' : 'MESSAGE_INVALID';
    const why = reason === 'too-large' ? `it is larger than ${this.maxMessage} bytes` : 'its body cannot be encoded';
    const error = new ProcessError(code, `'${name}' could not be sent to ${to.toString()}: ${why}`);
    // A sender that does not ask hears nothing else of it.
    if (isAsker(from)) this.#asks.fail(from, error);
    else this.#runtime.report(error, `message from ${from.toString()}`);
  }
}
