import { messageOf, ProcessError, ProcessGone } from './errors.ts';
import { Event, type ExitReason } from './event.ts';
import { Future } from './future/future.ts';
import type { WireSchema } from './message.ts';
import { LocalPID, type PID, type Receiver } from './pid.ts';
import type { Clock } from './platform/platform.ts';
import type { Process } from './process.ts';
import { Ring } from './ring.ts';
import type { Route } from './route.ts';
import type { Runnable } from './run-queue.ts';
import type { Runtime } from './runtime.ts';
import { enterTurn, type Owner } from './turn.ts';

/** Somebody who wants to hear of an exit: a process here, or one of another node behind its session. */
export interface Linker {
  notifyExited(pid: PID, reason: ExitReason): void;
}

/** A link that this process made; it is undone when the process ends first. */
export interface Link {
  undo(): void;
}

/** An installed message handler, with what bodies from the wire must satisfy. */
export interface Handler {
  readonly schema: WireSchema<unknown> | undefined;
  readonly run: (body: unknown, from: PID) => unknown;
}

export interface Delegate {
  readonly schema: WireSchema<unknown> | undefined;
  readonly to: PID;
}

type State = 'bottom' | 'ready' | 'held' | 'terminating' | 'ended';

const maxDepth = Number.POSITIVE_INFINITY;

/** The runtime's side of a process: mailbox, state, links. Only the runtime and the Process base class touch it. */
export class Cell implements Receiver, Runnable, Owner, Linker {
  readonly process: Process;
  id: string;
  handlers: Map<string, Handler> | undefined;
  delegates: Map<string, Delegate> | undefined;
  routes: Map<string, Route> | undefined;
  #runtime: Runtime | undefined;
  #pid: LocalPID<Process> | undefined;
  #mailbox: Ring<Event> | undefined;
  #state: State = 'bottom';
  #queued = false;
  #initialized = false;
  #injected = 0;
  #handling: Event | undefined;
  /** Whoever is told when this process ends. */
  linkers: Set<Linker> | undefined;
  /** Links this process made, by exact or bare address of the linkee. */
  links: Map<string, Link> | undefined;
  /** Events the mailbox holds at most; further ones are refused. */
  bound = maxDepth;

  constructor(process: Process, id: string) {
    this.process = process;
    this.id = id;
  }

  get runtime(): Runtime {
    if (this.#runtime === undefined) {
      throw new ProcessError('PROCESS_NOT_SPAWNED', `Process '${this.id}' was not spawned yet: do this in initialize(), not in the constructor`);
    }
    return this.#runtime;
  }

  get pid(): LocalPID<Process> {
    if (this.#pid === undefined) {
      throw new ProcessError('PROCESS_NOT_SPAWNED', `Process '${this.id}' has no address before it is spawned`);
    }
    return this.#pid;
  }

  get clock(): Clock {
    return this.runtime.clock;
  }

  get spawned(): boolean {
    return this.#state !== 'bottom';
  }

  get ended(): boolean {
    return this.#state === 'ended';
  }

  /** The event being served; undefined between turns. */
  get handling(): Event | undefined {
    return this.#handling;
  }

  get depth(): number {
    return this.#mailbox?.size ?? 0;
  }

  events(): Iterable<Event> {
    return this.#mailbox ?? [];
  }

  /** @internal Called once, by spawn. */
  start(runtime: Runtime, generation: number): LocalPID<Process> {
    this.#runtime = runtime;
    this.#pid = new LocalPID<Process>(this.id, runtime.name, runtime.incarnation, generation, this);
    this.#state = 'ready';
    this.#schedule();
    return this.#pid;
  }

  accept(event: Event): boolean {
    if (this.#state === 'ended' || this.#state === 'terminating') {
      this.#refuse(event, 'ended');
      return false;
    }
    const mailbox = (this.#mailbox ??= new Ring<Event>(4));
    // Only tells are refused: control events have room in any mailbox.
    if (mailbox.size >= this.bound && event.kind === 'message') {
      this.#refuse(event, 'overflow');
      return false;
    }
    mailbox.push(event);
    if (!this.#queued && this.#state !== 'held') this.#schedule();
    return true;
  }

  notifyExited(pid: PID, reason: ExitReason): void {
    this.links?.delete(pid.address);
    this.links?.delete(pid.toString());
    this.accept(new Event('exited', '', pid, reason, undefined));
  }

  /** Ends the process; `inject` overtakes what is queued. */
  terminate(inject: boolean): void {
    if (this.#state === 'ended' || this.#state === 'terminating') return;
    if (this.#state === 'held') {
      // A held mailbox must not keep its process alive: what the handler still does is discarded when it settles.
      if (inject || this.depth === 0) {
        this.#end({ kind: 'terminated' });
        return;
      }
    }
    if (inject) this.#injected++;
    this.accept(new Event('terminate', '', undefined, inject, undefined));
  }

  /** An exception that belongs to this process: it ends, and whoever is linked hears why. */
  fail(error: unknown): void {
    if (this.#state === 'ended' || this.#state === 'bottom') return;
    this.runtime.report(error, `process ${this.pid.toString()} crashed`);
    this.#end({ kind: 'crashed', message: messageOf(error), error });
  }

  /** Stops without finalize or a word to anybody: what kill -9 of its OS process does to it. */
  vanish(): void {
    this.#state = 'ended';
    this.#mailbox = undefined;
    this.links = this.linkers = undefined;
  }

  get more(): boolean {
    const more = this.#state === 'ready' && (!this.#initialized || this.depth > 0);
    if (!more) this.#queued = false;
    return more;
  }

  run(quantum: number): number {
    const previous = enterTurn(this);
    let served = 0;
    try {
      if (!this.#initialized && this.#state === 'ready') {
        served++;
        this.#initialized = true;
        this.#serveInitialize();
      }
      while (served < quantum && this.#state === 'ready') {
        const event = this.#mailbox?.shift();
        if (event === undefined) break;
        served++;
        this.#serve(event);
      }
    } finally {
      enterTurn(previous);
    }
    return served;
  }

  #schedule(): void {
    this.#queued = true;
    this.runtime.queue.push(this);
  }

  #serveInitialize(): void {
    try {
      // An async initialize holds the mailbox like any async handler, so no message can come before it is done.
      this.#hold(this.process.runInitialize(), undefined);
    } catch (error) {
      this.fail(error);
    }
  }

  #serve(event: Event): void {
    if (this.#injected > 0 && event.kind !== 'terminate') {
      this.#drop(event);
      return;
    }
    const interceptor = this.runtime.interceptor;
    if (interceptor !== undefined && event.kind !== 'terminate' && !interceptor(event, this.pid)) {
      event.result?.abandon();
      return;
    }
    this.#handling = event;
    try {
      switch (event.kind) {
        case 'message':
          this.#serveMessage(event);
          break;
        case 'dispatch':
          this.#serveDispatch(event);
          break;
        case 'exited':
          if (event.from !== undefined) this.#hold(this.process.runExited(event.from, event.body as ExitReason), event);
          break;
        case 'terminate':
          this.#end({ kind: 'terminated' });
          break;
      }
    } catch (error) {
      event.result?.fail(error);
      this.fail(error);
    } finally {
      // A hold keeps the event, so that a crash in it still fails the ask it served.
      if (this.#state !== 'held') this.#handling = undefined;
    }
  }

  #serveMessage(event: Event): void {
    const handler = this.handlers?.get(event.name);
    if (handler !== undefined) {
      const outcome = handler.run(event.body, event.from ?? this.runtime.nobody);
      if (outcome !== undefined) this.#hold(outcome, event);
      return;
    }
    const delegate = this.delegates?.get(event.name);
    if (delegate !== undefined) {
      this.runtime.forward(delegate.to, event, delegate.schema);
      return;
    }
    this.runtime.unhandled(this.pid, event);
  }

  #serveDispatch(event: Event): void {
    const outcome: unknown = (event.body as (process: Process) => unknown)(this.process);
    const result = event.result;
    if (outcome instanceof Future) result?.associate(outcome);
    else if (isThenable(outcome)) this.#hold(outcome, event);
    else result?.set(outcome);
  }

  /** A native promise holds the mailbox until it settles; a Future has ended its turn (libprocess's rule). */
  #hold(outcome: unknown, event: Event | undefined): void {
    if (outcome instanceof Future || !isThenable(outcome)) return;
    this.#state = 'held';
    this.runtime.holdBegins();
    const settle = (act: () => void): void => {
      if (this.#state !== 'held') {
        this.runtime.metrics.lateSettlements++;
        event?.result?.abandon();
        return;
      }
      this.#state = 'ready';
      this.#handling = undefined;
      act();
      if (this.#state === 'ready' && !this.#queued && (this.depth > 0 || this.#injected > 0)) this.#schedule();
    };
    outcome.then(
      (value) => settle(() => void event?.result?.set(value)),
      (error: unknown) =>
        settle(() => {
          event?.result?.fail(error);
          this.fail(error);
        }),
    );
  }

  #end(reason: ExitReason): void {
    const interrupted = this.#handling;
    this.#state = 'terminating';
    const previous = enterTurn(this);
    try {
      this.process.runFinalize(reason);
    } catch (error) {
      this.runtime.report(error, `finalize of process ${this.pid.toString()} threw`);
    } finally {
      enterTurn(previous);
    }
    if (interrupted?.kind === 'message' && reason.kind === 'crashed') this.#failAsker(interrupted, reason);
    for (let event = this.#mailbox?.shift(); event !== undefined; event = this.#mailbox?.shift()) this.#drop(event);
    this.#mailbox = undefined;
    this.runtime.unregister(this);
    this.#state = 'ended';
    this.pid.receiver = this;
    for (const link of this.links?.values() ?? []) link.undo();
    this.links = undefined;
    const linkers = this.linkers;
    this.linkers = undefined;
    for (const linker of linkers ?? []) linker.notifyExited(this.pid, reason);
    this.runtime.released(this);
  }

  #drop(event: Event): void {
    if (event.kind === 'message') this.#refuse(event, 'ended');
    else event.result?.abandon();
  }

  #refuse(event: Event, why: 'ended' | 'overflow'): void {
    event.result?.abandon();
    if (event.kind !== 'message') return;
    this.runtime.deadLetter({ reason: why, name: event.name, from: event.from, to: this.pid });
    if (event.from !== undefined) this.#failAsker(event, { kind: 'terminated' });
  }

  #failAsker(event: Event, reason: ExitReason): void {
    if (event.from === undefined) return;
    const why = reason.kind === 'crashed' ? `crashed while handling it: ${reason.message}` : 'has ended';
    this.runtime.refuseAsk(
      event.from,
      new ProcessGone('PROCESS_ENDED', `${this.pid.toString()} did not answer '${event.name}': the process ${why}`, {
        cause: reason.kind === 'crashed' ? reason.error : undefined,
      }),
    );
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
