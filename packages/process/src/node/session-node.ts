import type { Timer } from '../platform/platform.ts';
import type { Envelope } from './envelope.ts';
import type { Session } from './session.ts';

/** What a session needs of its node. */
export interface SessionNode {
  readonly maxPayload: number;
  readonly isConnected: boolean;
  /** Since when, in milliseconds since the epoch, this node's own connection has been up without a stall. */
  readonly upSince: number;
  /** Until when this node's own connection is known to have worked. */
  readonly provenUntil: number;
  readonly heartbeatInterval: number;
  readonly linkTimeout: number;
  readonly maxMessage: number;
  now(): number;
  timer(delay: number, thunk: () => void): Timer;
  publish(peer: string, frame: Uint8Array): void;
  /** Finds out whether this node's own connection works. */
  prove(): void;
  /** True while this side wants to know whether the peer lives: links or asks are open. */
  interested(peer: string): boolean;
  receive(session: Session, envelope: Envelope): void;
  broken(session: Session, why: string): void;
  rejected(peer: string, why: string): void;
  /** Gives what is to be sent in its place: whoever waits for it must not take what comes behind it for the next. */
  undeliverable(peer: string, envelope: Envelope, reason: 'unencodable' | 'too-large'): Envelope | undefined;
  /** The session can take messages again, or has none left that are unacknowledged. */
  eased(session: Session): void;
  countResent(batches: number): void;
  countStray(): void;
}
