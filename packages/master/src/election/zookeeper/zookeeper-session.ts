import { Deferred, type Future } from '@mezzo/process';
import zookeeper from 'node-zookeeper-client';
import type { ZooKeeperUrl } from './zookeeper-url.ts';

/** What ZooKeeper knows of a node besides its data. */
export interface NodeFacts {
  /** The transaction that made it: later ones are larger. */
  readonly createdBy: number;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

interface Stat {
  readonly czxid: Buffer;
  readonly ctime: Buffer;
}

/** No node has been written so often. */
const noVersion = 2 ** 31 - 1;

/**
 * One session with ZooKeeper: nodes it made for its own time are gone with it. Its operations fail with the client's errors,
 * and may stay pending while no server can be reached.
 */
export class ZooKeeperSession {
  readonly #client: zookeeper.Client;
  readonly #acl: zookeeper.ACL[];
  readonly #connected = new Deferred<void>();

  /** @param timeout milliseconds without a word from us after which the session is over; servers have bounds for it */
  constructor({ servers, credentials }: ZooKeeperUrl, timeout: number, ended: (why: string) => void) {
    const { ACL, Id, Permission } = zookeeper;
    const anybody = new Id('world', 'anyone');
    this.#acl =
      credentials === undefined
        ? [new ACL(Permission.ALL, anybody)]
        : [new ACL(Permission.READ, anybody), new ACL(Permission.ALL, new Id('auth', ''))];
    this.#client = zookeeper.createClient(servers, { sessionTimeout: timeout, spinDelay: 250, retries: 0 });
    this.#client.once('connected', () => {
      // The client would send it behind whatever waits for the connection, which needs it: so nothing may wait.
      if (credentials !== undefined) this.#client.addAuthInfo('digest', Buffer.from(credentials));
      this.#connected.set(undefined);
    });
    this.#client.on('disconnected', () => forgetHalfAnswer(this.#client));
    this.#client.once('expired', () => ended('its ZooKeeper session has expired'));
    this.#client.once('authenticationFailed', () => ended('ZooKeeper refuses its credentials'));
    this.#client.connect();
  }

  /** Milliseconds; what the server agreed to, once it did. */
  get timeout(): number {
    return this.#client.getSessionTimeout();
  }

  /** Makes a node and those above it, unless they are there, once there is a connection: the first thing to do. */
  ensure(path: string): Future<void> {
    return this.#connected.future.andThen(() => {
      const done = new Deferred<void>();
      this.#client.mkdirp(path, this.#acl, (error) => void (error ? done.fail(error) : done.set(undefined)));
      return done.future;
    });
  }

  /** Makes a node for the time of this session; its path is the prefix and ten digits that grow. */
  join(prefix: string, data: Uint8Array): Future<string> {
    const made = new Deferred<string>();
    const mode = zookeeper.CreateMode.EPHEMERAL_SEQUENTIAL;
    this.#client.create(prefix, Buffer.from(data), this.#acl, mode, (error, path) => {
      if (error) made.fail(error);
      else made.set(path);
    });
    return made.future;
  }

  /** Undefined if there is no such node. */
  facts(path: string): Future<NodeFacts | undefined> {
    const known = new Deferred<NodeFacts | undefined>();
    this.#client.exists(path, (error, stat: Stat | null) => {
      if (error) known.fail(error);
      else known.set(stat === null ? undefined : { createdBy: numberOf(stat.czxid), createdAt: numberOf(stat.ctime) });
    });
    return known.future;
  }

  /** The names of the nodes under a path; `changed` is called once when they are others. */
  children(path: string, changed: (() => void) | undefined): Future<readonly string[]> {
    const names = new Deferred<readonly string[]>();
    const took = (error: Error | zookeeper.Exception | null, found: readonly string[]): void => {
      if (error) names.fail(error);
      else names.set(found);
    };
    if (changed === undefined) this.#client.getChildren(path, took);
    else this.#client.getChildren(path, changed, took);
    return names.future;
  }

  /** `changed` is called once when it is another or the node is gone. */
  data(path: string, changed: (() => void) | undefined): Future<Uint8Array> {
    const data = new Deferred<Uint8Array>();
    const took = (error: Error | zookeeper.Exception | null, found: Buffer | undefined): void => {
      if (error) data.fail(error);
      else data.set(found ?? new Uint8Array());
    };
    if (changed === undefined) this.#client.getData(path, took);
    else this.#client.getData(path, changed, took);
    return data.future;
  }

  write(path: string, data: Uint8Array): Future<void> {
    const done = new Deferred<void>();
    this.#client.setData(path, Buffer.from(data), (error) => void (error ? done.fail(error) : done.set(undefined)));
    return done.future;
  }

  /**
   * READY if a majority of the servers still knows this session and the node. Reading proves neither: a server that was cut
   * off from the others goes on answering for a while. So it writes what must be refused, which changes nothing.
   */
  confirm(path: string): Future<void> {
    const done = new Deferred<void>();
    this.#client.setData(path, Buffer.alloc(0), noVersion, (error) => {
      if (error !== null && 'code' in error && error.code === zookeeper.Exception.BAD_VERSION) done.set(undefined);
      else done.fail(error ?? new Error(`${path} has been written ${noVersion} times`));
    });
    return done.future;
  }

  /** Ends it now, with all it made. */
  close(): void {
    this.#client.removeAllListeners();
    this.#client.close();
  }
}

function numberOf(bytes: Buffer): number {
  return Number(bytes.readBigInt64BE());
}

/**
 * The client (1.1.3) keeps what it has of an answer when its connection breaks, takes the next connection's first bytes for the
 * rest, and throws out of its socket's handler over what comes of that.
 */
function forgetHalfAnswer(client: zookeeper.Client): void {
  const manager: unknown = Reflect.get(client, 'connectionManager');
  if (typeof manager === 'object' && manager !== null) Reflect.set(manager, 'pendingBuffer', null);
}
