import { ProcessError } from './errors.ts';
import type { Future } from './future/future.ts';

/**
 * What carries frames between nodes: the in-process network or NATS. It promises no delivery, only that the frames from
 * one node to another that do arrive keep their order, and that the sender's name is true.
 */
export interface Transport {
  /** Largest frame in bytes. Known once started. */
  readonly maxPayload: number;
  /** True while frames can leave. */
  readonly connected: boolean;
  /** How long, in milliseconds, a lost connection waits before it is tried again. */
  readonly reconnectWait: number;
  /** Fails with NODE_NAME_TAKEN if a living node answers to the name, or TRANSPORT_UNAVAILABLE. */
  start(node: string, incarnation: number, events: TransportEvents): Future<void>;
  /** Never throws; what cannot leave now is lost or buffered as the transport likes. */
  publish(peer: string, frame: Uint8Array): void;
  /** To every node that listens on the topic (words joined by dots), this one included. Throws TOPIC_INVALID. */
  announce(topic: string, data: Uint8Array): void;
  listen(topic: string, receive: (data: Uint8Array) => void): Subscription;
  /** READY once the network has answered: until then our own connection may be dead without knowing it. May stay pending. */
  check(): Future<void>;
  /** Sends what was published before, then leaves. */
  stop(): Future<void>;
}

export interface Subscription {
  cancel(): void;
}

export interface TransportEvents {
  frame(peer: string, frame: Uint8Array): void;
  /** The transport knows that nobody listens under that name just now. */
  noResponders(peer: string): void;
  connected(): void;
  disconnected(): void;
  /** Something was refused, for instance to publish to a peer, but the connection stands. */
  trouble(error: Error): void;
  /** The end: wrong credentials after a reconnect (TRANSPORT_UNAVAILABLE), or an older node of our name (NODE_NAME_TAKEN). */
  failed(error: Error): void;
}

/** Topics become part of a NATS subject. Throws TOPIC_INVALID. */
export function checkTopic(topic: string): string {
  if (/^[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*$/.test(topic)) return topic;
  throw new ProcessError(
    'TOPIC_INVALID',
    `Invalid topic '${topic}': expected words of letters, digits, '-' and '_', joined by dots`,
  );
}
