import { ProcessError } from './errors.ts';
import { Deferred, Future } from './future/future.ts';
import type { Clock } from './platform/platform.ts';
import { checkTopic, type Subscription, type Transport, type TransportEvents } from './transport.ts';

/** Fate of one frame on an in-process network: lost, or delivered after so many milliseconds. */
export type Fate = 'lost' | { readonly delay: number };

export interface NetworkOptions {
  /** Where timers of delayed frames live. */
  readonly clock: Clock;
  /** Largest frame in bytes. Default 1 MB, as a NATS server's. */
  readonly maxPayload?: number;
  /** Decides about every frame; later frames of a pair never overtake earlier ones. Default: delivered at once. */
  readonly fate?: (from: string, to: string) => Fate;
}

interface Attached {
  readonly events: TransportEvents;
  connected: boolean;
  readonly topics: Map<string, Set<(data: Uint8Array) => void>>;
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
  readonly #nodes = new Map<string, Attached>();
  readonly #cuts = new Set<string>();
  readonly #arrivals = new Map<string, number>();
  /** What frozen nodes, and under the key '' the frozen broker, hold back. */
  readonly #held = new Map<string, (() => void)[]>();
  /** Nodes that the broker's death disconnected. */
  readonly #cutOff = new Set<string>();
  #brokerRuns = 1;
  #brokerUp = true;

  constructor(options: NetworkOptions) {
    this.#clock = options.clock;
    this.maxPayload = options.maxPayload ?? 1024 * 1024;
    this.#fate = options.fate ?? (() => ({ delay: 0 }));
  }

  /** The way one node takes part. */
  transport(): Transport {
    return new NetworkTransport(this);
  }

  /** Frames between the two are lost from now on, in both directions. */
  partition(a: string, b: string): void {
    this.#cuts.add(pair(a, b)).add(pair(b, a));
  }

  heal(a: string, b: string): void {
    this.#cuts.delete(pair(a, b));
    this.#cuts.delete(pair(b, a));
  }

  /** The node's connection breaks; what others send it meanwhile is lost. */
  disconnect(node: string): void {
    const attached = this.#nodes.get(node);
    if (attached === undefined || !attached.connected) return;
    attached.connected = false;
    attached.events.disconnected();
  }

  reconnect(node: string): void {
    const attached = this.#nodes.get(node);
    if (attached === undefined || attached.connected || !this.#brokerUp) return;
    attached.connected = true;
    attached.events.connected();
  }

  /** The node's frames, in both directions, are held back as by SIGSTOP of its OS process; its own timers still run. */
  freeze(node: string): void {
    if (!this.#held.has(node)) this.#held.set(node, []);
  }

  /** What was held back goes on its way. */
  thaw(node: string): void {
    const held = this.#held.get(node);
    this.#held.delete(node);
    for (const go of held ?? []) go();
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
    for (const [name, { connected }] of this.#nodes) {
      if (!connected) continue;
      this.#cutOff.add(name);
      this.disconnect(name);
    }
  }

  /** Starts a killed broker again; those whom its death disconnected come back. */
  startBroker(): void {
    this.#brokerUp = true;
    const cutOff = [...this.#cutOff];
    this.#cutOff.clear();
    for (const name of cutOff) this.reconnect(name);
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
    this.#nodes.set(node, { events, connected: true, topics: new Map() });
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
    this.#send(from, to, () => {
      const target = this.#nodes.get(to);
      if (target?.connected === true) target.events.frame(from, copy);
      else this.#nodes.get(from)?.events.noResponders(to);
    });
  }

  /** @internal */
  spread(from: string, topic: string, data: Uint8Array): void {
    const copy = data.slice();
    for (const [name, node] of this.#nodes) {
      this.#send(from, name, () => {
        if (!node.connected || this.#nodes.get(name) !== node) return;
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
  check(node: string): Future<void> {
    const answered = new Deferred<void>();
    this.#pass(node, () => this.#pass('', () => this.#pass(node, () => void answered.set(undefined))));
    return answered.future;
  }

  #send(from: string, to: string, arrive: () => void): void {
    if (!this.isConnected(from)) return;
    const sender = this.#nodes.get(from);
    this.#pass(from, () => {
      // A frozen node that was killed had not sent it yet.
      if (this.#nodes.get(from) !== sender || this.#cuts.has(pair(from, to))) return;
      const run = this.#brokerRuns;
      this.#pass('', () => {
        const fate = this.#fate(from, to);
        if (fate === 'lost') return;
        this.#later(pair(from, to), fate.delay, () => {
          if (run === this.#brokerRuns) this.#pass('', () => this.#pass(to, arrive));
        });
      });
    });
  }

  /** Now, or when the node (or the broker) is thawed. */
  #pass(through: string, go: () => void): void {
    const held = this.#held.get(through);
    if (held === undefined) go();
    else held.push(go);
  }

  /** Never before what was sent earlier between the same two. */
  #later(between: string, delay: number, run: () => void): void {
    const now = this.#clock.now();
    const due = Math.max(now + delay, this.#arrivals.get(between) ?? 0);
    this.#arrivals.set(between, due);
    this.#clock.timer(due - now, run);
  }
}

class NetworkTransport implements Transport {
  readonly reconnectWait = 0;
  readonly #network: Network;
  #node: string | undefined;

  constructor(network: Network) {
    this.#network = network;
  }

  get maxPayload(): number {
    return this.#network.maxPayload;
  }

  get connected(): boolean {
    return this.#node !== undefined && this.#network.isConnected(this.#node);
  }

  start(node: string, _incarnation: number, events: TransportEvents): Future<void> {
    try {
      this.#network.attach(node, events);
    } catch (error) {
      return Future.failed(error);
    }
    this.#node = node;
    return Future.ready(undefined);
  }

  publish(peer: string, frame: Uint8Array): void {
    if (this.#node !== undefined) this.#network.carry(this.#node, peer, frame);
  }

  announce(topic: string, data: Uint8Array): void {
    checkTopic(topic);
    if (this.#node !== undefined) this.#network.spread(this.#node, topic, data);
  }

  listen(topic: string, receive: (data: Uint8Array) => void): Subscription {
    checkTopic(topic);
    if (this.#node === undefined)
      throw new ProcessError('TRANSPORT_UNAVAILABLE', `Cannot listen on '${topic}' before the node has started`);
    return this.#network.listen(this.#node, topic, receive);
  }

  check(): Future<void> {
    return this.#node === undefined ? Future.abandoned() : this.#network.check(this.#node);
  }

  stop(): Future<void> {
    if (this.#node !== undefined) this.#network.detach(this.#node);
    this.#node = undefined;
    return Future.ready(undefined);
  }
}

function pair(from: string, to: string): string {
  return `${from} ${to}`;
}
