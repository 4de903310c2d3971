import {
  connect,
  Events,
  type Msg,
  type MsgHdrs,
  NatsError,
  type NatsConnection,
  type Status,
  type Subscription as NatsSubscription,
  type SubscriptionOptions,
} from 'nats';

import { messageOf, ProcessError } from '../errors.ts';
import { Future } from '../future/future.ts';
import {
  checkDoor,
  checkNotDoors,
  checkTopic,
  type DoorMessage,
  doorToken,
  type Subscription,
  type Transport,
  type TransportEvents,
} from '../transport.ts';
import { causeOf } from './cause.ts';
import { doorMessage, doorQueue, headersOf } from './door-message.ts';
import { type Greeting, greeting } from './greeting.ts';
import { type ClaimKind, decodeClaim, encodeClaim, judge } from './name-claim.ts';
import { type NatsOptions, type Settings, settings } from './nats-options.ts';

/** How long a living holder of our name may take to say so. */
const claimWait = 1000;
/** How long stop() waits for the broker to take the last frames. */
const stopWait = 1000;
/** Distinct refusals that are told; the rest would be the same fault over and over. */
const refusalsTold = 100;

/**
 * Frames over NATS. A node listens on `<prefix>.<self>.*`; a frame for `peer` goes to `<prefix>.<peer>.<self>` with reply
 * `<prefix>.<self>.<peer>`, so the broker can refuse forged senders (a node may publish to `<prefix>.*.<self>` only) and its
 * "no responders" names the peer. Topics live under `<prefix>.@.topic.`, which no node name can spell, and doors under
 * `<prefix>.name.`, which no node may.
 *
 * Throws TRANSPORT_OPTION_INVALID.
 */
export function nats(options: NatsOptions): Transport {
  return new NatsTransport(settings(options));
}

class NatsTransport implements Transport {
  readonly reconnectWait: number;
  readonly #settings: Settings;
  #connection: NatsConnection | undefined;
  #events: TransportEvents | undefined;
  #node = '';
  #incarnation = 0;
  #maxPayload = 1024 * 1024;
  #connected = false;
  #started = false;
  #stopping: Future<void> | undefined;
  readonly #refusals = new Set<string>();
  /** Ends the start with an error. */
  #refuseStart: ((error: ProcessError) => void) | undefined;

  constructor(given: Settings) {
    this.#settings = given;
    this.reconnectWait = given.reconnectWait;
  }

  get maxPayload(): number {
    return this.#maxPayload;
  }

  get connected(): boolean {
    return this.#connected;
  }

  start(node: string, incarnation: number, events: TransportEvents): Future<void> {
    return Future.from(this.#start(node, incarnation, events));
  }

  publish(peer: string, frame: Uint8Array): void {
    this.#publish(this.#subject(peer, this.#node), frame, { reply: this.#subject(this.#node, peer) });
  }

  announce(topic: string, data: Uint8Array): void {
    this.#publish(this.#topic(topic), data);
  }

  listen(topic: string, receive: (data: Uint8Array) => void): Subscription {
    const subject = this.#topic(topic);
    const subscription = this.#present(`listen on '${topic}'`).subscribe(subject, {
      callback: this.#guarded(
        (message) => receive(message.data),
        (error) => this.#tellRefusal(error),
      ),
    });
    return { cancel: () => subscription.unsubscribe() };
  }

  open(door: string, receive: (message: DoorMessage) => void): Subscription {
    const subject = `${this.#settings.prefix}.${doorToken}.${checkDoor(door)}`;
    const subscription = this.#present(`open door '${door}'`).subscribe(subject, {
      queue: doorQueue,
      callback: this.#guarded(
        (message) => {
          const come = doorMessage(message, (to, data, headers) => this.#publish(to, data, { headers }));
          if (come === undefined) this.#events?.rejected(`door ${door}`, 'a message whose answer belongs in no inbox');
          else receive(come);
        },
        (error) => this.#tellRefusal(error),
      ),
    });
    return { cancel: () => void this.#leave(subscription) };
  }

  /** What came already is still taken. */
  async #leave(subscription: NatsSubscription): Promise<void> {
    if (this.#connected) await subscription.drain().catch(() => undefined);
    else subscription.unsubscribe();
  }

  #present(what: string): NatsConnection {
    if (this.#connection !== undefined) return this.#connection;
    throw new ProcessError('TRANSPORT_UNAVAILABLE', `Cannot ${what} before the node has started`);
  }

  check(): Future<void> {
    return this.#connection === undefined ? Future.abandoned() : Future.from(this.#connection.flush());
  }

  stop(): Future<void> {
    this.#stopping ??= Future.from(this.#stop());
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    const connection = this.#connection;
    this.#connected = false;
    if (connection === undefined || connection.isClosed()) return;
    // Without a broker there is nobody to flush to, and waiting for one would never end.
    await within(stopWait, connection.drain()).catch(() => undefined);
    await connection.close();
  }

  async #start(node: string, incarnation: number, events: TransportEvents): Promise<void> {
    this.#node = checkNotDoors(node);
    this.#incarnation = incarnation;
    this.#events = events;
    const connection = await this.#connect(node);
    this.#connection = connection;
    this.#connected = true;
    this.#readInfo(connection);
    void this.#follow(connection.status());
    void connection.closed().then((error) => this.#closed(error));
    try {
      await this.#claimName(connection);
    } catch (error) {
      this.#connected = false;
      await connection.close();
      throw error;
    }
    this.#started = true;
  }

  async #connect(node: string): Promise<NatsConnection> {
    const { servers, greets, connectTimeout, certified } = this.#settings;
    let greeted: Greeting | undefined;
    try {
      if (greets) greeted = await Promise.any(servers.map((server) => greetingOf(server, connectTimeout)));
      // It would close the connection in the middle of the handshake, which the client takes for silence.
      if (greeted?.verifies === true && !certified)
        throw new Error('it wants a certificate: give tls.cert and tls.key');
      return await connect(this.#settings.connection(node, greeted?.wantsTls === true));
    } catch (error) {
      const doubt = greeted?.verifies === true && certified ? ' (it verifies certificates: does it trust ours?)' : '';
      throw this.#unavailable(`${causeOf(error)}${doubt}`, error);
    }
  }

  /** Listens, and makes sure that nobody else has our name. */
  async #claimName(connection: NatsConnection): Promise<void> {
    const refusal = new Promise<never>((_, reject) => (this.#refuseStart = reject));
    refusal.catch(() => undefined);
    const flushed = async (): Promise<void> => {
      await Promise.race([connection.flush(), refusal]);
      // The broker's refusal comes before its confirmation; its status event takes a turn more.
      await Promise.race([pause(0), refusal]);
    };
    // No node can be called '~', so what comes here is the broker's word that nobody listens under our name.
    const answers = this.#subject(this.#node, '~');
    let free = false;
    const look = connection.subscribe(answers, {
      callback: (error, message) => void (free ||= error === null && isNoResponders(message)),
    });
    this.#say(connection, 'starting', answers);
    await flushed();
    look.unsubscribe();
    this.#listen(connection, `${this.#settings.prefix}.${this.#node}.*`);
    this.#say(connection, 'starting');
    await flushed();
    if (!free) await Promise.race([pause(claimWait), refusal]);
    this.#refuseStart = undefined;
  }

  #listen(connection: NatsConnection, subject: string): NatsSubscription {
    return connection.subscribe(subject, {
      callback: this.#guarded(
        (message) => this.#received(message),
        (error) =>
          this.#fail(this.#unavailable(`it does not permit node '${this.#node}' to listen on '${subject}'`, error)),
      ),
    });
  }

  /** What a callback throws would make the client stop reading for good, and nobody would hear why. */
  #guarded(
    take: (message: Msg) => void,
    refused: (error: Error) => void,
  ): NonNullable<SubscriptionOptions['callback']> {
    return (error, message) => {
      if (error !== null) return refused(error);
      try {
        take(message);
      } catch (thrown) {
        this.#events?.trouble(thrown instanceof Error ? thrown : new Error(messageOf(thrown)));
      }
    };
  }

  #received(message: Msg): void {
    const { subject, data } = message;
    const peer = subject.slice(subject.lastIndexOf('.') + 1);
    if (isNoResponders(message)) this.#events?.noResponders(peer);
    else if (peer === this.#node) this.#heardClaim(data);
    else if (this.#started) this.#events?.frame(peer, data);
  }

  #heardClaim(data: Uint8Array): void {
    const claim = decodeClaim(data);
    if (claim === undefined || this.#connection === undefined) return;
    const verdict = judge(claim, { incarnation: this.#incarnation, started: this.#started });
    if (verdict === 'answer') this.#say(this.#connection, 'taken');
    if (verdict !== 'yield') return;
    const when = this.#started ? 'goes on with' : 'start';
    this.#fail(
      new ProcessError(
        'NODE_NAME_TAKEN',
        `Node '${this.#node}' cannot ${when}: another living node on ${this.#settings.shown} has the name; give this one another`,
      ),
    );
  }

  #say(connection: NatsConnection, kind: ClaimKind, reply?: string): void {
    const own = this.#subject(this.#node, this.#node);
    connection.publish(own, encodeClaim(kind, this.#incarnation), reply === undefined ? {} : { reply });
  }

  async #follow(statuses: AsyncIterable<Status>): Promise<void> {
    for await (const status of statuses) {
      switch (status.type) {
        case Events.Disconnect:
          this.#connected = false;
          if (this.#started) this.#events?.disconnected();
          break;
        case Events.Reconnect:
          this.#reconnected();
          break;
        case Events.Error:
          if (status.permissionContext !== undefined)
            this.#refused(status.permissionContext.operation, status.permissionContext.subject);
          break;
        default:
          break;
      }
    }
  }

  #reconnected(): void {
    const connection = this.#connection;
    if (connection === undefined || this.#stopping !== undefined) return;
    this.#readInfo(connection);
    this.#connected = true;
    if (!this.#started) return;
    this.#say(connection, 'returned');
    this.#events?.connected();
  }

  #readInfo(connection: NatsConnection): void {
    // The client forgets the server's figures while it is disconnected.
    this.#maxPayload = connection.info?.max_payload ?? this.#maxPayload;
  }

  #refused(operation: string, subject: string): void {
    if (this.#refusals.has(subject) || this.#refusals.size >= refusalsTold) return;
    this.#refusals.add(subject);
    const error = new Error(`it does not permit node '${this.#node}' the ${operation} '${subject}'`);
    if (this.#started) this.#tellRefusal(error);
    else this.#fail(this.#unavailable(error.message, error));
  }

  #tellRefusal(error: Error): void {
    if (this.#started) this.#events?.trouble(this.#unavailable(messageOf(error), error));
  }

  #closed(error: void | Error): void {
    this.#connected = false;
    if (this.#stopping !== undefined || !(error instanceof Error)) return;
    this.#fail(this.#unavailable(causeOf(error), error));
  }

  #fail(error: ProcessError): void {
    if (!this.#started) return this.#refuseStart?.(error);
    this.#connected = false;
    if (this.#stopping !== undefined) return;
    void this.stop();
    this.#events?.failed(error);
  }

  #publish(subject: string, data: Uint8Array, options?: { reply?: string; headers?: MsgHdrs }): void {
    // The client would keep what it cannot send; sessions send again what matters.
    if (!this.#connected || this.#connection === undefined) return;
    try {
      this.#connection.publish(subject, data, options);
    } catch (error) {
      // Closed in this very moment, or the broker's limit shrank: both show as frames that did not arrive.
      if (!(error instanceof NatsError)) throw error;
    }
  }

  #subject(to: string, from: string): string {
    return `${this.#settings.prefix}.${to}.${from}`;
  }

  #topic(topic: string): string {
    return `${this.#settings.prefix}.@.topic.${checkTopic(topic)}`;
  }

  #unavailable(cause: string, error?: unknown): ProcessError {
    return new ProcessError('TRANSPORT_UNAVAILABLE', `NATS server ${this.#settings.shown}: ${cause}`, { cause: error });
  }
}

function greetingOf(server: string, timeout: number): Promise<Greeting> {
  const { hostname, port } = new URL(`nats://${server}`);
  return greeting(hostname.replace(/^\[|\]$/g, ''), port === '' ? 4222 : Number(port), timeout);
}

function isNoResponders(message: Msg): boolean {
  return message.data.length === 0 && headersOf(message)?.code === 503;
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

async function within(milliseconds: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => (timer = setTimeout(resolve, milliseconds)));
  await Promise.race([work, limit]);
  clearTimeout(timer);
}
