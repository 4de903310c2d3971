import {
  connect,
  DiscardPolicy,
  ErrorCode,
  headers,
  type JetStreamClient,
  type JetStreamManager,
  type MsgRequest,
  NatsError,
  type NatsConnection,
  RetentionPolicy,
  StorageType,
  type StoredMsg,
  type StreamConfig,
  type StreamInfo,
} from 'nats';

import { type Duration, toMilliseconds } from '../duration.ts';
import { type ErrorCode as ProcessErrorCode, ProcessError } from '../errors.ts';
import { Future } from '../future/future.ts';
import { causeOf } from '../nats/cause.ts';
import { greeting } from '../nats/greeting.ts';
import { type NatsOptions, type Settings, settings } from '../nats/nats-options.ts';
import {
  enableJetStream,
  isAlone,
  isNameInUse,
  isNoMessage,
  isNoStream,
  isNotEnabled,
  isPassing,
  isWrongLast,
  whyNot,
} from './failure.ts';

/** How many servers hold a copy. JetStream knows more than half of them must run. */
export type Replicas = 1 | 3 | 5;

export interface JetStreamOptions extends NatsOptions {
  /**
   * How many servers hold a copy. Default: 3 where the server is in a cluster, 1 where it stands alone; what exists already
   * keeps what it has. More than it has are added; fewer are not taken away.
   */
  readonly replicas?: Replicas;
  /** For about so long an operation is tried again while the server or the leader of the stream is away. */
  readonly timeout?: Duration;
}

/** A stream, and what it must be like. */
export interface StreamPlan {
  readonly name: string;
  /** What it is to us, for messages. */
  readonly what: string;
  readonly code: Extract<ProcessErrorCode, 'LOG_UNAVAILABLE' | 'LEASE_UNAVAILABLE'>;
  /** Default of the option. */
  readonly timeout: Duration;
  /** What the stream must be, new or not. */
  readonly demands: Partial<StreamConfig>;
  /** What a new one is besides. */
  readonly wishes: Partial<StreamConfig>;
}

interface Session {
  readonly connection: NatsConnection;
  readonly client: JetStreamClient;
  readonly manager: JetStreamManager;
}

/** Milliseconds that one request may take before it is made again. */
const requestTimeout = 2000;
/** Milliseconds between two attempts. */
const retryWait = 100;
/** How long close() waits for what is under way. */
const closeWait = 1000;

/** Becomes part of subjects and names of files on the server. */
export function checkToken(option: string, given: string): string {
  if (/^[A-Za-z0-9_-]{1,128}$/.test(given)) return given;
  throw new ProcessError(
    'TRANSPORT_OPTION_INVALID',
    `Invalid JetStream option ${option}: got '${given}', expected 1 to 128 letters, digits, '-' or '_'`,
  );
}

/**
 * One stream of JetStream over a connection of its own, made if it is missing. Every operation is tried again while its
 * cause may pass, and fails with the code of the plan.
 */
export class ServerStream {
  /** First tokens of our own subjects. */
  readonly prefix: string;
  readonly #plan: StreamPlan;
  readonly #settings: Settings;
  readonly #replicas: Replicas | undefined;
  readonly #timeout: number;
  readonly #underWay = new Set<Promise<unknown>>();
  #session: Promise<Session> | undefined;
  #closing: Future<void> | undefined;
  #closed = false;

  /** Throws TRANSPORT_OPTION_INVALID. */
  constructor(options: JetStreamOptions, plan: (prefix: string) => StreamPlan) {
    this.#settings = settings(options);
    this.prefix = this.#settings.prefix;
    this.#plan = plan(this.prefix);
    const { replicas } = options;
    if (replicas !== undefined && ![1, 3, 5].includes(replicas)) {
      throw new ProcessError(
        'TRANSPORT_OPTION_INVALID',
        `Invalid JetStream option replicas: got ${String(replicas)}, expected 1, 3 or 5`,
      );
    }
    this.#replicas = replicas;
    this.#timeout = toMilliseconds(options.timeout ?? this.#plan.timeout);
  }

  get #requestTimeout(): number {
    return Math.max(1, Math.min(requestTimeout, this.#timeout));
  }

  info(): Promise<StreamInfo> {
    return this.#persist(({ manager }) => manager.streams.info(this.#plan.name));
  }

  /** Largest payload in bytes that one message may have. */
  maxPayload(): Promise<number> {
    return this.#persist(async ({ connection }) => connection.info?.max_payload ?? 0);
  }

  /** As the leader of the stream has it; undefined if there is none. */
  message(query: MsgRequest): Promise<StoredMsg | undefined> {
    return this.#persist(async ({ manager }) => {
      try {
        return await manager.streams.getMessage(this.#plan.name, query);
      } catch (error) {
        if (isNoMessage(error)) return undefined;
        throw error;
      }
    });
  }

  /**
   * The message of that sequence, which the stream had once: a leader that has just been chosen may lag behind, so it is
   * asked again. 'purged' if the stream begins later now; undefined if it stays away.
   */
  async messageAt(seq: number): Promise<StoredMsg | 'purged' | undefined> {
    const { name } = this.#plan;
    const attempt = async ({ manager }: Session): Promise<StoredMsg | 'purged'> => {
      try {
        return await manager.streams.getMessage(name, { seq });
      } catch (error) {
        if (isNoMessage(error) && (await manager.streams.info(name)).state.first_seq > seq) return 'purged';
        throw error;
      }
    };
    try {
      return await this.#attempts(attempt, (error) => isPassing(error) || isNoMessage(error));
    } catch (error) {
      if (isNoMessage(error)) return undefined;
      throw this.#told(error);
    }
  }

  /**
   * Puts a message onto the stream's one subject if the newest one there has the sequence `expected` (0: there is none). An attempt of
   * which no word came back is made again under the same condition, so at most one of them counts.
   *
   * @param fields that no other message has
   * @param successor finds the message that came after the expected one
   * @returns its sequence, or undefined if somebody else has put one there
   */
  put(
    subject: string,
    expected: number,
    fields: Readonly<Record<string, string>>,
    data: Uint8Array,
    successor: () => Promise<StoredMsg | 'purged' | undefined>,
  ): Promise<number | undefined> {
    let inDoubt = false;
    return this.#persist(async ({ client }) => {
      try {
        // Without a message id: the server would take a message that it saw lately for done, whatever it expects.
        const { seq } = await client.publish(subject, data, {
          headers: headersFrom(fields),
          // That of the stream is checked again where replicas agree; that of the subject, unless it is 0, is not by older
          // servers: of several at once, 2.9.10 confirms each. A stream that was emptied goes on counting, so there 0 is of
          // the subject alone.
          expect: { ...(expected > 0 && { lastSequence: expected }), lastSubjectSequence: expected },
          timeout: this.#requestTimeout,
        });
        return seq;
      } catch (error) {
        if (!isWrongLast(error)) {
          inDoubt = true;
          throw error;
        }
      }
      if (!inDoubt) return undefined;
      const found = await successor();
      if (found === undefined || found === 'purged')
        throw new Error('somebody wrote, and whether we did so before cannot be told any more');
      const isOurs = Object.entries(fields).every(([name, value]) => found.header.get(name) === value);
      return isOurs ? found.seq : undefined;
    });
  }

  /** Removes what is older than the sequence. */
  purge(sequence: number): Promise<void> {
    return this.#persist(async ({ manager }) => {
      await manager.streams.purge(this.#plan.name, { seq: sequence });
    });
  }

  /** The connection as it is now, for subscriptions, which outlive interruptions but not its end. */
  connection(): Promise<NatsConnection> {
    return this.#persist(async ({ connection }) => connection);
  }

  /** What close() waits for. */
  operation<T>(work: () => Promise<T>): Future<T> {
    if (this.#closing !== undefined) return Future.failed(this.#failure('it was closed here'));
    const working = work();
    this.#underWay.add(working);
    const done = (): void => void this.#underWay.delete(working);
    working.then(done, done);
    return Future.from(working);
  }

  /** Waits up to a second for what is under way. */
  close(): Future<void> {
    this.#closing ??= Future.from(this.#close());
    return this.#closing;
  }

  async #close(): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<void>((resolve) => (timer = setTimeout(resolve, closeWait)));
    await Promise.race([Promise.allSettled(this.#underWay), limit]);
    clearTimeout(timer);
    this.#closed = true;
    await this.#session?.then(
      ({ connection }) => connection.close(),
      () => undefined,
    );
  }

  /** @throws ProcessError with the plan's code. */
  async #persist<T>(work: (session: Session) => Promise<T>): Promise<T> {
    try {
      return await this.#attempts(work);
    } catch (error) {
      throw this.#told(error);
    }
  }

  async #attempts<T>(work: (session: Session) => Promise<T>, passes = isPassing): Promise<T> {
    const deadline = performance.now() + this.#timeout;
    for (;;) {
      try {
        const session = await this.#present();
        // The client would keep a request until it is connected, when nobody waits for the answer any more.
        if (session.connection.info === undefined) throw NatsError.errorForCode(ErrorCode.Disconnect);
        return await work(session);
      } catch (error) {
        if (!passes(error) || this.#closed || performance.now() > deadline) throw error;
      }
      await pause(retryWait);
    }
  }

  #present(): Promise<Session> {
    if (this.#session !== undefined) return this.#session;
    const session = this.#start();
    this.#session = session;
    const forget = (): void => {
      if (this.#session === session) this.#session = undefined;
    };
    session.then(({ connection }) => connection.closed()).then(forget, forget);
    return session;
  }

  async #start(): Promise<Session> {
    const connection = await this.#connect();
    try {
      const timeout = this.#requestTimeout;
      const manager = await connection.jetstreamManager({ timeout, checkAPI: false });
      await this.#ensure(manager);
      return { connection, manager, client: connection.jetstream({ timeout }) };
    } catch (error) {
      await connection.close();
      throw error;
    }
  }

  async #connect(): Promise<NatsConnection> {
    const { servers, greets, connectTimeout } = this.#settings;
    try {
      const greeted = greets
        ? await Promise.any(servers.map((server) => greetingOf(server, connectTimeout)))
        : undefined;
      return await connect({
        ...this.#settings.connection(`${this.prefix} ${this.#plan.what}`, greeted?.wantsTls === true),
        // Permissions can name it, so that nobody else may read what we are answered.
        inboxPrefix: `_INBOX_${this.#plan.name}`,
      });
    } catch (error) {
      throw this.#failure(causeOf(error), error);
    }
  }

  async #ensure(manager: JetStreamManager): Promise<void> {
    const { name } = this.#plan;
    const { config } = (await this.#find(manager)) ?? (await this.#create(manager));
    this.#check(config);
    if (this.#replicas !== undefined && config.num_replicas < this.#replicas) {
      await manager.streams.update(name, { num_replicas: this.#replicas });
    }
  }

  async #find(manager: JetStreamManager): Promise<StreamInfo | undefined> {
    try {
      return await manager.streams.info(this.#plan.name);
    } catch (error) {
      if (isNoStream(error)) return undefined;
      throw isNotEnabled(error) ? this.#failure(enableJetStream, error) : error;
    }
  }

  async #create(manager: JetStreamManager, replicas: Replicas = this.#replicas ?? 3): Promise<StreamInfo> {
    const { name, demands, wishes } = this.#plan;
    try {
      return await manager.streams.add({ name, ...demands, ...wishes, num_replicas: replicas });
    } catch (error) {
      if (isAlone(error) && this.#replicas === undefined && replicas !== 1) return this.#create(manager, 1);
      // Somebody else has just made it.
      const made = isNameInUse(error) ? await this.#find(manager) : undefined;
      if (made === undefined) throw error;
      return made;
    }
  }

  #check(config: StreamConfig): void {
    for (const [key, wanted] of Object.entries(this.#plan.demands)) {
      const given: unknown = Reflect.get(config, key);
      if (JSON.stringify(given) === JSON.stringify(wanted)) continue;
      throw this.#failure(
        `it exists, but its ${key} is ${JSON.stringify(given)} where a ${this.#plan.what} needs ${JSON.stringify(wanted)}: change it, or give another name`,
      );
    }
  }

  #told(error: unknown): ProcessError {
    return error instanceof ProcessError ? error : this.#failure(whyNot(error, this.#replicas), error);
  }

  #failure(why: string, cause?: unknown): ProcessError {
    const { code, name } = this.#plan;
    return new ProcessError(code, `JetStream stream '${name}' on ${this.#settings.shown}: ${why}`, { cause });
  }
}

/** What both kinds of stream must be: on disk, and forgetting nothing by themselves. */
export const durable: Partial<StreamConfig> = {
  retention: RetentionPolicy.Limits,
  storage: StorageType.File,
  discard: DiscardPolicy.New,
  max_age: 0,
  max_msgs: -1,
};

function headersFrom(fields: Readonly<Record<string, string>>): ReturnType<typeof headers> {
  const made = headers();
  for (const [name, value] of Object.entries(fields)) made.set(name, value);
  return made;
}

function greetingOf(server: string, timeout: number): ReturnType<typeof greeting> {
  const { hostname, port } = new URL(`nats://${server}`);
  return greeting(hostname.replace(/^\[|\]$/g, ''), port === '' ? 4222 : Number(port), timeout);
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}
