import type { AnyActorRef, AnyEventObject } from 'xstate';
import type { Timer } from '../platform/platform.ts';

/** A delayed event as plain data. Actors are named by the ids of children, from the machine down; the machine is `[]`. */
export interface PersistedDelay {
  readonly source: readonly string[];
  readonly target: readonly string[];
  readonly event: AnyEventObject;
  /** What `cancel` calls it; without one it cannot be cancelled. */
  readonly id?: string | undefined;
  /** When it is due on the runtime's clock, in milliseconds since the epoch. */
  readonly due: number;
}

/** The process whose time passes. */
export interface DelayHost {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Runs `fire` in a turn of the process after so many milliseconds. */
  delay(milliseconds: number, fire: () => void): Timer;
}

interface Pending {
  readonly source: AnyActorRef;
  readonly target: AnyActorRef;
  readonly event: AnyEventObject;
  readonly id: string | undefined;
  readonly due: number;
  timer: Timer | undefined;
}

type Deliver = (source: AnyActorRef, target: AnyActorRef, event: AnyEventObject) => void;

/**
 * The scheduler of an xstate system (`after`, delayed `raise` and `sendTo`) on the clock of a process. xstate's own reads
 * the real date, draws random ids, and is not part of a persisted snapshot.
 */
export class Delays {
  readonly #host: DelayHost;
  readonly #deliver: Deliver;
  /** In the order they were armed, as there are few at a time. */
  readonly #pending = new Set<Pending>();

  constructor(host: DelayHost, deliver: Deliver) {
    this.#host = host;
    this.#deliver = deliver;
  }

  /** Called by xstate. A delay below 0 is none. Throws DURATION_INVALID for NaN. */
  schedule(source: AnyActorRef, target: AnyActorRef, event: AnyEventObject, delay: number, id?: string): void {
    this.#arm({ source, target, event, id, due: this.#host.now() + delay, timer: undefined });
  }

  /** Called by xstate. What has fired and waits for its turn is cancelled as well. */
  cancel(source: AnyActorRef, id: string): void {
    for (const pending of this.#pending) if (pending.source === source && pending.id === id) this.#drop(pending);
  }

  /** Called by xstate when an actor stops. */
  cancelAll(source: AnyActorRef): void {
    for (const pending of this.#pending) if (pending.source === source) this.#drop(pending);
  }

  /** Delays between actors that are no descendants of `root` any more are left out. */
  persist(root: AnyActorRef): PersistedDelay[] {
    return [...this.#pending].flatMap(({ source, target, event, id, due }) => {
      const from = pathTo(source, root);
      const to = pathTo(target, root);
      return from === undefined || to === undefined ? [] : [{ source: from, target: to, event, id, due }];
    });
  }

  /** Arms what `persist` gave; what was due meanwhile fires at once, in the order it was due. */
  restore(root: AnyActorRef, persisted: readonly PersistedDelay[]): void {
    for (const { source, target, event, id, due } of persisted.toSorted((a, b) => a.due - b.due)) {
      const from = descendant(root, source);
      const to = descendant(root, target);
      if (from === undefined || to === undefined) continue;
      this.#arm({ source: from, target: to, event, id, due, timer: undefined });
    }
  }

  #arm(pending: Pending): void {
    pending.timer = this.#host.delay(Math.max(pending.due - this.#host.now(), 0), () => {
      // Its turn may come after that of an event that cancelled it.
      if (this.#pending.delete(pending)) this.#deliver(pending.source, pending.target, pending.event);
    });
    this.#pending.add(pending);
  }

  #drop(pending: Pending): void {
    this.#pending.delete(pending);
    pending.timer?.cancel();
  }
}

/** The children of an actor by id; only machines have any. */
export function childrenOf(actor: AnyActorRef): readonly (readonly [id: string, child: AnyActorRef])[] {
  const snapshot: { readonly children?: Readonly<Record<string, AnyActorRef | undefined>> } | undefined =
    actor.getSnapshot();
  return Object.entries(snapshot?.children ?? {}).flatMap(([id, child]) => (child === undefined ? [] : [[id, child]]));
}

function pathTo(actor: AnyActorRef, from: AnyActorRef): readonly string[] | undefined {
  if (actor === from) return [];
  for (const [id, child] of childrenOf(from)) {
    const path = pathTo(actor, child);
    if (path !== undefined) return [id, ...path];
  }
  return undefined;
}

function descendant(from: AnyActorRef, path: readonly string[]): AnyActorRef | undefined {
  let actor: AnyActorRef | undefined = from;
  for (const id of path) actor = actor && childrenOf(actor).find(([key]) => key === id)?.[1];
  return actor;
}
