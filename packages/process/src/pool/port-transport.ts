import type { MessagePort } from 'node:worker_threads';

import { ProcessError } from '../errors.ts';
import { Deferred, Future } from '../future/future.ts';
import {
  checkDoor,
  checkTopic,
  type DoorMessage,
  type Subscription,
  type Transport,
  type TransportEvents,
} from '../transport.ts';
import { asPortMessage, move, post } from './port-message.ts';

/** The way one node takes part at the PortHub that has the other end of the port. */
export function portTransport(port: MessagePort): Transport {
  return new PortTransport(port);
}

class PortTransport implements Transport {
  /** As a NATS server's default: larger messages go in parts, between which a thread does other things. */
  readonly maxPayload = 1024 * 1024;
  readonly reconnectWait = 0;
  readonly #port: MessagePort;
  readonly #topics = new Map<string, Set<(data: Uint8Array) => void>>();
  readonly #checks: Deferred<void>[] = [];
  readonly #starting = new Deferred<void>();
  readonly #closed = new Deferred<void>();
  #events: TransportEvents | undefined;
  #connected = false;
  #stopping = false;

  constructor(port: MessagePort) {
    this.#port = port;
    port.once('close', () => this.#ended());
  }

  get connected(): boolean {
    return this.#connected;
  }

  start(node: string, _incarnation: number, events: TransportEvents): Future<void> {
    if (!this.#closed.future.isPending) return Future.failed(this.#unavailable(`Cannot start node '${node}'`));
    this.#events = events;
    this.#port.on('message', (value: unknown) => this.#heard(node, events, value));
    post(this.#port, ['start', node]);
    return this.#starting.future;
  }

  publish(peer: string, frame: Uint8Array): void {
    // A frame is a view of a slab that it shares with others, so what moves is a copy.
    if (this.#connected) move(this.#port, 'frame', peer, new Uint8Array(frame));
  }

  announce(topic: string, data: Uint8Array): void {
    checkTopic(topic);
    if (this.#connected) move(this.#port, 'announce', topic, new Uint8Array(data));
  }

  listen(topic: string, receive: (data: Uint8Array) => void): Subscription {
    checkTopic(topic);
    if (this.#events === undefined)
      throw new ProcessError('TRANSPORT_UNAVAILABLE', `Cannot listen on '${topic}' before the node has started`);
    const listeners = this.#topics.get(topic) ?? new Set<(data: Uint8Array) => void>();
    if (listeners.size === 0) post(this.#port, ['listen', topic]);
    this.#topics.set(topic, listeners.add(receive));
    return {
      cancel: () => {
        if (listeners.delete(receive) && listeners.size === 0) post(this.#port, ['ignore', topic]);
      },
    };
  }

  /** Only threads meet at a hub, and they have addresses: nobody ever comes to a door. */
  open(door: string, _receive: (message: DoorMessage) => void): Subscription {
    checkDoor(door);
    return { cancel() {} };
  }

  check(): Future<void> {
    const answered = new Deferred<void>();
    this.#checks.push(answered);
    post(this.#port, ['check', '']);
    return answered.future;
  }

  stop(): Future<void> {
    this.#connected = false;
    if (!this.#stopping) post(this.#port, ['stop', '']);
    this.#stopping = true;
    // The hub closes the port once it has taken what was sent before.
    return this.#closed.future;
  }

  #heard(node: string, events: TransportEvents, value: unknown): void {
    const message = asPortMessage(value);
    if (this.#stopping) return;
    if (message === undefined) return events.rejected('the hub', 'something that no hub says');
    const [kind, text, bytes] = message;
    switch (kind) {
      case 'started':
        this.#connected = true;
        return void this.#starting.set();
      case 'refused': {
        const why = `Cannot start node '${node}': a living node at this hub has the name; give this one another`;
        return void this.#starting.fail(new ProcessError('NODE_NAME_TAKEN', why));
      }
      case 'frame':
        return events.frame(text, bytes);
      case 'no-responders':
        return events.noResponders(text);
      case 'announce':
        for (const receive of this.#topics.get(text) ?? []) receive(bytes);
        return;
      case 'check':
        return void this.#checks.shift()?.set();
      default:
        return;
    }
  }

  #ended(): void {
    this.#connected = false;
    this.#closed.set();
    const error = this.#unavailable('The node is cut off');
    if (!this.#starting.fail(error) && this.#starting.future.isReady && !this.#stopping) this.#events?.failed(error);
  }

  #unavailable(what: string): ProcessError {
    return new ProcessError('TRANSPORT_UNAVAILABLE', `${what}: the port to the hub was closed by its other end`);
  }
}
