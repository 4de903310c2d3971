import type { Duration } from '../duration.ts';
import { Deferred } from '../future/future.ts';
import type { LocalPID } from '../pid.ts';
import type { Timer } from '../platform/platform.ts';
import type { Process } from '../process.ts';

/** What a supervisor needs to know of a child. */
export interface ChildSpec<P extends Process = Process> {
  /** Unique in its supervisor; also the id of the process, if that was made without one. */
  readonly id: string;
  /** Makes the process, anew for each restart; the supervisor spawns it. */
  readonly start: () => P;
  /** `permanent` (default): restarted whenever it ends; `transient`: after a crash; `temporary`: never. */
  readonly restart?: 'permanent' | 'transient' | 'temporary';
  /** How long it may go on with what is queued when it has to end. Default 0: it ends after its current turn. */
  readonly drain?: Duration;
}

/** What a supervisor tells of a child. */
export interface ChildState {
  readonly id: string;
  /** Undefined while it is down. */
  readonly pid: LocalPID<Process> | undefined;
  /** How often it was started again. */
  readonly restarts: number;
}

/** Where a child is in its life. */
export type Life =
  /** It has ended and is not to run. */
  | { readonly kind: 'down' }
  /** It is to be started when its turn comes. */
  | { readonly kind: 'due' }
  /** It is to be started when its backoff is over. */
  | { readonly kind: 'waiting' }
  | Up;

export interface Up {
  readonly kind: 'up';
  readonly process: Process;
  readonly pid: LocalPID<Process>;
  /** When it was spawned, in milliseconds since the epoch. */
  readonly since: number;
  initialized: boolean;
  /** It was told to end. */
  ending: boolean;
  /** Fires when it has had enough time to do so. */
  limit: Timer | undefined;
}

/** A child as its supervisor keeps it. */
export class Child {
  readonly spec: ChildSpec;
  life: Life = { kind: 'due' };
  /** What comes after its end, which the supervisor wants: the end comes in its turn. */
  doom: 'restart' | 'remove' | undefined = undefined;
  /** Failures in a row. */
  failures = 0;
  starts = 0;
  /** For whoever added it: until its first start. */
  added: Deferred<LocalPID<Process>> | undefined = undefined;
  readonly removed = new Deferred<void>();

  constructor(spec: ChildSpec) {
    this.spec = spec;
  }

  get up(): Up | undefined {
    return this.life.kind === 'up' ? this.life : undefined;
  }
}
