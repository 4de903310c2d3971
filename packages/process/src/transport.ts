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
  /**
   * Takes what anybody, node or not, sends to the name. Where several nodes have it open, each message goes to one of them.
   * `receive` runs outside any turn and does not throw.
   */
  open(door: string, receive: (message: DoorMessage) => void): Subscription;
  /** READY once the network has answered: until then our own connection may be dead without knowing it. May stay pending. */
  check(): Future<void>;
  /** Sends what was published before, then leaves. */
  stop(): Future<void>;
}

export interface Subscription {
  cancel(): void;
}

/** What came to a door, and the way back to whoever sent it. */
export interface DoorMessage {
  /** The first value of a header, whatever its case. */
  header(name: string): string | undefined;
  readonly data: Uint8Array;
  /** Undefined if nobody waits for an answer. Never throws. */
  readonly answer: ((headers: DoorHeaders, data: Uint8Array) => void) | undefined;
}

export type DoorHeaders = Readonly<Record<string, string>>;

export interface TransportEvents {
  frame(peer: string, frame: Uint8Array): void;
  /** The transport knows that nobody listens under that name just now. */
  noResponders(peer: string): void;
  connected(): void;
  disconnected(): void;
  /** Something came that was dropped for what it is. */
  rejected(from: string, why: string): void;
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

/** The token of subjects under which doors are: no node can have it for a name. */
export const doorToken = 'name';

/** Doors become a token of a NATS subject. Throws DOOR_NAME_INVALID. */
export function checkDoor(name: string): string {
  if (/^[A-Za-z0-9_-]{1,128}$/.test(name)) return name;
  throw new ProcessError(
    'DOOR_NAME_INVALID',
    `Invalid door name '${name}': expected 1 to 128 letters, digits, '-' or '_', because it becomes part of a NATS subject`,
  );
}

/** Its mailbox would be where doors are. Throws NODE_NAME_INVALID. */
export function checkNotDoors(node: string): string {
  if (node !== doorToken) return node;
  throw new ProcessError(
    'NODE_NAME_INVALID',
    `Invalid node name '${node}': doors are published under that word; give the node another name`,
  );
}
