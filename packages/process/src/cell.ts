import { CallChain } from './call-chain.ts';
import { messageOf, ProcessError, ProcessGone } from './errors.ts';
import { Event, type ExitReason } from './event.ts';
import { Extras, type Link, type Linker } from './extras.ts';
import { Deferred, Future } from './future/future.ts';
import { isThenable } from './future/outcome.ts';
import type { Delegate, Handler } from './handler.ts';
import type { HandlerTable } from './handler-table.ts';
import { Mailbox } from './mailbox.ts';
import type { Message } from './message.ts';
import { LocalPID, type PID, type Receiver } from './pid.ts';
import type { Clock, Timer } from './platform/platform.ts';
import type { Process } from './process.ts';
import type { Route } from './route.ts';
import type { Runnable } from './run-queue.ts';
import type { Runtime } from './runtime.ts';
import { endSpan, serveTraced } from './tracing.ts';
import { currentOwner, enterTurn, type Owner } from './turn.ts';
import { displace, drop, failAsker, interrupt, refuse, refuseCycle, refused } from './unserved.ts';

/** More than any mailbox holds, and still a small integer to the engine, which compares those fastest. */
const unbounded = 2 ** 30 - 1;

/** Whom the turn of now makes wait. */
interface TurnCalls {
  /** Who waits for this turn. */
  readonly callers: CallChain | undefined;
  /** Those and this turn, once it asks somebody. */
  chain: CallChain | undefined;
  /** What this turn asks of its own process: to be refused should the turn hold the mailbox. */
  readonly toSelf: Event[];
}

/**
 * `starting`: spawned, not initialized yet. `held`: an async handler has the mailbox until its promise settles. `crashing`: it
 * failed while its own code was on the stack, and ends when that code returns.
 */
type State = 'bottom' | 'starting' | 'ready' | 'held' | 'crashing' | 'terminating' | 'ended';

/** The runtime's side of a process: mailbox, state, links. Only the runtime and the Process base class touch it. */
export class Cell implements Receiver, Runnable, Owner, Linker {
  readonly process: Process;
  id: string;
  handlers: HandlerTable<Handler> | undefined = undefined;
  /** Messages the mailbox holds at most; further ones are refused. */
  bound = unbounded;
  #runtime: Runtime | undefined = undefined;
  #pid: LocalPID<Process> | undefined = undefined;
  #mailbox: Mailbox | undefined = undefined;
  #state: State = 'bottom';
  /** In the run queue, or on its way back there. */
  #queued = false;
  /** Its own code is on the stack. */
  #running = false;
  /** An overtaking terminate waits in the mailbox: what is ahead of the first terminate is dropped. */
  #injected = false;
  /** Who sent the message being handled. */
  #sender: PID | undefined = undefined;
  #calls: TurnCalls | undefined = undefined;
  /** The event whose handler holds the mailbox, or crashed: whoever waits for its outcome is told if there is none. */
  #unfinished: Event | undefined = undefined;
  #extras: Extras | undefined = undefined;

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

  /** In virtual time: what its clock shows. */
  get time(): number {
    return this.#extras?.time ?? this.runtime.platform.clock.now();
  }

  get extras(): Extras {
    return (this.#extras ??= new Extras());
  }
  get delegates(): HandlerTable<Delegate> | undefined {
    return this.#extras?.delegates;
  }
  get routes(): Map<string, Route> | undefined {
    return this.#extras?.routes;
  }
  /** Folders and files given to HTTP, by path without the leading slash. */
  get assets(): Map<string, string> | undefined {
    return this.#extras?.assets;
  }
  /** Whoever is told when this process ends. */
  get linkers(): Set<Linker> | undefined {
    return this.#extras?.linkers;
  }
  /** Links this process made, by exact or bare address of the linkee. */
  get links(): Map<string, Link> | undefined {
    return this.#extras?.links;
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
    return this.#state !== 'starting' && (this.#state !== 'held' || this.#unfinished !== undefined);
  }

  /** Aborts when the process ends. */
  get signal(): AbortSignal {
    const controller = (this.extras.controller ??= new AbortController());
    if (this.#state === 'ended') controller.abort();
    return controller.signal;
  }

  /** Its own code is on the stack, in a turn of it. */
  get isRunning(): boolean {
    return this.#running;
  }

  /** In virtual time: whatever reaches the process brings its clock forward. */
  lift(time: number): void {
    if (this.#state !== 'ended' && time > this.time) this.extras.time = time;
  }

  /** What whoever is asked now will know of who waits for it. */
  get callChain(): CallChain {
    if (!this.#running && !this.#inHeldHandler()) return new CallChain(this.pid, ++this.extras.askingTurns, undefined);
    const calls = (this.#calls ??= { callers: undefined, chain: undefined, toSelf: [] });
    return (calls.chain ??= new CallChain(this.pid, ++this.extras.askingTurns, calls.callers));
  }

  /** Whether this process is held by a turn that waits for what the chain came with. */
  isHeldBy(chain: CallChain): boolean {
    const own = this.#calls?.chain;
    return this.#state === 'held' && own !== undefined && chain.holds(this.pid, own.turn);
  }

  /** The event of the handler that holds the mailbox. */
  get heldBy(): Event | undefined {
    return this.#state === 'held' ? this.#unfinished : undefined;
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
    this.#state = 'starting';
    if (runtime.timed) this.extras.time = runtime.clock.now();
    this.#schedule();
    return this.#pid;
  }

  send(to: PID, kind: Message<unknown>, body: unknown): boolean {
    return this.runtime.delivery.message(to, kind, body, this.pid);
  }

  accept(event: Event): boolean {
    const state = this.#state;
    if (state !== 'ready' && (state === 'ended' || state === 'terminating')) {
      refuse(this, event, 'ended');
      return false;
    }
    if (event.meta?.chain !== undefined && this.#closesCycle(event, event.meta.chain)) return false;
    if (this.#runtime?.timed === true) event.meta = { ...event.meta, time: this.clock.now() };
    const mailbox = (this.#mailbox ??= new Mailbox());
    // Only messages are refused: control events have room in any mailbox.
    if (mailbox.size >= this.bound && event.kind === 'message' && !this.#makeRoom(mailbox)) {
      refuse(this, event, 'overflow');
      return false;
    }
    mailbox.push(event);
    if (!this.#queued && state !== 'held') this.#schedule();
    return true;
  }

  /** The short way of a message that has nothing but a body and a sender. */
  take(name: string, body: unknown, from: PID): boolean {
    const mailbox = this.#mailbox;
    if (
      mailbox === undefined ||
      this.#state !== 'ready' ||
      mailbox.size >= this.bound ||
      this.#runtime?.timed === true
    ) {
      return this.accept(new Event('message', name, from, body));
    }
    mailbox.pushMessage(name, body, from);
    if (!this.#queued) this.#schedule();
    return true;
  }

  /** Has `call` run in a turn of this process after so many milliseconds. */
  delay(milliseconds: number, call: () => unknown): Timer {
    const delays = (this.extras.delays ??= new Set<Timer>());
    const timer = this.clock.timer(milliseconds, () => {
      delays.delete(timer);
      this.runtime.delivery.dispatch(this.pid, call, '', undefined);
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
    return (this.extras.room ??= new Deferred<void>()).future;
  }

  notifyExited(pid: PID, reason: ExitReason): void {
    this.links?.delete(pid.address);
    this.links?.delete(pid.toString());
    this.accept(new Event('exited', '', pid, reason));
  }

  /** Ends the process; `inject` overtakes what is queued. */
  terminate(inject: boolean): void {
    if (this.#state === 'ended' || this.#state === 'terminating') return;
    // An async handler may never settle, so it must not keep its process alive: what it still does is discarded.
    if (inject && this.#state === 'held') return this.#end({ kind: 'terminated' });
    if (inject) this.#injected = true;
    this.accept(new Event('terminate', '', undefined, inject));
  }

  /** An exception that belongs to this process: it ends, and whoever is linked hears why. */
  fail(error: unknown): void {
    this.runtime.report(error, `process ${this.pid.toString()} crashed`);
    if (this.#state === 'ended' || this.#state === 'terminating') return;
    // What it does until its turn is over still comes before the word of its end.
    if (!this.#running) return this.#endCrashed(error);
    if (this.#state === 'crashing') return;
    this.#state = 'crashing';
    this.extras.crash = error;
  }

  /** Stops without finalize or a word to anybody: what kill -9 of its OS process does to it. */
  vanish(): void {
    this.#state = 'ended';
    this.#mailbox = undefined;
    this.#cancelDelays();
    this.#extras = undefined;
  }

  get more(): boolean {
    return this.#queued;
  }

  run(quantum: number): number {
    const runtime = this.runtime;
    enterTurn(this);
    this.#running = true;
    let served = 0;
    if (this.#state === 'starting') {
      served++;
      this.#state = 'ready';
      this.#serveInitialize();
    }
    const mailbox = this.#mailbox;
    if (mailbox !== undefined) {
      while (served < quantum && mailbox.size > 0 && this.#state === 'ready') {
        served++;
        const { first } = mailbox;
        if (typeof first === 'string' && !this.#injected && !runtime.observed) {
          const { firstBody, firstSender } = mailbox;
          mailbox.drop();
          this.#servePlain(first, firstBody, firstSender, runtime);
        } else {
          this.#serveNext(mailbox.shift(), runtime);
        }
      }
    }
    this.#running = false;
    if (this.#state !== 'held') this.#sender = undefined;
    this.#queued = mailbox !== undefined && mailbox.size > 0 && this.#state === 'ready';
    if (this.#extras?.room !== undefined && this.depth < this.bound) this.#announceRoom();
    return served;
  }

  #serveNext(event: Event | undefined, runtime: Runtime): void {
    if (event === undefined) return;
    if (this.#injected || runtime.observed || event.meta !== undefined) this.#sift(event, runtime);
    else this.#serve(event, runtime);
  }

  /** Under the policy that drops the oldest message there is room for a new one, unless only other events wait. */
  #makeRoom(mailbox: Mailbox): boolean {
    if (this.#extras?.overflow !== 'drop-oldest') return false;
    const oldest = mailbox.removeOldestMessage();
    if (oldest === undefined) return false;
    displace(this, oldest);
    return true;
  }

  #schedule(): void {
    this.#queued = true;
    this.runtime.queue.push(this);
  }

  #cancelDelays(): void {
    for (const timer of this.#extras?.delays ?? []) timer.cancel();
    this.#extras?.delays?.clear();
  }

  #announceRoom(): void {
    const { extras } = this;
    const { room } = extras;
    extras.room = undefined;
    room?.set(undefined);
  }

  #serveInitialize(): void {
    try {
      // An async initialize holds the mailbox like any async handler, so no message can come before it is done.
      this.#hold(this.process.runInitialize(), undefined);
    } catch (error) {
      this.fail(error);
    }
    if ((this.#state as State) === 'crashing') this.#endCrashed(this.extras.crash);
    if ((this.#state as State) !== 'held') this.#calls = undefined;
  }

  /**
   * Whether code outside the process's turns goes on with the handler that holds the mailbox: not if it is a callback of a
   * Future, and nobody can know while an interleaved handler waits too. Then it must not pass for what the hold waits for.
   */
  #inHeldHandler(): boolean {
    return this.#state === 'held' && currentOwner() === undefined && (this.#extras?.interleaved ?? 0) === 0;
  }

  /** The way of events that are not just served: dropped, intercepted, inspected, traced, or part of a chain of calls. */
  #sift(event: Event, runtime: Runtime): void {
    const { meta } = event;
    if (meta === refused) return;
    if (this.#injected && event.kind !== 'terminate') return drop(this, event);
    if (meta?.time !== undefined) this.lift(meta.time);
    // A terminate cannot be stopped.
    if (event.kind !== 'terminate' && runtime.interceptor !== undefined) {
      const verdict = runtime.interceptor(event, this.pid);
      if (verdict === 'drop') event.result?.abandon();
      if (verdict !== 'serve') return;
    }
    if (meta?.chain !== undefined) this.#calls = { callers: meta.chain, chain: undefined, toSelf: [] };
    // Who begins to inspect in this very turn has not seen its beginning.
    const { inspection } = runtime;
    inspection?.begins(event, this.pid);
    if (meta?.trace === undefined || runtime.tracing === undefined) this.#serve(event, runtime);
    else serveTraced(event, this, runtime.tracing, () => this.#serve(event, runtime));
    inspection?.ends(event, this.pid);
  }

  /** As #serve, for a message that need not be an event unless something goes on with it. */
  #servePlain(name: string, body: unknown, from: PID, runtime: Runtime): void {
    try {
      const handler = this.handlers?.get(name);
      if (handler === undefined) {
        this.#serveMessage(new Event('message', name, from, body), runtime);
      } else {
        this.#sender = from;
        const outcome = handler.run(body, from);
        if (outcome !== undefined) this.#follow(handler, outcome, new Event('message', name, from, body));
      }
    } catch (error) {
      this.fail(error);
    }
    if (this.#state === 'crashing') this.#endOver(name, body, from);
    if (this.#calls !== undefined && this.#state !== 'held') this.#calls = undefined;
  }

  /** Apart from #servePlain, which is to stay small enough for the compiler to put it where it is called. */
  #endOver(name: string, body: unknown, from: PID): void {
    this.#unfinished = new Event('message', name, from, body);
    this.#endCrashed(this.extras.crash);
  }

  #serve(event: Event, runtime: Runtime): void {
    try {
      switch (event.kind) {
        case 'message':
          this.#serveMessage(event, runtime);
          break;
        case 'dispatch':
          this.#sender = undefined;
          this.#serveDispatch(event);
          break;
        case 'exited':
          this.#sender = undefined;
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
    if (this.#state === 'crashing') {
      this.#unfinished = event;
      this.#endCrashed(this.extras.crash);
    }
    if (this.#calls !== undefined && this.#state !== 'held') this.#calls = undefined;
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
      if (outcome !== undefined) this.#follow(handler, outcome, event);
      return;
    }
    const delegate = this.delegates?.get(event.name);
    if (delegate !== undefined) {
      runtime.delivery.forward(delegate.to, event, delegate.schema);
      return;
    }
    runtime.delivery.unhandled(this.pid, event);
  }

  #follow(handler: Handler, outcome: unknown, event: Event): void {
    if (handler.interleaved) this.#interleave(outcome, event);
    else this.#hold(outcome, event);
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
    if (this.#state !== 'crashing') {
      this.#state = 'held';
      this.#unfinished = event;
      this.runtime.holds.begin(this, event);
    }
    for (const own of this.#calls?.toSelf ?? []) {
      if (own.meta?.chain !== undefined) refuseCycle(this, own, own.meta.chain);
      own.meta = refused;
    }
    outcome.then(
      (value) => this.#settled(event, () => void event?.result?.set(value)),
      (error: unknown) => this.#settled(event, () => this.fail(error)),
    );
  }

  /** The mailbox goes on; an exception still ends the process. */
  #interleave(outcome: unknown, event: Event): void {
    if (outcome instanceof Future || !isThenable(outcome)) return;
    const { runtime, extras } = this;
    runtime.holds.leftPending();
    extras.interleaved++;
    const settled = (crash?: { readonly error: unknown }): void => {
      extras.interleaved--;
      if (this.ended) {
        runtime.metrics.lateSettlements++;
        return;
      }
      this.#caughtUp();
      if (crash === undefined) return;
      this.fail(crash.error);
      failAsker(this, event, { kind: 'crashed', message: messageOf(crash.error), error: crash.error });
    };
    outcome.then(
      () => settled(),
      (error: unknown) => settled({ error }),
    );
  }

  /** A handler that has waited has seen the time of the world. */
  #caughtUp(): void {
    if (this.runtime.timed) this.lift(this.runtime.platform.clock.now());
  }

  /** The held handler is done; too late if its process ended meanwhile. */
  #settled(event: Event | undefined, act: () => void): void {
    this.runtime.holds.end(this);
    if (this.#state !== 'held') {
      this.runtime.metrics.lateSettlements++;
      event?.result?.abandon();
      return;
    }
    this.#state = 'ready';
    this.#caughtUp();
    act();
    // It may have ended in `act`.
    if ((this.#state as State) !== 'ready') return;
    if (event?.meta !== undefined) endSpan(event, this.runtime, undefined);
    this.#sender = this.#calls = this.#unfinished = undefined;
    if (!this.#queued && this.depth > 0) this.#schedule();
  }

  #endCrashed(error: unknown): void {
    this.#end({ kind: 'crashed', message: messageOf(error), error });
  }

  #end(reason: ExitReason): void {
    const unfinished = this.#unfinished;
    if (this.#state === 'held') this.runtime.holds.end(this);
    this.#sender = this.#calls = this.#unfinished = undefined;
    this.#state = 'terminating';
    const previous = enterTurn(this);
    try {
      this.process.runFinalize(reason);
    } catch (error) {
      this.runtime.report(error, `finalize of process ${this.pid.toString()} threw`);
    } finally {
      enterTurn(previous);
    }
    if (unfinished !== undefined) interrupt(this, unfinished, reason);
    for (let event = this.#mailbox?.shift(); event !== undefined; event = this.#mailbox?.shift()) drop(this, event);
    this.#mailbox = undefined;
    this.#cancelDelays();
    const extras = this.#extras;
    this.#extras = undefined;
    this.runtime.living.remove(this);
    this.#state = 'ended';
    if (extras !== undefined) {
      extras.room?.abandon();
      for (const belonging of extras.belongings ?? []) belonging.ownerEnded(reason);
      for (const link of extras.links?.values() ?? []) link.undo();
      for (const linker of extras.linkers ?? []) linker.notifyExited(this.pid, reason);
      extras.controller?.abort(new ProcessGone('PROCESS_ENDED', `${this.pid.toString()} has ended`));
    }
    this.runtime.inspection?.ended(this.pid, reason);
    this.runtime.living.ended(this);
  }

  /** Whether the event comes from a turn that holds this process. One of its running turn may yet: it is remembered. */
  #closesCycle(event: Event, chain: CallChain): boolean {
    const calls = this.#calls;
    if (calls?.chain === undefined || !chain.holds(this.pid, calls.chain.turn)) return false;
    if (this.#state === 'held') refuseCycle(this, event, chain);
    else calls.toSelf.push(event);
    return this.#state === 'held';
  }
}

function notSpawned(id: string): never {
  throw new ProcessError(
    'PROCESS_NOT_SPAWNED',
    `Process '${id}' was not spawned yet: do this in initialize(), not in the constructor`,
  );
}
