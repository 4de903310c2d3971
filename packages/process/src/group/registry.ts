import { type Duration, toMilliseconds } from '../duration.ts';
import { ProcessError } from '../errors.ts';
import type { ExitReason } from '../event.ts';
import { Future } from '../future/future.ts';
import type { BodyOf, Message } from '../message.ts';
import { checkNodeName, type LocalPID, PID } from '../pid.ts';
import { Process } from '../process.ts';
import type { Runtime } from '../runtime.ts';
import { checkNotDoors, type Subscription } from '../transport.ts';
import { Candidates } from './candidates.ts';
import { Change, Follow, longestName, Members, mostEntries, State } from './registry-messages.ts';
import { Roster } from './roster.ts';

export interface RegistryOptions {
  /** Where registries name their nodes to each other: those with the same topic find each other. Default `registry`. */
  readonly topic?: string;
  /** How often, give or take a fifth, this node names itself and lost peers are tried again. Default 5 s. */
  readonly announceInterval?: Duration;
  /** Nodes whose names are known at most; further ones are left out. Default 256. */
  readonly mostPeers?: number;
  /**
   * Nodes that are tried on mere hearsay per interval: each costs a session until it answers or counts as unreachable.
   * Default 32.
   */
  readonly mostAttempts?: number;
}

const registryId = 'registry';
const protocol = 1;
/** How long, in milliseconds, a lost peer is tried again without a sign of it. */
const remembered = 600_000;
/** Hints that are kept, or wait for their turn. */
const mostHints = 64;
/** Longest node name. */
const longestNode = 128;

/** What the last registry of a runtime knew of its own processes: its successor goes on with those that live. */
const kept = new WeakMap<Runtime, Roster>();

/** Another node's registry. */
interface Peer {
  /** The process that told its names; undefined until it has. */
  registry: PID | undefined;
  version: number;
  roster: Roster;
  /** It was asked for its names and has not answered. */
  asked: boolean;
  /** Who wants to hear of ours. */
  follower: PID | undefined;
  /** It missed a change. */
  behind: boolean;
}

/**
 * Names for processes, known on every node. A name has any number of members, and each node says which of its own processes
 * they are: nobody can register a process of another. A member that ends, and the members of a node that is lost, are
 * removed. Nodes find each other by naming themselves on a topic; that is a hint and no more, what counts is said over the
 * session with that node. A registry that is restarted, by a supervisor for instance, keeps the names of its node; whoever
 * subscribed links to it and subscribes again. Names are eventually consistent: after a partition heals, within about one interval.
 */
export class Registry extends Process {
  readonly #topic: string;
  readonly #interval: number;
  readonly #mostPeers: number;
  readonly #mostAttempts: number;
  readonly #own = new Roster();
  readonly #peers = new Map<string, Peer>();
  readonly #subscribers = new Roster();
  /** Names whose subscribers have not been told yet. */
  readonly #changed = new Set<string>();
  #candidates: Candidates | undefined;
  #subscription: Subscription | undefined;
  /** Grows with each change to our own names. */
  #version = 0;
  #attempts = 0;
  #waitingHints = 0;

  constructor(options: RegistryOptions = {}) {
    super(registryId);
    this.#topic = options.topic ?? 'registry';
    this.#interval = toMilliseconds(options.announceInterval ?? 5000);
    this.#mostPeers = options.mostPeers ?? 256;
    this.#mostAttempts = options.mostAttempts ?? 32;
  }

  /** The runtime's registry; the first call spawns it. Throws SpawnRefused. */
  static of(runtime: Runtime): LocalPID<Registry> {
    return Registry.find(runtime) ?? runtime.spawn(new Registry());
  }

  /** The runtime's registry, if there is one just now. */
  static find(runtime: Runtime): LocalPID<Registry> | undefined {
    const process = runtime.cell(registryId)?.process;
    return process instanceof Registry ? process.self : undefined;
  }

  /**
   * Makes a process of this node a member of the name, until it ends. FAILED with NAME_INVALID for a name that is empty or
   * longer than 255, PROCESS_NOT_FOUND for what is no living process of this node, REGISTRY_FULL above 65,536 entries.
   */
  register(name: string, pid: PID): Future<void> {
    if (name === '' || name.length > longestName) {
      return refused('NAME_INVALID', `Invalid name '${name.slice(0, 80)}': expected 1 to ${longestName} characters`);
    }
    const member = this.#resolve(pid);
    if (member === undefined) {
      const expected = `expected a living process of node '${this.runtime.name}'`;
      return refused('PROCESS_NOT_FOUND', `Cannot register ${pid.toString()} as '${name}': ${expected}`);
    }
    if (this.#own.size >= mostEntries) {
      return refused(
        'REGISTRY_FULL',
        `Cannot register '${name}': this node has ${mostEntries} entries, the most there can be`,
      );
    }
    this.link(member);
    if (this.#own.add(name, member)) this.#changedOwn(name, member, true);
    return Future.ready(undefined);
  }

  /** True if it was a member. */
  unregister(name: string, pid: PID): boolean {
    const member = this.#resolve(pid);
    if (member === undefined || !this.#own.remove(name, member)) return false;
    this.#changedOwn(name, member, false);
    return true;
  }

  /** The members on all nodes, this node's first, as far as known. */
  lookup(name: string): readonly PID[] {
    return [this.#own, ...this.#rosters()].flatMap((roster) => [...roster.members(name)]);
  }

  /** One of the members, by chance. */
  one(name: string): PID | undefined {
    const members = this.lookup(name);
    return members[Math.floor(this.random.next() * members.length)];
  }

  /** Every name that has a member. */
  names(): readonly string[] {
    return [...new Set([this.#own, ...this.#rosters()].flatMap((roster) => roster.names))];
  }

  /**
   * Sends `Members` to a process of this node: now, and after changes, until it ends or `unsubscribe`. FAILED with
   * PROCESS_NOT_FOUND for what is no living process of this node.
   */
  subscribe(name: string, subscriber: PID): Future<void> {
    const pid = this.#resolve(subscriber);
    if (pid === undefined) return refused('PROCESS_NOT_FOUND', `${subscriber.toString()} is no process of this node`);
    this.link(pid);
    this.#subscribers.add(name, pid);
    this.send(pid, Members, { name, members: this.lookup(name) });
    return Future.ready(undefined);
  }

  unsubscribe(name: string, subscriber: PID): void {
    const pid = this.#resolve(subscriber);
    if (pid !== undefined) this.#subscribers.remove(name, pid);
  }

  /**
   * Sends a message to every member, once each, on this node and others. Gives how many took it; of those on other nodes,
   * how many it was sent to.
   * @param from the sender, a process of this node. Default: nobody.
   */
  publish<T>(name: string, kind: Message<T>, body: T, from: PID = this.runtime.nobody): number {
    let taken = 0;
    for (const pid of this.lookup(name)) {
      if (this.runtime.delivery.message(pid, kind as Message<unknown>, body, from)) taken++;
    }
    return taken;
  }

  /** Nodes whose names are known. */
  nodes(): readonly string[] {
    return [...this.#peers].filter(([, { registry }]) => registry !== undefined).map(([node]) => node);
  }

  protected override initialize(): void {
    this.#candidates = new Candidates(this.random, mostHints);
    this.#inherit();
    this.install(Follow, (_body, from) => this.#heardFollow(from));
    this.install(State, (state, from) => this.#heardState(state, from));
    this.install(Change, (change, from) => this.#heardChange(change, from));
    const hinted = this.defer((node: string) => {
      this.#waitingHints--;
      this.#hinted(node);
    });
    this.#subscription = this.runtime.listen(this.#topic, (data) => {
      // Outside any turn, and from anybody: a flood must not fill the mailbox.
      if (data.length > longestNode || this.#waitingHints >= mostHints) return;
      this.#waitingHints++;
      hinted(new TextDecoder().decode(data));
    });
    this.#beat();
  }

  protected override finalize(): void {
    this.#subscription?.cancel();
  }

  protected override exited(pid: PID, reason: ExitReason): void {
    if (pid.node !== this.runtime.name) return this.#lost(pid, reason);
    for (const name of this.#subscribers.namesOf(pid)) this.#subscribers.remove(name, pid);
    for (const name of this.#own.namesOf(pid)) {
      this.#own.remove(name, pid);
      this.#changedOwn(name, pid, false);
    }
  }

  #inherit(): void {
    for (const [name, pid] of kept.get(this.runtime)?.entries() ?? []) {
      if (this.#resolve(pid) !== undefined && this.#own.add(name, pid)) this.link(pid);
    }
    kept.set(this.runtime, this.#own);
  }

  /** The exact address of a living process of this node. */
  #resolve(pid: PID): PID | undefined {
    const cell = pid.node === this.runtime.name ? this.runtime.cell(pid.id) : undefined;
    return cell === undefined || (pid.isExact && !cell.pid.equals(pid)) ? undefined : cell.pid;
  }

  *#rosters(): Generator<Roster> {
    for (const { roster } of this.#peers.values()) yield roster;
  }

  // ---- telling

  #changedOwn(name: string, pid: PID, present: boolean): void {
    const change = { version: ++this.#version, name, id: pid.id, generation: pid.generation, present };
    for (const peer of this.#peers.values()) {
      if (peer.follower !== undefined && !peer.behind) peer.behind = !this.send(peer.follower, Change, change);
    }
    this.#tellSubscribers(name);
  }

  /** Soon: what else is in the mailbox may change the same name. */
  #tellSubscribers(name: string): void {
    if (this.#changed.size === 0) this.defer(() => this.#tellChanged())();
    this.#changed.add(name);
  }

  #tellChanged(): void {
    const changed = [...this.#changed];
    this.#changed.clear();
    for (const name of changed) {
      const subscribers = [...this.#subscribers.members(name)];
      if (subscribers.length === 0) continue;
      const members = this.lookup(name);
      for (const subscriber of subscribers) this.send(subscriber, Members, { name, members });
    }
  }

  #sendState(peer: Peer): void {
    if (peer.follower === undefined) return;
    const entries = [...this.#own.entries()].map(([name, { id, generation }]) => ({ name, id, generation }));
    peer.behind = !this.send(peer.follower, State, { version: this.#version, entries });
  }

  // ---- listening

  #heardFollow(from: PID): void {
    if (from.id !== registryId || from.node === this.runtime.name) return;
    const peer = this.#peers.get(from.node) ?? this.#follow(from.node);
    if (peer === undefined) return;
    peer.follower = from;
    this.#sendState(peer);
  }

  #heardState({ version, entries }: BodyOf<typeof State>, from: PID): void {
    const peer = this.#peers.get(from.node);
    if (peer === undefined || from.id !== registryId) return;
    const roster = new Roster();
    for (const { name, id, generation } of entries) roster.add(name, memberOf(from, id, generation));
    const changed = peer.roster.changes(roster);
    peer.registry = from;
    peer.version = version;
    peer.roster = roster;
    peer.asked = false;
    this.#candidates?.forget(from.node);
    for (const name of changed) this.#tellSubscribers(name);
  }

  #heardChange({ version, name, id, generation, present }: BodyOf<typeof Change>, from: PID): void {
    const peer = this.#peers.get(from.node);
    if (peer?.registry?.equals(from) !== true || version <= peer.version) return;
    if (version !== peer.version + 1) return this.#ask(peer, from.node);
    peer.version = version;
    const pid = memberOf(from, id, generation);
    if (present && peer.roster.size >= mostEntries) return;
    if (present ? peer.roster.add(name, pid) : peer.roster.remove(name, pid)) this.#tellSubscribers(name);
  }

  #lost({ id, node }: PID, reason: ExitReason): void {
    const peer = this.#peers.get(node);
    if (peer === undefined || id !== registryId) return;
    this.#peers.delete(node);
    for (const name of peer.roster.names) this.#tellSubscribers(name);
    // One that was ended, as by the stop of its node, announces itself when it comes back.
    if (peer.registry === undefined || reason.kind === 'terminated') return;
    this.#candidates?.remember(node, this.clock.now() + remembered);
    // A registry that was restarted is there already, and its first announcement may have overtaken this word.
    this.#attempt();
  }

  // ---- finding

  #beat(): void {
    this.runtime.announce(this.#topic, new TextEncoder().encode(this.runtime.name));
    this.#attempts = 0;
    for (const [node, peer] of this.#peers) {
      if (peer.asked) this.#ask(peer, node);
      if (peer.behind) this.#sendState(peer);
    }
    this.#attempt();
    this.delay(this.#interval * (0.8 + 0.4 * this.random.next()), () => this.#beat());
  }

  #hinted(node: string): void {
    if (node === this.runtime.name || this.#peers.has(node) || !canBeNode(node)) return;
    this.#candidates?.hint(node, this.clock.now() + 2 * this.#interval);
    this.#attempt();
  }

  #attempt(): void {
    while (this.#attempts < this.#mostAttempts) {
      const node = this.#candidates?.draw(this.clock.now(), (one) => this.#peers.has(one));
      if (node === undefined || this.#follow(node) === undefined) return;
      this.#attempts++;
    }
  }

  /** Undefined if there are too many peers already. */
  #follow(node: string): Peer | undefined {
    if (this.#peers.size >= this.#mostPeers) {
      this.runtime.log.warn(
        { node, mostPeers: this.#mostPeers },
        'the registry leaves out a node: it has too many peers',
      );
      return undefined;
    }
    const peer: Peer = {
      registry: undefined,
      version: 0,
      roster: new Roster(),
      asked: true,
      follower: undefined,
      behind: false,
    };
    this.#peers.set(node, peer);
    this.link(new PID(registryId, node));
    this.#ask(peer, node);
    return peer;
  }

  #ask(peer: Peer, node: string): void {
    peer.asked = true;
    this.send(new PID(registryId, node), Follow, { protocol });
  }
}

function canBeNode(name: string): boolean {
  try {
    checkNotDoors(checkNodeName(name));
    return true;
  } catch {
    return false;
  }
}

/** A process of the node that tells of it. */
function memberOf(teller: PID, id: string, generation: number): PID {
  return new PID(id, teller.node, teller.incarnation, generation);
}

function refused(code: 'NAME_INVALID' | 'PROCESS_NOT_FOUND' | 'REGISTRY_FULL', text: string): Future<never> {
  return Future.failed(new ProcessError(code, text));
}
