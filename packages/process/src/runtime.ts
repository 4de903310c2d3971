import { Asks } from './ask.ts';
import { Cell } from './cell.ts';
import { type Duration, toMilliseconds } from './duration.ts';
import { ProcessError, SpawnRefused } from './errors.ts';
import { Event, type ExitReason } from './event.ts';
import { freeze } from './freeze.ts';
import { Deferred, Future } from './future/future.ts';
import type { Message, WireSchema } from './message.ts';
import { Metrics } from './metrics/metrics.ts';
import { Node } from './node/node.ts';
import { checkNodeName, type LocalPID, PID } from './pid.ts';
import { nodePlatform } from './platform/node-platform.ts';
import type { Children, Clock, Files, Platform, Random, Timer } from './platform/platform.ts';
import type { Process, Unwrapped } from './process.ts';
import { RunQueue } from './run-queue.ts';
import type { HttpRequest, HttpResponse } from './route.ts';
import { Router } from './router.ts';
import type { AskOptions, DeadLetter, HttpEdge, Interceptor, Logger, RuntimeOptions } from './runtime-options.ts';
import type { Subscription } from './transport.ts';

const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** Where processes live: it owns clock, chance, files, transport, run queue, registry, links, metrics and HTTP server. */
export class Runtime implements AsyncDisposable {
  readonly name: string;
  /** Grows with every start of a node of this name. */
  readonly incarnation: number;
  readonly platform: Platform;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** @internal */
  readonly queue: RunQueue;
  /** Consulted before every event, when set. */
  interceptor: Interceptor | undefined;
  /** The sender of what no process sent. */
  readonly nobody: PID;
  /** Routes of all processes; the HTTP edge asks it. */
  readonly router: Router;
  readonly #processes = new Map<string, Cell>();
  readonly #waiters = new Map<Cell, Deferred<boolean>[]>();
  readonly #listeners = new Set<(letter: DeadLetter) => void>();
  readonly #asks: Asks;
  readonly #node: Node | undefined;
  readonly #freezes: boolean;
  readonly #onError: (error: unknown, context: string) => void;
  readonly #http: HttpEdge | undefined;
  readonly #numbers = new Map<string, number>();
  #url: string | undefined;
  #generations = 0;
  #turns = 0;
  #stopping: Future<void> | undefined;

  private constructor(options: RuntimeOptions) {
    this.platform = options.platform ?? nodePlatform();
    const chance = Math.floor(this.random.next() * 1024);
    this.name = checkNodeName(options.name ?? `node-${Math.floor(this.random.next() * 1e9).toString(36)}`);
    // A later start is a larger number; milliseconds and 10 random bits stay below 2^53 until the year 2248.
    this.incarnation = Math.floor(this.clock.now()) * 1024 + chance;
    this.log = options.log ?? silent;
    this.#onError = options.onError ?? ((error, context) => this.#defaultOnError(options.log, error, context));
    this.#freezes = options.freeze ?? false;
    this.nobody = new PID('', this.name, this.incarnation, 0);
    this.metrics = new Metrics(this);
    this.router = new Router(this);
    const now = this.platform.simulated ? undefined : () => this.clock.now();
    this.queue = new RunQueue(this.platform.loop, now, () => this.#endSlice());
    this.#asks = new Asks(this);
    this.#http = options.http;
    this.#node = options.transport === undefined ? undefined : new Node(this, this.#asks, options.transport, options);
  }

  /** Connects the transport and opens the HTTP server. Fails with NODE_NAME_TAKEN if a live node has the name, or TRANSPORT_UNAVAILABLE. */
  static async start(options: RuntimeOptions = {}): Promise<Runtime> {
    const runtime = new Runtime(options);
    try {
      await runtime.#node?.start();
      runtime.#url = (await runtime.#http?.start(runtime))?.url;
    } catch (error) {
      await runtime.stop();
      throw error;
    }
    return runtime;
  }

  get clock(): Clock {
    return this.platform.clock;
  }
  get random(): Random {
    return this.platform.random;
  }
  get files(): Files {
    return this.platform.files;
  }
  get children(): Children {
    return this.platform.children;
  }
  /** Where the HTTP server listens, such as `http://127.0.0.1:5050`; undefined without one. */
  get url(): string | undefined {
    return this.#url;
  }
  /** True while no event waits for its turn. A handler that is held by its own promise does not count. */
  get idle(): boolean {
    return this.queue.idle;
  }
  /** Grows with every slice; what `settle` compares. */
  get activity(): number {
    return this.#turns;
  }

  /**
   * Gives the process its address and has `initialize` run soon. Throws SpawnRefused: PROCESS_ID_TAKEN,
   * PROCESS_SPAWNED_BEFORE or RUNTIME_STOPPING.
   */
  spawn<P extends Process>(process: P): LocalPID<P> {
    if (this.#stopping !== undefined) {
      throw new SpawnRefused(
        'RUNTIME_STOPPING',
        `Cannot spawn '${process.cell.id}': runtime '${this.name}' is stopping`,
      );
    }
    const cell = process.cell;
    if (cell.spawned) {
      throw new SpawnRefused(
        'PROCESS_SPAWNED_BEFORE',
        `Cannot spawn '${cell.id}': this object was spawned before; make a new one`,
      );
    }
    if (cell.id === '') cell.id = this.generateId('');
    if (this.#processes.has(cell.id)) {
      throw new SpawnRefused(
        'PROCESS_ID_TAKEN',
        `Cannot spawn '${cell.id}': a living process of runtime '${this.name}' has this id`,
      );
    }
    this.#processes.set(cell.id, cell);
    return cell.start(this, ++this.#generations) as LocalPID<P>;
  }

  /** `prefix(1)`, `prefix(2)`, …: numbers are never given twice in a runtime. */
  generateId(prefix: string): string {
    const number = (this.#numbers.get(prefix) ?? 0) + 1;
    this.#numbers.set(prefix, number);
    return `${prefix}(${number})`;
  }

  /** A bare address: `id` here, or `id@node`; or the exact text that `PID.address` gave. Throws PID_INVALID. */
  pid(text: string): PID {
    return text.includes('@') ? PID.parse(text) : new PID(text, this.name);
  }

  /** At most once, in order; never throws, never blocks. False: it is a dead letter already. From outside any process. */
  send<T>(to: PID, kind: Message<T>, ...body: T extends void ? [] : [T]): boolean;
  send<T>(to: PID, kind: Message<T>, body?: T): boolean {
    return this.deliver(to, kind, body, this.nobody);
  }

  /**
   * Sends and waits for the answer. The Future fails with AskTimeout, ProcessGone (no such process, it ended or crashed),
   * or OutcomeUnknown (the session to its node broke); discarding it forgets the ask.
   */
  ask<Q, A>(to: PID, kind: Message<Q>, body: Q, options: AskOptions<A>): Future<A> {
    return this.#asks.ask(to, kind, body, options.reply, toMilliseconds(options.timeout ?? 5000));
  }

  /**
   * Runs `call` in a turn of a local process and gives its result. The Future is abandoned if the process has ended, and
   * FAILED if the call throws, which also ends the process.
   */
  dispatch<P extends Process, R>(pid: LocalPID<P>, call: (process: P) => R): Future<Unwrapped<R>>;
  /** The same for a method by name: the form that interceptors can match. */
  dispatch<P extends Process, M extends MethodOf<P>>(
    pid: LocalPID<P>,
    method: M,
    ...given: ArgumentsOf<P, M>
  ): Future<Unwrapped<ResultOf<P, M>>>;
  dispatch(pid: LocalPID<Process>, call: string | ((process: never) => unknown), ...given: unknown[]): Future<unknown> {
    const result = new Deferred<unknown>();
    if (typeof call === 'function') this.dispatchTo(pid, call as (process: Process) => unknown, '', result);
    else this.dispatchTo(pid, (process) => callMethod(process, call, given), call, result);
    return result.future;
  }

  /** Ends a local process: at once after its current turn, or with `inject: false` after what is queued. Unknown ones are no error. */
  terminate(pid: PID, options: { readonly inject?: boolean } = {}): void {
    this.#local(pid)?.terminate(options.inject ?? true);
  }

  /** True once the local process has ended; false if there is none, or if `timeout` passed before. */
  wait(pid: PID, options: { readonly timeout?: Duration } = {}): Future<boolean> {
    const cell = this.#local(pid);
    if (cell === undefined) return Future.ready(options.timeout !== undefined && pid.id !== '');
    const deferred = new Deferred<boolean>();
    const waiters = this.#waiters.get(cell);
    if (waiters === undefined) this.#waiters.set(cell, [deferred]);
    else waiters.push(deferred);
    if (options.timeout !== undefined) {
      const timer = this.clock.timer(toMilliseconds(options.timeout), () => void deferred.set(false));
      deferred.future.onAny(() => void timer.cancel());
    }
    return deferred.future;
  }

  /**
   * READY when a send to `pid` would be taken: its mailbox has room, or the session to its node has credit. Abandoned if
   * there is no such local process, or it ends before.
   */
  ready(pid: PID): Future<void> {
    if (this.#node?.owns(pid) === false) return this.#node.ready(pid.node);
    return this.#local(pid)?.whenRoom() ?? Future.abandoned();
  }

  /** Runs after the given time in a turn of the process. */
  delay(pid: PID, duration: Duration, call: () => unknown): Timer {
    return this.clock.timer(toMilliseconds(duration), () => this.dispatchTo(pid, call, '', undefined));
  }

  /** Hears of every dead letter from now on. */
  onDeadLetter(listener: (letter: DeadLetter) => void): Subscription {
    this.#listeners.add(listener);
    return { cancel: () => void this.#listeners.delete(listener) };
  }

  /** To every node that listens on the topic, this one included; nothing without a transport. At most once. */
  announce(topic: string, data: Uint8Array): void {
    this.#node?.announce(topic, data);
  }

  /** What is announced on the topic; `receive` runs outside any turn, so defer it. */
  listen(topic: string, receive: (data: Uint8Array) => void): Subscription {
    return this.#node?.listen(topic, receive) ?? { cancel() {} };
  }

  /** Ids of the living processes, in the order they were spawned. */
  get processes(): readonly string[] {
    return [...this.#processes.keys()];
  }

  /** @internal */
  cell(id: string): Cell | undefined {
    return this.#processes.get(id);
  }

  /** Serves a request without a socket: what the HTTP server does with each of its own. */
  http(request: Partial<HttpRequest> & { readonly path: string }): Future<HttpResponse> {
    return this.router.serve(request);
  }

  /** Lets each process end (in reverse order of spawning, after what it has queued), then closes sessions, transport and server. */
  stop(): Future<void> {
    this.#stopping ??= Future.from(this.#stop());
    return this.#stopping;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #stop(): Promise<void> {
    if (this.#http !== undefined) await this.#http.stop();
    for (const cell of [...this.#processes.values()].reverse()) {
      if (cell.ended) continue;
      const ended = this.wait(cell.pid, { timeout: '10s' });
      cell.terminate(false);
      if (!(await ended)) cell.terminate(true);
    }
    this.#asks.failAll();
    await this.#node?.stop();
  }

  /** Ends without a word to anybody, as kill -9 would: for simulations. */
  crash(): void {
    this.#stopping ??= Future.ready(undefined);
    this.#node?.crash();
    for (const cell of this.#processes.values()) cell.vanish();
    this.#processes.clear();
    this.#asks.failAll();
  }

  // ---- what processes, cells and sessions call

  /** @internal */
  deliver(to: PID, kind: Message<never> | Message<unknown>, body: unknown, from: PID): boolean {
    // A pointer is for this runtime's own: what lives in another goes through the codec, also inside one OS process.
    if (to.receiver !== undefined && to.node === this.name) {
      if (this.#freezes) freeze(body);
      return to.receiver.accept(new Event('message', kind.name, from, body, undefined));
    }
    if (to.node !== this.name) return this.#deliverRemote(to, kind.name, kind.schema, body, from);
    return this.#deliverLocal(
      to,
      new Event('message', kind.name, from, this.#freezes ? freeze(body) : body, undefined),
    );
  }

  /** @internal A message that keeps its sender. */
  forward(to: PID, event: Event, schema: WireSchema<unknown> | undefined): boolean {
    if (to.node !== this.name)
      return this.#deliverRemote(to, event.name, schema, event.body, event.from ?? this.nobody);
    return this.#deliverLocal(to, event);
  }

  /** @internal */
  dispatchTo(
    pid: PID,
    call: (process: Process) => unknown,
    method: string,
    result: Deferred<unknown> | undefined,
  ): void {
    const receiver = pid.receiver !== undefined && pid.node === this.name ? pid.receiver : this.#local(pid);
    if (receiver === undefined) result?.abandon();
    else receiver.accept(new Event('dispatch', method, undefined, call, result));
  }

  /** @internal */
  link(linker: Cell, to: PID): void {
    if (to.id === '') return;
    if (to.node !== this.name) {
      if (this.#node === undefined)
        linker.notifyExited(to, { kind: 'unreachable', message: `runtime '${this.name}' has no transport` });
      else this.#node.link(linker, to);
      return;
    }
    const cell = this.#local(to);
    if (cell === linker) return;
    if (cell === undefined) {
      linker.notifyExited(to, { kind: 'unreachable', message: `no process '${to.id}' on node '${this.name}'` });
      return;
    }
    linker.links ??= new Map();
    if (linker.links.has(cell.pid.address)) return;
    (cell.linkers ??= new Set()).add(linker);
    linker.links.set(cell.pid.address, { undo: () => void cell.linkers?.delete(linker) });
  }

  /** @internal */
  deadLetter(letter: DeadLetter): void {
    this.metrics.deadLetters++;
    for (const listener of this.#listeners) {
      try {
        listener(letter);
      } catch (error) {
        this.report(error, 'a listener to dead letters threw');
      }
    }
  }

  /** @internal */
  unhandled(to: PID, event: Event): void {
    this.deadLetter({ reason: 'unhandled', name: event.name, from: event.from, to });
  }

  /** @internal An ask that will not be answered; anything but an ask's address is ignored. */
  refuseAsk(from: PID, error: Error): void {
    if (from.node === this.name) this.#asks.fail(from, error);
    else this.#node?.refuse(from, error);
  }

  /** @internal */
  report(error: unknown, context: string): void {
    this.metrics.errors++;
    try {
      this.#onError(error, context);
    } catch (failure) {
      // A broken hook must be seen, but must not stop whoever reports.
      // oxlint-disable-next-line typescript/no-floating-promises -- nobody is to catch it
      void Promise.reject(failure);
    }
  }

  /** @internal */
  holdBegins(): void {
    // The order of what comes next must not depend on how many microtasks a handler takes.
    if (this.platform.simulated) this.queue.yieldToLoop();
  }

  /** @internal */
  unregister(cell: Cell): void {
    if (this.#processes.get(cell.id) === cell) this.#processes.delete(cell.id);
  }

  /** @internal */
  released(cell: Cell): void {
    if (this.#waiters.size === 0) return;
    const waiters = this.#waiters.get(cell);
    this.#waiters.delete(cell);
    for (const waiter of waiters ?? []) waiter.set(true);
  }

  #local(pid: PID): Cell | undefined {
    if (pid.node !== this.name) return undefined;
    const cell = this.#processes.get(pid.id);
    if (cell === undefined || !pid.isExact) return cell;
    return cell.pid.generation === pid.generation && this.incarnation === pid.incarnation ? cell : undefined;
  }

  #deliverLocal(to: PID, event: Event): boolean {
    const receiver = this.#local(to) ?? this.#asks.receiver(to);
    if (receiver !== undefined) return receiver.accept(event);
    // Nobody: the answer to what was sent from outside.
    if (to.id === '') return false;
    this.deadLetter({
      reason: this.#processes.has(to.id) ? 'stale' : 'unknown',
      name: event.name,
      from: event.from,
      to,
    });
    return false;
  }

  #deliverRemote(
    to: PID,
    name: string,
    schema: WireSchema<unknown> | WireSchema<never> | undefined,
    body: unknown,
    from: PID,
  ): boolean {
    if (this.#node !== undefined && schema !== undefined) return this.#node.send(to, name, body, from);
    this.deadLetter({ reason: schema === undefined ? 'local-only' : 'unreachable', name, from, to });
    return false;
  }

  #endSlice(): void {
    this.#turns++;
    this.#node?.flush();
  }

  #defaultOnError(log: Logger | undefined, error: unknown, context: string): void {
    if (log === undefined) console.error(`${this.name}: ${context}:`, error);
    else log.error({ err: error }, context);
  }
}

type MethodOf<P> = { [K in keyof P]: P[K] extends (...given: never[]) => unknown ? K : never }[keyof P] & string;
type ArgumentsOf<P, M extends keyof P> = P[M] extends (...given: infer A) => unknown ? A : never;
type ResultOf<P, M extends keyof P> = P[M] extends (...given: never[]) => infer R ? R : never;

function callMethod(process: Process, name: string, given: readonly unknown[]): unknown {
  const method: unknown = Reflect.get(process, name);
  if (typeof method !== 'function') throw new TypeError(`Process '${process.cell.id}' has no method '${name}'`);
  return Reflect.apply(method, process, given);
}

/** Runs `call` in a turn of a local process; see Runtime.dispatch. */
export function dispatch<P extends Process, R>(pid: LocalPID<P>, call: (process: P) => R): Future<Unwrapped<R>> {
  if (pid.receiver instanceof Cell) return pid.receiver.runtime.dispatch(pid, call);
  throw new ProcessError(
    'PROCESS_NOT_FOUND',
    `dispatch to ${pid.toString()}: only an address that spawn returned accepts closures; send it a message`,
  );
}

export type { ExitReason };
