import type { Cell } from '../cell.ts';
import { Doors } from '../door/doors.ts';
import { textOf } from '../door/letter.ts';
import { toMilliseconds, type Duration } from '../duration.ts';
import { type Endpoint, type Endpoints, isEndpoint } from '../endpoints.ts';
import { ProcessError } from '../errors.ts';
import type { EventMeta } from '../event.ts';
import { Deferred, type Discardable, Future } from '../future/future.ts';
import { PID } from '../pid.ts';
import type { Timer } from '../platform/platform.ts';
import type { Runtime } from '../runtime.ts';
import type { DeadLetter } from '../runtime-options.ts';
import type { Subscription, Transport, TransportEvents } from '../transport.ts';
import { type Envelope, hasMessages, kind, weightOf } from './envelope.ts';
import { decode, type Frame, isLater, protocolVersion, sameEnd } from './frame.ts';
import { Intake } from './intake.ts';
import { Reception } from './reception.ts';
import { RemoteCalls } from './remote-calls.ts';
import { RemoteLinks } from './remote-links.ts';
import { Session } from './session.ts';
import type { SessionNode } from './session-node.ts';
import { encodeMeta } from './wire-meta.ts';

export interface NodeOptions {
  /** How often a peer that something depends on is asked for a sign of life. Default 1 s. */
  readonly heartbeatInterval?: Duration;
  /** A peer that is silent for this long is lost: links to it exit, asks fail. Default 5 s. */
  readonly linkTimeout?: Duration;
  /** Largest message in bytes; above a frame's size it travels in chunks. Default 64 MB. */
  readonly maxMessage?: number;
}

/** How long stop() waits, in milliseconds, for peers that take nothing more of what is due to them. */
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
  readonly #endpoints: Endpoints;
  readonly #transport: Transport;
  readonly #sessions = new Map<string, Session>();
  readonly #links: RemoteLinks;
  readonly #reception: Reception;
  readonly #calls = new RemoteCalls();
  readonly doors: Doors;
  readonly #intake: Intake;
  readonly #dirty = new Set<Session>();
  readonly #waiting = new Map<string, Deferred<void>[]>();
  #epochs = 0;
  #proving = false;
  #lastRejectionLog = Number.NEGATIVE_INFINITY;
  /** Set while stop() waits for the last acknowledgements. */
  #allSaid: Deferred<void> | undefined;
  /** Why nothing can be sent any more. */
  #closed: string | undefined;

  constructor(runtime: Runtime, endpoints: Endpoints, transport: Transport, options: NodeOptions) {
    this.#runtime = runtime;
    this.#endpoints = endpoints;
    this.#transport = transport;
    this.heartbeatInterval = toMilliseconds(options.heartbeatInterval ?? 1000);
    this.linkTimeout = toMilliseconds(options.linkTimeout ?? 5000);
    this.maxMessage = options.maxMessage ?? 64 * 1024 * 1024;
    this.upSince = this.provenUntil = runtime.clock.now();
    this.#intake = new Intake(runtime.queue, runtime.platform.loop, () => this.now(), this.heartbeatInterval / 4);
    const push = (peer: string, envelope: Envelope): void => this.#push(peer, envelope);
    this.#links = new RemoteLinks(runtime, push);
    this.#reception = new Reception(runtime, endpoints, push, (peer, why) => this.rejected(peer, why));
    this.doors = new Doors(runtime, this, transport);
  }

  start(): Future<void> {
    return this.#transport.start(this.#runtime.name, this.#runtime.incarnation, this);
  }

  /** Delivers the last messages and exits of the processes that just ended, as long as peers go on to take them. */
  async stop(): Promise<void> {
    this.flush();
    const owing = [...this.#sessions.values()].filter((session) => session.owes);
    if (owing.length > 0 && this.isConnected) {
      const allSaid = new Deferred<void>();
      this.#allSaid = allSaid;
      const sent = (): number => owing.reduce((sum, { lastSent }) => sum + lastSent, 0);
      const patience = (before: number): Timer =>
        this.timer(Math.min(lastWords, this.linkTimeout), () => {
          if (sent() > before) limit = patience(sent());
          else allSaid.set(undefined);
        });
      let limit = patience(sent());
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

  send(to: PID, name: string, body: unknown, from: PID, meta: EventMeta | undefined): boolean {
    if (this.#closed !== undefined) return this.#undelivered('unreachable', name, from, to);
    const session = this.#session(to.node);
    if (to.isExact && session.isOpen && to.incarnation !== session.remote.incarnation) {
      // Whoever names a later start knows more than an idle session, which would not find out.
      if (to.incarnation > session.remote.incarnation) session.doubt();
      return this.#undelivered('stale', name, from, to);
    }
    // Answers to asks have a reserve, so that two full peers cannot block each other.
    if (!session.hasRoom && !isEndpoint(to)) return this.#undelivered('overflow', name, from, to);
    from.receiver?.expose?.();
    const wireMeta = meta === undefined ? undefined : encodeMeta(meta, this.#runtime.tracing);
    session.pushMessage(to, from, name, body, wireMeta);
    this.#wake(session);
    if (isEndpoint(from)) session.watch();
    this.#checkEndurance(session);
    return true;
  }

  /** The answer to an ask is not wanted any more. */
  cancel({ to, pid }: Endpoint): void {
    if (this.#sessions.has(to.node)) this.#push(to.node, [kind.cancel, pid.generation]);
  }

  /** A process here works for an asker at another node. Gives what ends that. */
  answering(from: PID, call: Discardable): () => void {
    const session = this.#sessions.get(from.node);
    if (session?.isOpen === true && session.remote.incarnation === from.incarnation) return this.#calls.add(from, call);
    // Its node was lost before the question had its turn.
    call.discard();
    return () => undefined;
  }

  refuse(asker: PID, error: Error): void {
    this.#reception.refuse(asker, error);
  }

  link(linker: Cell, to: PID, reconnect: boolean): void {
    if (this.#closed !== undefined) return linker.notifyExited(to, { kind: 'unreachable', message: this.#closed });
    const session = this.#session(to.node);
    this.#links.make(linker, to, session.isOpen ? session.remote.incarnation : 0, reconnect);
    session.watch();
    // Whoever names a later start knows more than an idle session, which would not find out.
    const isNews = to.isExact && session.isOpen && to.incarnation > session.remote.incarnation;
    if (!reconnect && !isNews) return;
    session.hurry();
    session.doubt();
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
    this.#intake.resume();
  }

  // ---- what the transport tells

  frame(peer: string, bytes: Uint8Array): void {
    this.#intake.take(() => this.#heard(peer, bytes));
  }

  noResponders(peer: string): void {
    this.#intake.take(() => {
      this.#sessions.get(peer)?.suspect();
      this.#checkAllSaid();
    });
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
    return this.#links.has(peer) || this.#endpoints.awaits(peer);
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
    this.#runtime.log.warn({ peer, rejected: this.#runtime.metrics.wireRejected }, `dropped ${textOf(why)}`);
  }
  countResent(batches: number): void {
    this.#runtime.metrics.wireResent += batches;
  }
  countStray(): void {
    this.#runtime.metrics.wireStray++;
  }
  eased(session: Session): void {
    const { peer } = session;
    if (session.isReady && this.#waiting.has(peer)) this.#resumeWaiting(peer);
    this.#checkAllSaid();
  }
  undeliverable(peer: string, envelope: Envelope, reason: 'unencodable' | 'too-large'): Envelope | undefined {
    this.#bury(peer, envelope, reason);
    if (!hasMessages(envelope)) return undefined;
    const [, id, generation, incarnation, fromId, fromGeneration, name] = envelope;
    const from = new PID(fromId, this.#runtime.name, this.#runtime.incarnation, fromGeneration);
    const to = new PID(id, peer, incarnation, generation);
    const code = reason === 'too-large' ? 'MESSAGE_TOO_LARGE' : 'MESSAGE_INVALID';
    const why = reason === 'too-large' ? `it is larger than ${this.maxMessage} bytes` : 'its body cannot be encoded';
    const error = new ProcessError(code, `'${name}' could not be sent to ${to.toString()}: ${why}`);
    // A sender that does not ask hears nothing else of it.
    if (isEndpoint(from)) this.#endpoints.fail(from, error);
    else this.#runtime.report(error, `message from ${from.toString()}`);
    return isEndpoint(to) ? [kind.refused, id, generation, code, error.message] : undefined;
  }

  broken(session: Session, why: string): void {
    const { peer, isOpen } = session;
    if (this.#sessions.get(peer) === session) this.#sessions.delete(peer);
    this.#dirty.delete(session);
    session.end();
    // Links first: whoever hears of the failed asks may link anew at once.
    this.#links.lost(peer, { kind: isOpen ? 'lost' : 'unreachable', message: why });
    for (const envelope of session.remains()) this.#bury(peer, envelope, isOpen ? 'session' : 'unreachable');
    this.#endpoints.failNode(peer, why, isOpen);
    this.#calls.lost(peer);
    this.#resumeWaiting(peer);
    this.#checkAllSaid();
  }

  receive(session: Session, envelope: Envelope): void {
    const { peer } = session;
    this.#intake.count(weightOf(envelope));
    switch (envelope[0]) {
      case kind.messages:
      case kind.bytes:
        return this.#reception.messages(session, envelope);
      case kind.refused:
        return this.#reception.refused(peer, envelope[1], envelope[2], envelope[3], envelope[4]);
      case kind.returned:
        return this.#reception.returned(session, envelope);
      case kind.link:
        return this.#links.requested(peer, envelope);
      case kind.exited:
        return this.#links.exited(peer, session.remote.incarnation, envelope);
      case kind.unlink:
        return this.#links.withdrawn(peer, envelope);
      case kind.cancel:
        return this.#calls.cancelled(peer, envelope[1]);
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
    this.#checkEndurance(session);
  }

  #checkEndurance(session: Session): void {
    if (session.overflows) this.broken(session, `node '${session.peer}' takes nothing of what is due to it`);
  }

  #wake(session: Session): void {
    this.#dirty.add(session);
    this.#runtime.queue.wake();
  }

  #close(why: string): void {
    this.#closed ??= why;
    this.#intake.clear();
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

  #heard(peer: string, bytes: Uint8Array): void {
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
    this.countStray();
    // The peer is in an earlier session of ours: our greeting tells it so. Frames of its own past need no answer.
    if (!isLater(session.remote, frame.from)) session.greetStray(frame.from);
  }

  #undelivered(reason: DeadLetter['reason'], name: string, from: PID, to: PID): false {
    this.#runtime.deadLetter({ reason, name, from, to });
    return false;
  }

  /** What cannot arrive any more counts as a dead letter; lost control envelopes are settled by the links themselves. */
  #bury(peer: string, envelope: Envelope, reason: DeadLetter['reason']): void {
    if (!hasMessages(envelope)) return;
    const [, id, generation, incarnation, fromId, fromGeneration, name, bodies] = envelope;
    const from = new PID(fromId, this.#runtime.name, this.#runtime.incarnation, fromGeneration);
    const to = new PID(id, peer, incarnation, generation);
    for (let index = 0; index < bodies.length; index++) this.#undelivered(reason, name, from, to);
  }
}
