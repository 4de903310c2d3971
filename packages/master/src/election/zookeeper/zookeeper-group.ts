import { Future, message, messageOf, type PID, Process, type Timer } from '@mezzo/process';
import type { Term } from '@mezzo/protocol';
import { prudence } from '../contender.ts';
import { lowest, memberPrefix } from './master-info.ts';
import { ZooKeeperSession } from './zookeeper-session.ts';
import type { ZooKeeperUrl } from './zookeeper-url.ts';

// Between a group and its owner, in one runtime.

/** The group was seen. */
export const GroupSeen = message<{
  /** What the leader's node holds; undefined if there is no member. */
  readonly data: Uint8Array | undefined;
  /** The reign of whoever joined here, if its node is the leader's. */
  readonly term: Term | undefined;
  /** By the runtime's clock: whatever happens, the session lives until then. */
  readonly until: number;
}>('zookeeper.group-seen');

/** The session is over, and with it the node made in it; another one follows. */
export const GroupLost = message<{ readonly why: string }>('zookeeper.group-lost');

/** What the joined node holds from now on; lost with the session. */
export const Publish = message<{ readonly data: Uint8Array }>('zookeeper.publish');

/** Ends the session, and begins another after so many milliseconds. */
export const Leave = message<{ readonly pause: number }>('zookeeper.leave');

interface Seen {
  /** Of all members. */
  readonly names: readonly string[];
  /** What the leader's node holds. */
  readonly data: Uint8Array | undefined;
}

/** The node made here, and the term of the reign it stands for. */
interface Member {
  readonly path: string;
  readonly name: string;
  readonly term: Term;
}

export interface ZooKeeperGroupOptions {
  readonly url: ZooKeeperUrl;
  /** Milliseconds. */
  readonly sessionTimeout: number;
  /** Hears GroupSeen and GroupLost; when it ends, so does the group. */
  readonly owner: PID;
  /** What the node holds that is made here. Default: none is made. */
  readonly join?: Uint8Array;
}

/**
 * The masters that are in ZooKeeper, as Mesos's are: each has made a node there for the time of its session, and the one with
 * the lowest number leads. Looks at them when they change, and five times in a session's timeout.
 */
export class ZooKeeperGroup extends Process {
  readonly #url: ZooKeeperUrl;
  readonly #sessionTimeout: number;
  readonly #owner: PID;
  readonly #join: Uint8Array | undefined;
  #session: ZooKeeperSession | undefined;
  #member: Member | undefined;
  /** When it asked for what came last, or began the session. */
  #provenAt = 0;
  #looking = false;
  /** Something changed since it began to look. */
  #changed = false;
  /** What the session watches: another watch for the same would only cost. */
  readonly #watched = new Set<string>();
  #next: Timer | undefined;

  constructor({ url, sessionTimeout, owner, join }: ZooKeeperGroupOptions) {
    super();
    this.#url = url;
    this.#sessionTimeout = sessionTimeout;
    this.#owner = owner;
    this.#join = join;
    this.install(Publish, ({ data }) => this.#publish(data));
    this.install(Leave, ({ pause }) => this.#reopen('it left', pause));
  }

  protected override initialize(): void {
    this.link(this.#owner);
    this.#open();
  }

  protected override exited(): void {
    this.terminate();
  }

  protected override finalize(): void {
    this.#session?.close();
  }

  get #pause(): number {
    return this.#sessionTimeout / 5;
  }

  // ---- one session after another

  #open(): void {
    const ended = this.defer((why: string) => this.#reopen(why, this.#pause, session));
    const session = new ZooKeeperSession(this.#url, this.#sessionTimeout, ended);
    this.#session = session;
    this.#provenAt = this.clock.now();
    const ready = session.ensure(this.#url.path).andThen(() => this.#makeMember(session));
    const failed = (why: string): void => this.#reopen(why, this.#pause);
    this.#await(session, ready, failed, (member) => {
      this.#member = member;
      this.#look();
    });
  }

  #makeMember(session: ZooKeeperSession): Future<Member | undefined> {
    const { path: parent } = this.#url;
    if (this.#join === undefined) return session.facts(parent).map(() => undefined);
    return session.join(`${parent}/${memberPrefix}`, this.#join).andThen((path) =>
      session.facts(parent).andThen((ofParent) =>
        session.facts(path).map((own) => {
          if (ofParent === undefined || own === undefined) throw new Error(`${path} is gone`);
          const term = { created: ofParent.createdAt, revision: own.createdBy };
          return { path, name: path.slice(parent.length + 1), term };
        }),
      ),
    );
  }

  /** @param of nothing is done if that is not the session of now */
  #reopen(why: string, pause: number, of = this.#session): void {
    if (of !== this.#session) return;
    this.#session?.close();
    this.#session = this.#member = undefined;
    this.#looking = this.#changed = false;
    this.#watched.clear();
    this.runtime.log.warn({ why }, 'The session with ZooKeeper is over');
    this.send(this.#owner, GroupLost, { why });
    this.#next?.cancel();
    this.#next = this.delay(pause, () => this.#open());
  }

  // ---- within a session

  #look(): void {
    const session = this.#session;
    this.#changed = true;
    if (session === undefined || this.#looking) return;
    this.#looking = true;
    this.#changed = false;
    this.#next?.cancel();
    const asked = this.clock.now();
    this.#await(
      session,
      this.#see(session),
      (why) => this.#lookAgain(why),
      ({ names, data }) => {
        this.#provenAt = asked;
        this.#saw(names, data, asked + session.timeout * prudence);
      },
    );
  }

  #see(session: ZooKeeperSession): Future<Seen> {
    const { path: parent } = this.#url;
    const confirmed = this.#member === undefined ? session.facts(parent) : session.confirm(this.#member.path);
    return confirmed
      .map(() => undefined)
      .andThen(() => session.children(parent, this.#watch(session, parent)))
      .andThen((names) => {
        const leader = lowest(names);
        if (leader === undefined) return Future.ready({ names, data: undefined });
        const path = `${parent}/${leader}`;
        return session.data(path, this.#watch(session, path)).map((data): Seen => ({ names, data }));
      });
  }

  #saw(names: readonly string[], data: Uint8Array | undefined, until: number): void {
    this.#looking = false;
    const member = this.#member;
    if (member !== undefined && !names.includes(member.name)) {
      return this.#reopen('its node in ZooKeeper was removed', this.#pause);
    }
    const term = member !== undefined && lowest(names) === member.name ? member.term : undefined;
    this.send(this.#owner, GroupSeen, { data, term, until });
    if (this.#changed) this.#look();
    else this.#next = this.delay(this.#pause, () => this.#look());
  }

  /** A connection may break, or a node go between two questions, while the session lives on. */
  #lookAgain(why: string): void {
    this.#looking = false;
    // What failed may have been what was to set the watch.
    this.#watched.clear();
    if (this.clock.now() - this.#provenAt >= this.#sessionTimeout) this.#reopen(why, 0);
    else this.#next = this.delay(this.#pause / 8, () => this.#look());
  }

  #watch(session: ZooKeeperSession, path: string): (() => void) | undefined {
    if (this.#watched.has(path)) return undefined;
    this.#watched.add(path);
    return this.defer(() => {
      if (session !== this.#session) return;
      this.#watched.delete(path);
      this.#look();
    });
  }

  #publish(data: Uint8Array): void {
    const [session, member] = [this.#session, this.#member];
    if (session === undefined || member === undefined) return;
    session.write(member.path, data).onFailed(
      this.defer((error: unknown) => {
        if (session !== this.#session) return;
        this.runtime.log.warn({ why: messageOf(error) }, 'ZooKeeper cannot be told who leads; trying again');
        this.delay(this.#pause, () => {
          if (session === this.#session) this.#publish(data);
        });
      }),
    );
  }

  /** Goes on with the outcome, unless the session is over by then; too long a wait ends the session. */
  #await<T>(session: ZooKeeperSession, operation: Future<T>, failed: (why: string) => void, ready: (value: T) => void) {
    const due = this.#provenAt + this.#sessionTimeout - this.clock.now();
    const limit = this.delay(Math.max(due, 0), () => this.#reopen('ZooKeeper does not answer', this.#pause, session));
    operation.onAny(
      this.defer((outcome: Future<T>) => {
        limit.cancel();
        if (session !== this.#session) return;
        if (outcome.isReady) ready(outcome.get());
        else failed(outcome.isFailed ? messageOf(outcome.failure()) : 'no answer');
      }),
    );
  }
}
