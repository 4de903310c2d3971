import { type Duration, toMilliseconds } from './duration.ts';
import { AskTimeout, ProcessError, ProcessGone } from './errors.ts';
import { Deferred, type Future } from './future/future.ts';
import { NetworkTransport } from './network-transport.ts';
import type { Clock } from './platform/platform.ts';
import {
  checkNotDoors,
  type DoorHeaders,
  type DoorMessage,
  type Subscription,
  type Transport,
  type TransportEvents,
} from './transport.ts';

/** Fate of one frame on an in-process network: lost, or delivered after so many milliseconds. */
export type Fate = 'lost' | { readonly delay: number };

export interface NetworkOptions {
  /** Where timers of delayed frames live. */
  readonly clock: Clock;
  /** Largest frame in bytes. Default 1 MB, as a NATS server's. */
  readonly maxPayload?: number;
  /** Decides about every frame; later frames of a pair never overtake earlier ones. Default: delivered at once. */
  readonly fate?: (from: string, to: string) => Fate;
  /** Hears what becomes of every frame, and of every change to the network. It must not change anything. */
  readonly observe?: (observed: NetworkObserved) => void;
}

/** What a network tells: a frame arrived, or was lost (`lost` says why), or the network itself changed. */
export type NetworkObserved =
  | {
      readonly kind: 'frame';
      readonly from: string;
      readonly to: string;
      /** Of an announcement. */
      readonly topic: string | undefined;
      readonly bytes: Uint8Array;
      readonly lost: string | undefined;
    }
  | { readonly kind: 'change'; readonly text: string };

/** Frames between certain nodes are lost until it is healed. */
export interface Partition {
  heal(): void;
}

/** What a door answered to somebody who is no node. */
export interface DoorAnswer {
  /** `Mezzo-Kind`, or `Mezzo-Error`. */
  readonly headers: DoorHeaders;
  readonly json: string;
}

interface Attached {
  readonly events: TransportEvents;
  connected: boolean;
  /** How often its connection broke, and when it last did: what was on the way then is lost. */
  breaks: number;
  brokeAt: number;
  readonly topics: Map<string, Set<(data: Uint8Array) => void>>;
  readonly doors: Map<string, (message: DoorMessage) => void>;
}

/**
 * A network inside one OS process: the embedded default, and the simulated world's. It behaves as NATS does: frames of
 * one pair keep their order, a name nobody holds has no responders, and while the "broker" is away frames are lost. A
 * frozen broker or node (SIGSTOP) takes frames and holds them until it is thawed, or loses them when it is killed.
 */
export class Network {
  readonly maxPayload: number;
  readonly #clock: Clock;
  readonly #fate: (from: string, to: string) => Fate;
  readonly #observe: NetworkOptions['observe'];
  readonly #nodes = new Map<string, Attached>();
  /** The pairs, in their direction, between which frames are lost: a set for each partition. */
  readonly #cuts = new Set<Set<string>>();
  /** When the last frame arrives, by sender and receiver. */
  readonly #arrivals = new Map<string, Map<string, number>>();
  /** What frozen nodes, and under the key '' the frozen broker, hold back. */
  readonly #held = new Map<string, (() => void)[]>();
  /** Nodes that come back with the broker. */
  readonly #cutOff = new Set<string>();
  #brokerRuns = 1;
  #knocks = 0;
  #brokerUp = true;

  constructor(options: NetworkOptions) {
    this.#clock = options.clock;
    this.maxPayload = options.maxPayload ?? 1024 * 1024;
    this.#fate = options.fate ?? (() => ({ delay: 0 }));
    this.#observe = options.observe;
  }

  /** The way one node takes part. */
  transport(): Transport {
    return new NetworkTransport(this);
  }

  /**
   * Frames between the two nodes, or sets of nodes, are lost from now on, in both directions or only from the first to the
   * second.
   */
  partition(
    from: string | readonly string[],
    to: string | readonly string[],
    options: { readonly oneWay?: boolean } = {},
  ): Partition {
    const cut = new Set<string>();
    const [here, there] = [[from].flat(), [to].flat()];
    for (const a of here) {
      for (const b of there) {
        cut.add(pair(a, b));
        if (options.oneWay !== true) cut.add(pair(b, a));
      }
    }
    this.#cuts.add(cut);
    const between = `${here.join(',')} ${options.oneWay === true ? '->' : '|'} ${there.join(',')}`;
    this.#tellChange(`partition ${between}`);
    return {
      heal: () => {
        if (this.#cuts.delete(cut)) this.#tellChange(`healed ${between}`);
      },
    };
  }

  /** Frames between the two pass again, in both directions, whatever partitions they were in. */
  heal(a: string, b: string): void {
    for (const cut of this.#cuts) {
      cut.delete(pair(a, b));
      cut.delete(pair(b, a));
      if (cut.size === 0) this.#cuts.delete(cut);
    }
    this.#tellChange(`healed ${a} | ${b}`);
  }

  /** The node's connection breaks; what others send it meanwhile is lost. */
  disconnect(node: string): void {
    const attached = this.#nodes.get(node);
    if (attached === undefined || !attached.connected) return;
    attached.connected = false;
    attached.breaks++;
    attached.brokeAt = this.#clock.now();
    this.#tellChange(`disconnected ${node}`);
    attached.events.disconnected();
  }

  reconnect(node: string): void {
    const attached = this.#nodes.get(node);
    if (attached === undefined || attached.connected) return;
    // It goes on trying.
    if (!this.#brokerUp) return void this.#cutOff.add(node);
    attached.connected = true;
    this.#tellChange(`connected ${node}`);
    attached.events.connected();
  }

  /** The node's frames, in both directions, are held back as by SIGSTOP of its OS process; its own timers still run. */
  freeze(node: string): void {
    if (this.#held.has(node)) return;
    this.#held.set(node, []);
    this.#tellChange(`frozen ${nameOf(node)}`);
  }

  /** What was held back goes on its way. */
  thaw(node: string): void {
    const held = this.#held.get(node);
    if (held === undefined) return;
    this.#held.delete(node);
    this.#tellChange(`thawed ${nameOf(node)}`);
    for (const go of held) go();
  }

  /** The broker takes frames and passes none on; its clients do not notice. */
  freezeBroker(): void {
    this.freeze('');
  }

  thawBroker(): void {
    this.thaw('');
  }

  /** What the broker holds or has under way is lost, and every node is disconnected until it is started again. */
  killBroker(): void {
    this.#held.delete('');
    this.#brokerRuns++;
    this.#brokerUp = false;
    this.#tellChange('killed the broker');
    for (const [name, { connected }] of this.#nodes) {
      if (!connected) continue;
      this.#cutOff.add(name);
      this.disconnect(name);
    }
  }

  /** Starts a killed broker again; those whom its death disconnected come back. */
  startBroker(): void {
    this.#brokerUp = true;
    this.#tellChange('started the broker');
    const cutOff = [...this.#cutOff];
    this.#cutOff.clear();
    for (const name of cutOff) this.reconnect(name);
  }

  /**
   * Asks at a door as somebody who is no node, by nats-server's own means: `headers` are `Mezzo-Kind` at least. The Future
   * fails with ProcessGone if nobody has the door open, or AskTimeout (default 5 s).
   */
  request(
    door: string,
    headers: DoorHeaders,
    json: string,
    options: { readonly timeout?: Duration } = {},
  ): Future<DoorAnswer> {
    const answered = new Deferred<DoorAnswer>();
    const timeout = toMilliseconds(options.timeout ?? 5000);
    const timer = this.#clock.timer(timeout, () =>
      answered.fail(new AskTimeout('ASK_TIMEOUT', `Door '${door}' did not answer within ${timeout} ms`)),
    );
    answered.future.onAny(() => void timer.cancel());
    const nobody = (): void =>
      void answered.fail(new ProcessGone('PROCESS_NOT_FOUND', `Nobody has door '${door}' open`));
    this.#knock(door, headers, json, nobody, (node) => (answer, data) => {
      const text = new TextDecoder().decode(data);
      this.#send(node, '', (lost) => void (lost ?? answered.set({ headers: answer, json: text })));
    });
    return answered.future;
  }

  /** Sends to a door as somebody who is no node and wants no answer. */
  tell(door: string, headers: DoorHeaders, json: string): void {
    this.#knock(
      door,
      headers,
      json,
      () => {},
      () => undefined,
    );
  }

  get nodes(): readonly string[] {
    return [...this.#nodes.keys()];
  }

  /** @internal */
  attach(node: string, events: TransportEvents): void {
    if (!this.#brokerUp) {
      throw new ProcessError(
        'TRANSPORT_UNAVAILABLE',
        `Cannot start node '${node}': the broker of this network was killed; start it again`,
      );
    }
    if (this.#nodes.has(node)) {
      throw new ProcessError(
        'NODE_NAME_TAKEN',
        `Cannot start node '${node}': a living node of this network has the name`,
      );
    }
    this.#nodes.set(checkNotDoors(node), {
      events,
      connected: true,
      breaks: 0,
      brokeAt: 0,
      topics: new Map(),
      doors: new Map(),
    });
  }

  /** @internal */
  detach(node: string): void {
    this.#nodes.delete(node);
    this.#held.delete(node);
    this.#cutOff.delete(node);
  }

  /** @internal */
  isConnected(node: string): boolean {
    return this.#nodes.get(node)?.connected ?? false;
  }

  /** @internal */
  carry(from: string, to: string, frame: Uint8Array): void {
    // The sender may use its buffer again.
    const copy = frame.slice();
    this.#send(from, to, (lost) => {
      const target = this.#nodes.get(to);
      const missed = lost ?? (target?.connected === true ? undefined : 'nobody there');
      this.#observe?.({ kind: 'frame', from, to, topic: undefined, bytes: copy, lost: missed });
      if (missed === undefined) target?.events.frame(from, copy);
      else if (lost === undefined) this.#nodes.get(from)?.events.noResponders(to);
    });
  }

  /** @internal */
  spread(from: string, topic: string, data: Uint8Array): void {
    const copy = data.slice();
    for (const [name, node] of this.#nodes) {
      // As with NATS, it goes to nobody who does not listen.
      if ((node.topics.get(topic)?.size ?? 0) === 0) continue;
      this.#send(from, name, (lost) => {
        const missed = lost ?? (node.connected && this.#nodes.get(name) === node ? undefined : 'nobody there');
        this.#observe?.({ kind: 'frame', from, to: name, topic, bytes: copy, lost: missed });
        if (missed !== undefined) return;
        for (const receive of node.topics.get(topic) ?? []) receive(copy);
      });
    }
  }

  /** @internal */
  listen(node: string, topic: string, receive: (data: Uint8Array) => void): Subscription {
    const topics = this.#nodes.get(node)?.topics;
    const listeners = topics?.get(topic) ?? new Set<(data: Uint8Array) => void>();
    topics?.set(topic, listeners.add(receive));
    return { cancel: () => void listeners.delete(receive) };
  }

  /** @internal */
  open(node: string, door: string, receive: (message: DoorMessage) => void): Subscription {
    const doors = this.#nodes.get(node)?.doors;
    doors?.set(door, receive);
    return { cancel: () => void doors?.delete(door) };
  }

  /** @internal */
  check(node: string): Future<void> {
    const answered = new Deferred<void>();
    this.#pass(node, () => this.#pass('', () => this.#pass(node, () => void answered.set(undefined))));
    return answered.future;
  }

  /** To one of those who have the door open, each in turn. */
  #knock(
    door: string,
    headers: DoorHeaders,
    json: string,
    nobody: () => void,
    answering: (node: string) => DoorMessage['answer'],
  ): void {
    const open = [...this.#nodes].filter(([, { connected, doors }]) => connected && doors.has(door));
    const [name, node] = open[this.#knocks++ % Math.max(1, open.length)] ?? [];
    if (name === undefined || !this.#brokerUp) return nobody();
    const data = new TextEncoder().encode(json);
    const lowerCase = new Map(Object.entries(headers).map(([header, value]) => [header.toLowerCase(), value]));
    this.#carry('', name, (lost) => {
      if (lost !== undefined || !this.isConnected(name) || this.#nodes.get(name) !== node) return;
      const header = (wanted: string): string | undefined => lowerCase.get(wanted.toLowerCase());
      node?.doors.get(door)?.({ header, data, answer: answering(name) });
    });
  }

  #send(from: string, to: string, arrive: Arrive): void {
    const sender = this.#nodes.get(from);
    if (sender?.connected !== true) return arrive('not connected');
    const held = this.#held.get(from);
    if (held === undefined) return this.#leave(sender, from, to, arrive);
    held.push(() => this.#leave(sender, from, to, arrive));
  }

  #leave(sender: Attached, from: string, to: string, arrive: Arrive): void {
    // A frozen node that was killed had not sent it yet.
    if (this.#nodes.get(from) !== sender) return arrive('never left');
    if (this.#isCut(from, to)) return arrive('partition');
    this.#carry(from, to, arrive);
  }

  /** What the broker has been given goes on its way. */
  #carry(from: string, to: string, arrive: Arrive): void {
    const held = this.#held.get('');
    if (held === undefined) return this.#depart(from, to, arrive);
    held.push(() => this.#depart(from, to, arrive));
  }

  #depart(from: string, to: string, arrive: Arrive): void {
    const fate = this.#fate(from, to);
    if (fate === 'lost') return arrive('lost');
    const run = this.#brokerRuns;
    const sender = this.#nodes.get(from);
    const receiver = this.#nodes.get(to);
    const sends = sender?.breaks;
    const receives = receiver?.breaks;
    const sent = this.#clock.now();
    // Never before what was sent earlier between the same two.
    let arrivals = this.#arrivals.get(from);
    if (arrivals === undefined) this.#arrivals.set(from, (arrivals = new Map<string, number>()));
    const due = Math.max(sent + fate.delay, arrivals.get(to) ?? 0);
    arrivals.set(to, due);
    this.#clock.timer(due - sent, () => {
      if (run !== this.#brokerRuns) return arrive('broker killed');
      // Half the way is the sender's connection, the other half the receiver's.
      const middle = (sent + due) / 2;
      const unsent = sender !== undefined && sender.breaks !== sends && sender.brokeAt <= middle;
      const unreceived = receiver !== undefined && receiver.breaks !== receives && receiver.brokeAt >= middle;
      if (unsent || unreceived) return arrive('connection broke');
      if (this.#held.size === 0) return arrive(undefined);
      this.#pass('', () => this.#pass(to, () => arrive(undefined)));
    });
  }

  #isCut(from: string, to: string): boolean {
    for (const cut of this.#cuts) if (cut.has(pair(from, to))) return true;
    return false;
  }

  #tellChange(text: string): void {
    this.#observe?.({ kind: 'change', text });
  }

  /** Now, or when the node (or the broker) is thawed. */
  #pass(through: string, go: () => void): void {
    const held = this.#held.get(through);
    if (held === undefined) go();
    else held.push(go);
  }
}

/** A frame's end: it arrives, or `lost` says why not. */
type Arrive = (lost: string | undefined) => void;

function nameOf(node: string): string {
  return node === '' ? 'the broker' : node;
}

function pair(from: string, to: string): string {
  return `${from} ${to}`;
}
