import type { AnyActorRef, AnyEventObject } from 'xstate';
import { ProcessError } from '../errors.ts';
import { childrenOf, Delays, type DelayHost, type PersistedDelay } from './delays.ts';

/** The process that a system of xstate actors lives in. */
export interface ConfinementHost extends DelayHost {
  /** Whether it is the actors' turn: what they do now is a turn of the process. */
  inTurn(): boolean;
  /** Runs `act` in a turn of the process, soon. */
  later(act: () => void): void;
}

type Relay = (source: AnyActorRef | undefined, target: AnyActorRef, event: AnyEventObject) => void;

/** What of an xstate system has no public way in: where every event passes, and where children without an id get one. */
interface Internals {
  _relay: Relay;
  _bookId: () => string;
}

interface Action {
  readonly exec?: ((...given: unknown[]) => unknown) | undefined;
}

interface ActionScope {
  actionExecutor: (action: Action) => void;
}

/**
 * Keeps the actors of one xstate system inside the turns of a process: their delays run on its clock, what promises,
 * callbacks and observables send comes back in a turn, async actions that reject crash it, and ids that xstate makes up
 * repeat from run to run.
 */
export class Confinement {
  readonly #host: ConfinementHost;
  readonly #delays: Delays;
  #relay: Relay | undefined;
  #ids: number;

  /** @param ids how many ids were made up before. */
  constructor(host: ConfinementHost, ids: number) {
    this.#host = host;
    this.#ids = ids;
    this.#delays = new Delays(host, (source, target, event) => this.#relay?.(source, target, event));
  }

  /** How many ids were made up. */
  get ids(): number {
    return this.#ids;
  }

  /** To be called as soon as an actor exists (xstate's inspection tells) and before it runs. Throws MACHINE_UNSUPPORTED. */
  adopt(actor: AnyActorRef): void {
    if (this.#relay === undefined) this.#enter(actor.system);
    this.#watchActions(actor);
  }

  persistDelays(root: AnyActorRef): PersistedDelay[] {
    return this.#delays.persist(root);
  }

  restoreDelays(root: AnyActorRef, delays: readonly PersistedDelay[]): void {
    this.#delays.restore(root, delays);
  }

  #enter(system: AnyActorRef['system']): void {
    if (!hasInternals(system)) throw unsupported('actor system');
    const relay = system._relay.bind(system);
    this.#relay = relay;
    system.scheduler = this.#delays;
    system._bookId = () => `child:${++this.#ids}`;
    system._relay = (source, target, event) => {
      if (this.#host.inTurn()) relay(source, target, event);
      else this.#host.later(() => relay(source, target, event));
    };
  }

  /** xstate drops what an action returns; a rejection would end the OS process instead of this one. */
  #watchActions(actor: AnyActorRef): void {
    const scope: unknown = Reflect.get(actor, '_actorScope');
    if (!isActionScope(scope)) throw unsupported('actor');
    const execute = scope.actionExecutor;
    scope.actionExecutor = (action) => {
      const { exec } = action;
      if (exec === undefined) return execute(action);
      execute({
        ...action,
        exec: (...given) => {
          const outcome = exec(...given);
          if (outcome instanceof Promise) outcome.then(undefined, (error: unknown) => this.#crash(error));
        },
      });
    };
  }

  #crash(error: unknown): void {
    this.#host.later(() => {
      throw error;
    });
  }
}

/** Stops whatever still runs below an actor: xstate leaves the children of one that failed running. */
export function stopDescendants(actor: AnyActorRef): void {
  for (const [, child] of childrenOf(actor)) {
    stopDescendants(child);
    if (isActive(child.getSnapshot())) child.send({ type: 'xstate.stop' });
  }
}

function isActive(snapshot: { readonly status: string }): boolean {
  return snapshot.status === 'active';
}

function hasInternals<System extends object>(system: System): system is System & Internals {
  return (
    '_relay' in system &&
    typeof system._relay === 'function' &&
    '_bookId' in system &&
    typeof system._bookId === 'function'
  );
}

function isActionScope(scope: unknown): scope is ActionScope {
  return (
    typeof scope === 'object' &&
    scope !== null &&
    'actionExecutor' in scope &&
    typeof scope.actionExecutor === 'function'
  );
}

function unsupported(what: string): ProcessError {
  return new ProcessError(
    'MACHINE_UNSUPPORTED',
    `The ${what} of this version of xstate is not built as that of 5.33: install a version from 5.33 on below 6`,
  );
}
