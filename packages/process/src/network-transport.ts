import { ProcessError } from './errors.ts';
import { Future } from './future/future.ts';
import type { Network } from './network.ts';
import {
  checkDoor,
  checkTopic,
  type DoorMessage,
  type Subscription,
  type Transport,
  type TransportEvents,
} from './transport.ts';

/** One node's way to take part in an in-process network. */
export class NetworkTransport implements Transport {
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

  open(door: string, receive: (message: DoorMessage) => void): Subscription {
    checkDoor(door);
    if (this.#node === undefined)
      throw new ProcessError('TRANSPORT_UNAVAILABLE', `Cannot open door '${door}' before the node has started`);
    return this.#network.open(this.#node, door, receive);
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
