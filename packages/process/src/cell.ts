import { isAsker } from './ask.ts';
import { messageOf, ProcessError, ProcessGone } from './errors.ts';
import { Event, type ExitReason } from './event.ts';
import { Deferred, Future } from './future/future.ts';
import type { HandlerTable } from './handler-table.ts';
import type { Message, WireSchema } from './message.ts';
import { LocalPID, type PID, type Receiver } from './pid.ts';
import type { Clock, Timer } from './platform/platform.ts';
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

/** More than any mailbox holds, and still a small integer to the engine, which compares those fastest. */
const unbounded = 2 ** 30 - 1;

/** `held`: an async handler has the mailbox until its promise settles. */
type State = 'bottom' | 'ready' | 'held' | 'terminating' | 'ended';

/** The runtime's side of a process: mailbox, state, links. Only the runtime and the Process base class touch it. */
export class Cell implements Receiver, Runnable, Owner, Linker {
  readonly process: Process;
  id: string;
  handlers: HandlerTable<Handler> | undefined = undefined;
  delegates: HandlerTable<Delegate> | undefined = undefined;
  routes: Map<string, Route> | undefined = undefined;
  /** Folders and files given to HTTP, by path without the leading slash. */
  assets: Map<string, string> | undefined = undefined;
  /** Whoever is told when this process ends. */
  linkers: Set<Linker> | undefined = undefined;
  /** Links this process made, by exact or bare address of the linkee. */
  links: Map<string, Link> | undefined = undefined;
  /** Messages the mailbox holds at most; further ones are refused. */
  bound = unbounded;
  #runtime: Runtime | undefined = undefined;
  #pid: LocalPID<Process> | undefined = undefined;
  #mailbox: Ring<Event> | undefined = undefined;
  #state: State = 'bottom';
  /** In the run queue, or on its way back there. */
  #queued = false;
  /** Its own code is on the stack. */
  #running = false;
  #initialized = false;
  /** An overtaking terminate waits in the mailbox: what is ahead of the first terminate is dropped. */
  #injected = false;
  /** Who sent the message being handled. */
  #sender: PID | undefined = undefined;
  /** The event whose handler holds the mailbox, or crashed: whoever waits for its outcome is told if there is none. */
  #unfinished: Event | undefined = undefined;
  /** It crashed while its own code was on the stack; it ends when that code returns. */
  #crash: { readonly error: unknown } | undefined = undefined;
  #room: Deferred<void> | undefined = undefined;
  /** Timers that this process armed and that have not fired: they end with it, or they would keep the OS process alive. */
  #delays: Set<Timer> | undefined = undefined;

  constructor(process: Process, id: string) {
    this.process = process;
    this.id = id;
  }

  get runtime(): Runtime {
    return this.#runtime ?? notSpawned(this.id);
  }

  get pid(): LocalPID<Process> {
    return this.#pid ?? notSpawned(this.id);
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

  /** False until `initialize` is done: only then is it known which kinds the process handles. */
  get initialized(): boolean {
    // The only hold without an event is that of an async initialize.
    return this.#initialized && (this.#state !== 'held' || this.#unfinished !== undefined);
  }

  /** Who sent the message being handled; undefined outside message handlers. */
  get sender(): PID | undefined {
    return this.#sender;
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

  send(to: PID, kind: Message<unknown>, body: unknown): boolean {
    return this.runtime.deliver(to, kind, body, this.pid);
  }

  accept(event: Event): boolean {
    if (this.#state === 'ended' || this.#state === 'terminating') {
      this.#refuse(event, 'ended');
      return false;
    }
    const mailbox = (this.#mailbox ??= new Ring<Event>(4));
    // Only messages are refused: control events have room in any mailbox.
    if (mailbox.size >= this.bound && event.kind === 'message') {
      this.#refuse(event, 'overflow');
      return false;
    }
    mailbox.push(event);
    if (!this.#queued && this.#state !== 'held') this.#schedule();
    return true;
  }

  /** Has `call` run in a turn of this process after so many milliseconds. */
  delay(milliseconds: number, call: () => unknown): Timer {
    const delays = (this.#delays ??= new Set<Timer>());
    const timer = this.clock.timer(milliseconds, () => {
      delays.delete(timer);
      this.runtime.dispatchTo(this.pid, call, '', undefined);
    });
    delays.add(timer);
    return {
      cancel: () => {
        delays.delete(timer);
        return timer.cancel();
      },
    };
  }

  /** READY when the mailbox has room for a message. */
  whenRoom(): Future<void> {
    if (this.depth < this.bound) return Future.ready(undefined);
    return (this.#room ??= new Deferred<void>()).future;
  }

  notifyExited(pid: PID, reason: ExitReason): void {
    this.links?.delete(pid.address);
    this.links?.delete(pid.toString());
    this.accept(new Event('exited', '', pid, reason, undefined));
  }

  /** Ends the process; `inject` overtakes what is queued. */
  terminate(inject: boolean): void {
    if (this.#state === 'ended' || this.#state === 'terminating') return;
    // An async handler may never settle, so it must not keep its process alive: what it still does is discarded.
    if (inject && this.#state === 'held') return this.#end({ kind: 'terminated' });
    if (inject) this.#injected = true;
    this.accept(new Event('terminate', '', undefined, inject, undefined));
  }

  /** An exception that belongs to this process: it ends, and whoever is linked hears why. */
  fail(error: unknown): void {
    this.runtime.report(error, `process ${this.pid.toString()} crashed`);
    if (this.#state === 'ended' || this.#state === 'terminating') return;
    // What it does until its turn is over still comes before the word of its end.
    if (this.#running) this.#crash ??= { error };
    else this.#endCrashed(error);
  }

  /** Stops without finalize or a word to anybody: what kill -9 of its OS process does to it. */
  vanish(): void {
    this.#state = 'ended';
    this.#mailbox = undefined;
    this.links = this.linkers = undefined;
    this.#cancelDelays();
  }

  get more(): boolean {
    return this.#queued;
  }

  run(quantum: number): number {
    const runtime = this.runtime;
    enterTurn(this);
    this.#running = true;
    let served = 0;
    if (!this.#initialized && this.#state === 'ready') {
      served++;
      this.#initialized = true;
      this.#serveInitialize();
    }
    const mailbox = this.#mailbox;
    if (mailbox !== undefined) {
      while (mailbox.size > 0 && served < quantum && this.#state === 'ready') {
        const event = mailbox.shift();
        if (event === undefined) break;
        served++;
        if (this.#injected || runtime.interceptor !== undefined) this.#sift(event);
        else this.#serve(event, runtime);
      }
    }
    this.#running = false;
    this.#queued = mailbox !== undefined && mailbox.size > 0 && this.#state === 'ready';
    if (this.#room !== undefined && this.depth < this.bound) this.#announceRoom();
    return served;
  }

  #schedule(): void {
    this.#queued = true;
    this.runtime.queue.push(this);
  }

  #cancelDelays(): void {
    for (const timer of this.#delays ?? []) timer.cancel();
    this.#delays = undefined;
  }

  #announceRoom(): void {
    const room = this.#room;
    this.#room = undefined;
    room?.set(undefined);
  }

  #serveInitialize(): void {
    try {
      // An async initialize holds the mailbox like any async handler, so no message can come before it is done.
      this.#hold(this.process.runInitialize(), undefined);
    } catch (error) {
      this.fail(error);
    }
    if (this.#crash !== undefined) this.#endCrashed(this.#crash.error);
  }

  /** Drops what an injected terminate overtakes, and what the interceptor, which cannot stop a terminate, does not let through. */
  #sift(event: Event): void {
    if (event.kind !== 'terminate') {
      if (this.#injected) return this.#drop(event);
      const verdict = this.runtime.interceptor?.(event, this.pid) ?? 'serve';
      if (verdict === 'drop') event.result?.abandon();
      if (verdict !== 'serve') return;
    }
    this.#serve(event, this.runtime);
  }

  #serve(event: Event, runtime: Runtime): void {
    try {
      switch (event.kind) {
        case 'message':
          this.#serveMessage(event, runtime);
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
      this.#unfinished = event;
      this.fail(error);
    }
    if (this.#crash !== undefined) {
      this.#unfinished = event;
      this.#endCrashed(this.#crash.error);
    }
    if (this.#state !== 'held') this.#sender = undefined;
  }

  /** @internal A message, in a turn of the process that began with something else. */
  serveWithin(event: Event): void {
    this.#serveMessage(event, this.runtime);
  }

  #serveMessage(event: Event, runtime: Runtime): void {
    const handler = this.handlers?.get(event.name);
    if (handler !== undefined) {
      this.#sender = event.from;
      const outcome = handler.run(event.body, event.from ?? runtime.nobody);
      if (outcome !== undefined) this.#hold(outcome, event);
      return;
    }
    const delegate = this.delegates?.get(event.name);
    if (delegate !== undefined) {
      runtime.forward(delegate.to, event, delegate.schema);
      return;
    }
    runtime.unhandled(this.pid, event);
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
    this.#unfinished = event;
    this.runtime.holdBegins();
    outcome.then(
      (value) => this.#settled(event, () => void event?.result?.set(value)),
      (error: unknown) => this.#settled(event, () => this.fail(error)),
    );
  }

  /** The held handler is done; too late if its process ended meanwhile. */
  #settled(event: Event | undefined, act: () => void): void {
    if (this.#state !== 'held') {
      this.runtime.metrics.lateSettlements++;
      event?.result?.abandon();
      return;
    }
    this.#state = 'ready';
    act();
    // It may have ended in `act`.
    if ((this.#state as State) !== 'ready') return;
    this.#sender = this.#unfinished = undefined;
    if (!this.#queued && this.depth > 0) this.#schedule();
  }

  #endCrashed(error: unknown): void {
    this.#end({ kind: 'crashed', message: messageOf(error), error });
  }

  #end(reason: ExitReason): void {
    const unfinished = this.#unfinished;
    this.#sender = this.#unfinished = undefined;
    this.#crash = undefined;
    this.#state = 'terminating';
    const previous = enterTurn(this);
    try {
      this.process.runFinalize(reason);
    } catch (error) {
      this.runtime.report(error, `finalize of process ${this.pid.toString()} threw`);
    } finally {
      enterTurn(previous);
    }
    if (unfinished !== undefined) this.#interrupt(unfinished, reason);
    for (let event = this.#mailbox?.shift(); event !== undefined; event = this.#mailbox?.shift()) this.#drop(event);
    this.#mailbox = undefined;
    this.#cancelDelays();
    this.#room?.abandon();
    this.#room = undefined;
    this.runtime.unregister(this);
    this.#state = 'ended';
    for (const link of this.links?.values() ?? []) link.undo();
    this.links = undefined;
    const linkers = this.linkers;
    this.linkers = undefined;
    for (const linker of linkers ?? []) linker.notifyExited(this.pid, reason);
    this.runtime.released(this);
  }

  /** The event whose handler crashed, or was still at work when the process ended. */
  #interrupt(event: Event, reason: ExitReason): void {
    if (reason.kind === 'crashed') event.result?.fail(reason.error);
    else event.result?.abandon();
    if (event.kind === 'message') this.#failAsker(event, reason);
  }

  #drop(event: Event): void {
    if (event.kind === 'message') this.#refuse(event, 'ended');
    else event.result?.abandon();
  }

  #refuse(event: Event, why: 'ended' | 'overflow'): void {
    event.result?.abandon();
    if (event.kind !== 'message') return;
    this.runtime.deadLetter({ reason: why, name: event.name, from: event.from, to: this.pid });
    if (why === 'ended') this.#failAsker(event, { kind: 'terminated' });
  }

  #failAsker(event: Event, reason: ExitReason): void {
    if (event.from === undefined || !isAsker(event.from)) return;
    const why = reason.kind === 'crashed' ? `crashed while handling it: ${reason.message}` : 'has ended';
    this.runtime.refuseAsk(
      event.from,
      new ProcessGone('PROCESS_ENDED', `${this.pid.toString()} did not answer '${event.name}': the process ${why}`, {
        cause: reason.kind === 'crashed' ? reason.error : undefined,
      }),
    );
  }
}

function notSpawned(id: string): never {
  throw new ProcessError(
    'PROCESS_NOT_SPAWNED',
    `Process '${id}' was not spawned yet: do this in initialize(), not in the constructor`,
  );
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === 'object' && value !== null && typeof (value as { then?: unknown }).then === 'function';
}
