import {
  Actor,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type EventFromLogic,
  type InputFrom,
  type InspectionEvent,
  type MachineImplementationsFrom,
  type Snapshot,
  type SnapshotFrom,
} from 'xstate';
import { ProcessError } from '../errors.ts';
import type { ExitReason } from '../event.ts';
import type { Message } from '../message.ts';
import type { PID } from '../pid.ts';
import { Process } from '../process.ts';
import { type HttpResponse, json, methodNotAllowed } from '../route.ts';
import type { Runtime } from '../runtime.ts';
import { Confinement, stopDescendants } from './confinement.ts';
import type { PersistedDelay } from './delays.ts';
import { type MachineState, StateChanged, WatchState } from './machine-messages.ts';

/**
 * All that a machine needs to go on where it was: xstate's persisted snapshot, and what that leaves out. Links and watchers
 * are not in it. It is JSON if context and events are, and if children are named in `setup({ actors })`.
 */
export interface PersistedMachine {
  readonly snapshot: Snapshot<unknown>;
  /** Delays that run. What is due before the machine goes on fires when it does. */
  readonly delays: readonly PersistedDelay[];
  /** How many ids were made up for children without one. */
  readonly ids: number;
}

/** What the implementations of a machine's actions, guards, delays and actors may use of its process. */
export interface MachineHandle {
  readonly self: PID;
  readonly runtime: Runtime;
  /** Who sent the message whose event is being handled; undefined for delays and for what actors sent. */
  readonly sender: PID | undefined;
  /** As Process.send. */
  readonly send: Runtime['send'];
  /** As Process.reply: throws outside the handling of a message. */
  reply<T>(kind: Message<T>, ...body: [T] extends [void] ? [] : [T]): boolean;
  /** As Process.ask; `fromPromise(({ input }) => process.ask(…))` invokes one. */
  readonly ask: Runtime['ask'];
  /** As Process.link: the option `exited` makes an event of the exit. */
  link(to: PID): PID;
}

/** Installs a further kind of message, whose bodies become events; undefined is no event. */
export type InstallAsEvent<Machine extends AnyStateMachine> = <T>(
  kind: Message<T>,
  toEvent: (body: T, from: PID) => EventFromLogic<Machine> | undefined,
) => void;

interface CommonOptions<Machine extends AnyStateMachine> {
  /** As of Process: default `(1)`, `(2)`, … */
  readonly id?: string;
  /** The kind of message that carries the machine's events; see machineEvents. */
  readonly events?: Message<EventFromLogic<Machine>>;
  /** Messages of other protocols that become events. Runs once, before the machine starts. */
  readonly receive?: (install: InstallAsEvent<Machine>) => void;
  /** Makes an event of the exit of a process that the machine linked to. Default: none. */
  readonly exited?: (pid: PID, reason: ExitReason) => EventFromLogic<Machine> | undefined;
  /** Implementations that need the process, in place of the machine's own. Runs once, before the machine starts. */
  readonly provide?: (process: MachineHandle) => MachineImplementationsFrom<Machine>;
  /** Goes on from here instead of starting anew: `input` is not used, entry actions are not repeated, actors are restarted. */
  readonly snapshot?: PersistedMachine | undefined;
  /**
   * Is given the state to go on from after each turn in which the machine or one of its actors did something. What the
   * turn sent is on its way by then.
   */
  readonly save?: (persisted: PersistedMachine) => void;
}

export type MachineOptions<Machine extends AnyStateMachine> = CommonOptions<Machine> &
  (undefined extends InputFrom<Machine>
    ? { readonly input?: InputFrom<Machine> }
    : { readonly input: InputFrom<Machine> });

type Given<Machine extends AnyStateMachine> =
  undefined extends InputFrom<Machine> ? [options?: MachineOptions<Machine>] : [options: MachineOptions<Machine>];

/**
 * A process that runs an xstate machine: events come from its mailbox, delays run on the runtime's clock, and what invoked
 * promises, callbacks and actors send comes back in a turn of the process.
 *
 * An error that xstate finds nobody for (an action throws or rejects, an actor without `onError` fails) crashes the
 * process. The machine's final state ends it, and its end stops the machine with all its actors. `GET /<id>/state` shows
 * where the machine stands; WatchState tells it to other processes.
 *
 * ```ts
 * const Door = machineEvents<typeof doorMachine>('door');
 * const door = runtime.spawn(
 *   fromMachine(doorMachine, {
 *     id: 'door',
 *     events: Door,
 *     provide: (process) => ({ actions: { ring: ({ context }) => process.send(context.owner, Bell) } }),
 *   }),
 * );
 * runtime.send(door, Door, { type: 'KNOCK' });
 * ```
 */
export function fromMachine<Machine extends AnyStateMachine>(
  machine: Machine,
  ...[options]: Given<Machine>
): MachineProcess<Machine> {
  return new MachineProcess(machine, options ?? {});
}

/** What `fromMachine` makes. Its methods are for `dispatch`. */
export class MachineProcess<Machine extends AnyStateMachine> extends Process {
  readonly #machine: Machine;
  readonly #options: CommonOptions<Machine> & { readonly input?: InputFrom<Machine> };
  readonly #confinement: Confinement;
  readonly #watchers = new Map<string, PID>();
  /** Whom the machine linked to, by `id@node`. */
  readonly #linked = new Set<string>();
  #actor: Actor<Machine> | undefined;
  #inTurn = false;
  #ending = false;
  /** What xstate, which swallows or delays errors, must not keep. */
  #failure: { readonly error: unknown } | undefined;
  #lastEvent = 'xstate.init';
  /** The machine took a transition that no watcher knows of. */
  #moved = false;
  /** Something happened that `save` does not know of. */
  #unsaved = true;

  constructor(machine: Machine, options: CommonOptions<Machine> & { readonly input?: InputFrom<Machine> }) {
    super(options.id);
    this.#machine = machine;
    this.#options = options;
    this.#confinement = new Confinement(
      {
        now: () => this.clock.now(),
        delay: (milliseconds, fire) => this.delay(milliseconds, () => this.#turn(fire)),
        inTurn: () => this.#inTurn,
        later: (act) => this.defer(() => this.#turn(act))(),
      },
      options.snapshot?.ids ?? 0,
    );
  }

  /** Where the machine is, as xstate has it. */
  get snapshot(): SnapshotFrom<Machine> {
    return this.#running.getSnapshot();
  }

  /** Gives the machine an event in the current turn; inside an action it waits for the step to be over. */
  transition(event: EventFromLogic<Machine>): void {
    const actor = this.#running;
    this.#turn(() => actor.send(event));
  }

  /** What a process made with the option `snapshot` goes on from. */
  persisted(): PersistedMachine {
    const actor = this.#running;
    return {
      snapshot: actor.getPersistedSnapshot(),
      delays: this.#confinement.persistDelays(actor),
      ids: this.#confinement.ids,
    };
  }

  protected override initialize(): void {
    const { events, receive, snapshot } = this.#options;
    if (events !== undefined) this.#receive(events, (event) => event);
    receive?.((kind, toEvent) => this.#receive(kind, toEvent));
    this.install(WatchState, ({ watch }, from) => this.#watch(watch, from));
    this.route('/state', ({ method }) => this.#show(method), {
      help: `State of the machine '${this.#machine.id}' as JSON: value, status, tags, context, and output once it is done.`,
    });
    this.#turn(() => {
      const actor = this.#create();
      this.#actor = actor;
      actor.subscribe({
        error: (error) => {
          this.#failure ??= { error };
        },
        complete: () => this.terminate(),
      });
      if (snapshot !== undefined) this.#confinement.restoreDelays(actor, snapshot.delays);
      actor.start();
    });
  }

  protected override exited(pid: PID, reason: ExitReason): void {
    this.#watchers.delete(pid.address);
    if (!this.#linked.delete(pid.toString())) return;
    const event = this.#options.exited?.(pid, reason);
    if (event !== undefined) this.transition(event);
  }

  protected override finalize(): void {
    const actor = this.#actor;
    if (actor === undefined) return;
    this.#failure = undefined;
    this.#ending = this.#inTurn = true;
    stopDescendants(actor);
    this.#throwFailure();
  }

  get #running(): Actor<Machine> {
    if (this.#actor !== undefined) return this.#actor;
    throw new ProcessError(
      'PROCESS_NOT_SPAWNED',
      `The machine '${this.#machine.id}' runs once its process was spawned and initialized: dispatch this call`,
    );
  }

  #create(): Actor<Machine> {
    const { input, provide, snapshot } = this.#options;
    return new Actor(provide === undefined ? this.#machine : provided(this.#machine, provide(this.#handle())), {
      id: this.#machine.id,
      ...(input === undefined ? undefined : { input }),
      // xstate puts actors in place of their names into the context it is given, which others may still hold.
      ...(snapshot === undefined ? undefined : { snapshot: copy(snapshot.snapshot) }),
      inspect: (event) => this.#inspect(event),
      logger: (...logged: unknown[]) =>
        this.runtime.log.info({ process: this.self.toString(), logged }, 'logged by a machine'),
    });
  }

  #handle(): MachineHandle {
    const sender = (): PID | undefined => this.cell.sender;
    return {
      self: this.self,
      runtime: this.runtime,
      get sender() {
        return sender();
      },
      send: this.send.bind(this),
      reply: this.reply.bind(this),
      ask: this.ask.bind(this),
      link: (to) => {
        this.#linked.add(to.toString());
        return this.link(to);
      },
    };
  }

  #receive<T>(kind: Message<T>, toEvent: (body: T, from: PID) => EventFromLogic<Machine> | undefined): void {
    this.install(kind, (body, from) => {
      const event = toEvent(body, from);
      if (event === undefined) return;
      if (isForeign(event)) this.transition(event);
      else this.runtime.deadLetter({ reason: 'unhandled', name: kind.name, from, to: this.self });
    });
  }

  /** Runs the actors; what they could not handle crashes the process. */
  #turn(act: () => void): void {
    if (this.#inTurn) return act();
    this.#inTurn = true;
    try {
      act();
    } finally {
      this.#inTurn = false;
    }
    this.#throwFailure();
    const { save } = this.#options;
    if (save === undefined || !this.#unsaved) return;
    this.#unsaved = false;
    save(this.persisted());
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  #inspect(inspected: InspectionEvent): void {
    const own = inspected.actorRef === this.#actor;
    switch (inspected.type) {
      case '@xstate.actor':
        if (inspected.actorRef instanceof Actor) this.#confinement.adopt(inspected.actorRef);
        break;
      case '@xstate.microstep':
        if (inspected._transitions.length === 0) break;
        this.#unsaved = true;
        if (own) this.#moved = true;
        break;
      case '@xstate.snapshot':
        // Only machines tell their transitions; any other actor may have changed.
        if (!own) this.#unsaved = true;
        else this.#stepped(inspected.event.type);
        break;
      case '@xstate.event':
        // Nobody is left who would hear of it.
        if (this.#ending && inspected.event.type.startsWith('xstate.error.')) {
          this.#failure ??= { error: inspected.event['error'] };
        }
        break;
      default:
    }
  }

  #stepped(event: string): void {
    this.#lastEvent = event;
    if (!this.#moved) return;
    this.#moved = false;
    if (this.#watchers.size === 0 || this.#failure !== undefined) return;
    const state = this.#state();
    for (const watcher of this.#watchers.values()) this.send(watcher, StateChanged, state);
  }

  #watch(watch: boolean, from: PID): void {
    if (!watch) this.#watchers.delete(from.address);
    else this.#watchers.set(this.link(from).address, from);
    this.send(from, StateChanged, this.#state());
  }

  #state(): MachineState {
    const { value, status, tags, output } = this.#look();
    return {
      value,
      status: status === 'done' ? 'done' : 'active',
      tags: [...tags],
      event: this.#lastEvent,
      ...(output === undefined ? undefined : { output }),
    };
  }

  #show(method: string): HttpResponse {
    if (!readMethods.includes(method)) return methodNotAllowed(readMethods, method);
    const { value, status, tags, context, output } = this.#look();
    return json({ value, status, tags: [...tags], context, output });
  }

  #look(): AnyMachineSnapshot {
    return this.#running.getSnapshot();
  }
}

const readMethods = ['GET', 'HEAD'];

/** xstate's types lose which machine it is that it copies. */
function provided<Machine extends AnyStateMachine>(
  machine: Machine,
  implementations: MachineImplementationsFrom<Machine>,
): Machine {
  return machine.provide(implementations) as Machine;
}

/** Types that begin with `xstate.` would reach into the machine: they stop it, or pass for the outcome of its actors. */
function isForeign(event: unknown): boolean {
  return (
    typeof event === 'object' &&
    event !== null &&
    'type' in event &&
    typeof event.type === 'string' &&
    !event.type.startsWith('xstate.')
  );
}

/** Copies plain objects and arrays; whatever else is in them stays the same. */
function copy<T>(value: T): T;
function copy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copy);
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, copy(inner)]));
}
