import { Asks } from './ask.ts';
import type { CallChain } from './call-chain.ts';
import { invoke } from './calls.ts';
import { Cell } from './cell.ts';
import { Delivery } from './delivery.ts';
import type { DoorOptions } from './door/door.ts';
import { type Duration, toMilliseconds } from './duration.ts';
import { Endpoints } from './endpoints.ts';
import { ProcessError } from './errors.ts';
import type { ExitReason } from './event.ts';
import { Executor } from './executor.ts';
import { Deferred, Future } from './future/future.ts';
import { Holds } from './holds.ts';
import { Inspection, type Inspector } from './inspection.ts';
import type { Message, Request, StreamRequest } from './message.ts';
import { Metrics } from './metrics/metrics.ts';
import { Node } from './node/node.ts';
import { checkNodeName, type LocalPID, PID } from './pid.ts';
import { nodePlatform } from './platform/node-platform.ts';
import type { Children, Clock, Files, Platform, Random, Timer } from './platform/platform.ts';
import { ProcessClock } from './process-clock.ts';
import type { Process, Unwrapped } from './process.ts';
import { Processes } from './processes.ts';
import { RunQueue } from './run-queue.ts';
import { RuntimeClock } from './runtime-clock.ts';
import type { HttpRequest, HttpResponse } from './route.ts';
import { Router } from './router.ts';
import type {
  AskOptions,
  CallOptions,
  DeadLetter,
  HttpEdge,
  Interceptor,
  Logger,
  RuntimeOptions,
} from './runtime-options.ts';
import { type Tracing, untracedClock, untracedLoop } from './tracing.ts';
import type { StreamOptions, StreamReader } from './stream/stream-reader.ts';
import { Streams } from './stream/streams.ts';
import type { Subscription, Transport } from './transport.ts';
import { watch } from './watch.ts';

/** Of an ask, in milliseconds. */
const defaultTimeout = 5000;
const silent: Logger = { debug() {}, info() {}, warn() {}, error() {} };

/** Where processes live: it owns clock, chance, files, transport, run queue, registry, links, metrics and HTTP server. */
export class Runtime implements AsyncDisposable {
  readonly name: string;
  /** Grows with every start of a node of this name. */
  readonly incarnation: number;
  readonly platform: Platform;
  readonly log: Logger;
  readonly metrics: Metrics;
  /** How it reaches other nodes; undefined if it is alone. */
  readonly transport: Transport | undefined;
  readonly #clock: RuntimeClock;
  /** @internal */
  readonly queue: RunQueue;
  /** @internal */
  readonly holds: Holds;
  /** @internal */
  readonly living: Processes;
  /** @internal */
  readonly delivery: Delivery;
  /** @internal */
  readonly streams: Streams;
  /** @internal Each process has its own time. */
  readonly timed: boolean;
  /** @internal */
  readonly tracing: Tracing | undefined;
  /** @internal Set while somebody inspects. */
  inspection: Inspection | undefined = undefined;
  /** @internal True if events are intercepted or inspected. */
  observed = false;
  #interceptor: Interceptor | undefined = undefined;
  /** The sender of what no process sent. */
  readonly nobody: PID;
  /** Routes of all processes; the HTTP edge asks it. */
  readonly router: Router;
  readonly #listeners = new Set<(letter: DeadLetter) => void>();
  readonly #endpoints: Endpoints;
  readonly #asks: Asks;
  readonly #node: Node | undefined;
  readonly #onError: (error: unknown, context: string) => void;
  readonly #http: HttpEdge | undefined;
  #url: string | undefined;
  /** Of what is deferred outside any process; made when it is needed. */
  #executor: Executor | undefined;
  #turns = 0;
  #stopping: Future<void> | undefined;

  private constructor(options: RuntimeOptions) {
    this.platform = options.platform ?? nodePlatform();
    this.timed = this.platform.simulated;
    this.tracing = options.tracing;
    const { tracing } = this;
    const clock = tracing === undefined ? this.platform.clock : untracedClock(this.platform.clock, tracing);
    this.#clock = this.timed ? new ProcessClock(clock) : new RuntimeClock(clock);
    const chance = Math.floor(this.random.next() * 1024);
    this.name = checkNodeName(options.name ?? `node-${Math.floor(this.random.next() * 1e9).toString(36)}`);
    // A later start is a larger number; milliseconds and 10 random bits stay below 2^53 until the year 2248.
    this.incarnation = Math.floor(this.clock.now()) * 1024 + chance;
    this.log = options.log ?? silent;
    this.#onError = options.onError ?? ((error, context) => this.#defaultOnError(options.log, error, context));
    this.nobody = new PID('', this.name, this.incarnation, 0);
    this.metrics = new Metrics(this);
    this.router = new Router(this);
    const now = this.platform.simulated ? undefined : () => this.clock.now();
    this.queue = new RunQueue(
      tracing === undefined ? this.platform.loop : untracedLoop(this.platform.loop, tracing),
      now,
      () => this.#endSlice(),
      () => this.#asks.tidy(),
    );
    this.holds = new Holds(this, toMilliseconds(options.longHold ?? '10s'));
    this.living = new Processes(this);
    this.#endpoints = new Endpoints(this);
    this.#asks = new Asks(this, this.#endpoints);
    this.streams = new Streams(this, this.#endpoints);
    this.#http = options.http;
    this.transport = options.transport;
    this.#node =
      options.transport === undefined ? undefined : new Node(this, this.#endpoints, options.transport, options);
    this.delivery = new Delivery(this, this.living, this.#endpoints, this.#node, options.freeze ?? false);
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

  /** What is armed through it ends with the runtime. */
  get clock(): Clock {
    return this.#clock;
  }
  /** Consulted before every event, when set. */
  get interceptor(): Interceptor | undefined {
    return this.#interceptor;
  }
  set interceptor(interceptor: Interceptor | undefined) {
    this.#interceptor = interceptor;
    this.observed = interceptor !== undefined || this.inspection !== undefined;
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
  /** True from the moment `stop` was called: nobody can be spawned any more. */
  get stopping(): boolean {
    return this.#stopping !== undefined;
  }
  /** Grows with every slice; what `settle` compares. */
  get activity(): number {
    return this.#turns;
  }

  /**
   * Gives the process its address and has `initialize` run soon. Throws SpawnRefused: PROCESS_ID_TAKEN,
   * PROCESS_SPAWNED_BEFORE, PID_INVALID or RUNTIME_STOPPING.
   */
  spawn<P extends Process>(process: P): LocalPID<P> {
    const pid = this.living.spawn(process.cell) as LocalPID<P>;
    this.inspection?.spawned(pid);
    return pid;
  }

  /** `prefix(1)`, `prefix(2)`, …: numbers are never given twice in a runtime. */
  generateId(prefix: string): string {
    return this.living.generateId(prefix);
  }

  /** A bare address: `id` here, or `id@node`; or the exact text that `PID.address` gave. Throws PID_INVALID. */
  pid(text: string): PID {
    return text === '' || text.includes('@') ? PID.parse(text) : new PID(text, this.name);
  }

  /** At most once, in order; never throws, never blocks. False: it is a dead letter already. From outside any process. */
  send<T>(to: PID, kind: Message<T>, ...body: [T] extends [void] ? [] : [T]): boolean;
  send<T>(to: PID, kind: Message<T>, body?: T): boolean {
    return this.delivery.message(to, kind as Message<unknown>, body, this.nobody);
  }

  /**
   * Sends and waits for the answer. The Future fails with AskTimeout, ProcessGone (no such process, it ended or crashed),
   * AnswerFailed, or OutcomeUnknown (the session to its node broke); discarding it forgets the ask and tells whoever works
   * on the answer.
   */
  ask<Q, A>(to: PID, kind: Request<Q, A>, body: Q, options?: CallOptions): Future<A>;
  ask<Q, A>(to: PID, kind: Message<Q>, body: Q, options: AskOptions<A>): Future<A>;
  ask<Q>(to: PID, kind: Message<Q>, body: Q, options: Partial<AskOptions<unknown>> = {}): Future<unknown> {
    return this.askFor(to, kind, body, options, undefined);
  }

  /** @internal An ask by a process says who waits for it. */
  askFor<Q>(
    to: PID,
    kind: Message<Q> & Partial<Request<Q, unknown>>,
    body: Q,
    options: Partial<AskOptions<unknown>>,
    chain: CallChain | undefined,
  ): Future<unknown> {
    const reply = options.reply ?? kind.reply;
    if (reply === undefined) {
      throw new ProcessError(
        'REPLY_MISSING',
        `ask('${kind.name}') without the kind of the answer: pass { reply }, or declare the kind by request()`,
      );
    }
    const timeout = options.timeout === undefined ? defaultTimeout : toMilliseconds(options.timeout);
    if (options.signal?.aborted === true) return Future.discarded();
    const answer = this.#asks.ask(to, kind as Message<unknown>, body, reply, timeout, chain);
    return options.signal === undefined ? answer : answer.discardOn(options.signal);
  }

  /**
   * Asks for a stream and reads it: `for await (const item of runtime.stream(pid, Tail, { path }))`. The producer sends only
   * what the reader's window has room for; leaving the loop stops it. Throws WINDOW_INVALID; see StreamReader for the rest.
   */
  stream<Q, T>(to: PID, kind: StreamRequest<Q, T>, body: Q, options: StreamOptions = {}): StreamReader<T> {
    return this.streams.read(to, kind, body, options, undefined);
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
    if (typeof call === 'function') this.delivery.dispatch(pid, call as (process: Process) => unknown, '', result);
    else this.delivery.dispatch(pid, (process) => invoke(process, call, given), call, result);
    return result.future;
  }

  /** Ends a local process: at once after its current turn, or with `inject: false` after what is queued. Unknown ones are no error. */
  terminate(pid: PID, options: { readonly inject?: boolean } = {}): void {
    this.living.find(pid)?.terminate(options.inject ?? true);
  }

  /**
   * True once the local process has ended, false if `timeout` passed before. Where there is none: with a timeout true, for it
   * has ended or never was, without one false, for there is nothing to wait for.
   */
  wait(pid: PID, options: { readonly timeout?: Duration } = {}): Future<boolean> {
    return this.living.wait(pid, options.timeout, undefined);
  }

  /**
   * READY with the reason once the process ends or counts as gone, wherever it lives: at once if there is no such process.
   * A discard ends the watch; it is abandoned if this runtime stops before, and FAILED with RUNTIME_STOPPING if it is
   * stopping already.
   * @param owner the watch ends with this local process. Default: none.
   */
  watch(pid: PID, owner?: PID): Future<ExitReason> {
    return watch(this, pid, owner);
  }

  /**
   * READY when a send to `pid` would be taken: its mailbox has room, or the session to its node has credit. Abandoned if
   * there is no such local process, or it ends before.
   */
  ready(pid: PID): Future<void> {
    if (this.#node?.owns(pid) === false) return this.#node.ready(pid.node);
    return this.living.find(pid)?.whenRoom() ?? Future.abandoned();
  }

  /**
   * Runs `fn` once, soon, in a process of its own, and gives its outcome, flattened: FAILED with what it throws. A discard
   * goes to the Future that `fn` returned. Throws SpawnRefused while the runtime is stopping.
   */
  async<A extends unknown[], R>(fn: (...given: A) => R, ...given: A): Future<Unwrapped<R>> {
    const executor = new Executor(this);
    const outcome = executor.execute(() => fn(...given));
    executor.stop({ inject: false });
    return outcome;
  }

  /**
   * As a process's `defer`, for code outside any process: a function that, called from anywhere, has `fn` run soon. All that
   * is deferred so runs one after another; what fails is reported. Throws SpawnRefused while the runtime is stopping.
   */
  defer<A extends unknown[]>(fn: (...given: A) => unknown): (...given: A) => void {
    this.#executor ??= new Executor(this);
    return this.#executor.defer(fn);
  }

  /** Runs after the given time in a turn of the process. */
  delay(pid: PID, duration: Duration, call: () => unknown): Timer {
    // For nobody nothing need be armed.
    return this.living.find(pid)?.delay(toMilliseconds(duration), call) ?? { cancel: () => false };
  }

  /** Hears of every dead letter from now on. */
  onDeadLetter(listener: (letter: DeadLetter) => void): Subscription {
    this.#listeners.add(listener);
    return { cancel: () => void this.#listeners.delete(listener) };
  }

  /** Hears of everything that processes do from now on; see Inspected. It must be fast and must not change anything. */
  inspect(inspector: Inspector): Subscription {
    const inspection = (this.inspection ??= new Inspection(this.clock, (error, context) =>
      this.report(error, context),
    ));
    const subscription = inspection.add(inspector);
    this.observed = true;
    return {
      cancel: () => {
        subscription.cancel();
        if (inspection.unused && this.inspection === inspection) this.inspection = undefined;
        this.observed = this.#interceptor !== undefined || this.inspection !== undefined;
      },
    };
  }

  /** To every node that listens on the topic, this one included; nothing without a transport. At most once. */
  announce(topic: string, data: Uint8Array): void {
    this.#node?.announce(topic, data);
  }

  /** What is announced on the topic; `receive` runs outside any turn, so defer it. */
  listen(topic: string, receive: (data: Uint8Array) => void): Subscription {
    return this.#node?.listen(topic, receive) ?? { cancel() {} };
  }

  /**
   * Lets anybody on the broker, node or not, send JSON to a local process under a name: see `docs/process/nats.md`. It closes when the
   * process ends. Where several nodes have the name open, each message goes to one of them; without a transport nobody comes.
   * Throws DOOR_NAME_INVALID, DOOR_NAME_TAKEN or PROCESS_NOT_FOUND.
   */
  open(pid: LocalPID<Process>, name: string = pid.id, options: DoorOptions = {}): Subscription {
    const cell = this.living.find(pid);
    if (cell === undefined) {
      throw new ProcessError('PROCESS_NOT_FOUND', `Cannot open door '${name}': there is no local ${pid.toString()}`);
    }
    return this.#node?.doors.open(cell, name, options) ?? { cancel() {} };
  }

  /** Ids of the living processes, in the order they were spawned. */
  get processes(): readonly string[] {
    return this.living.ids;
  }

  /** @internal */
  cell(id: string): Cell | undefined {
    return this.living.get(id);
  }

  /** Serves a request without a socket: what the HTTP server does with each of its own. */
  http(request: Partial<HttpRequest> & { readonly path: string }): Future<HttpResponse> {
    return this.router.serve(request);
  }

  /**
   * Lets each process end, in reverse order of spawning, after what it has queued, then closes sessions, transport and server.
   *
   * @param options `drain`: how long all of that queued work may take together, an async handler that never settles included;
   *   then the rest is dropped. Default 10 s.
   */
  stop(options: { readonly drain?: Duration } = {}): Future<void> {
    this.#stopping ??= Future.from(this.#stop(toMilliseconds(options.drain ?? '10s')));
    return this.#stopping;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #stop(drain: number): Promise<void> {
    if (this.#http !== undefined) await this.#http.stop();
    const deadline = this.clock.now() + drain;
    for (const cell of this.living.cells.toReversed()) {
      if (cell.ended) continue;
      const ended = this.wait(cell.pid, { timeout: Math.max(deadline - this.clock.now(), 0) });
      cell.terminate(false);
      if (await ended) continue;
      this.log.warn(
        { process: cell.pid.toString(), waiting: cell.depth },
        `did not end within the ${drain} ms that stop() drains: what it has left is dropped`,
      );
      cell.terminate(true);
    }
    this.holds.stop();
    this.#asks.failAll();
    this.#endpoints.failAll();
    await this.#node?.stop();
    this.#clock.stop();
  }

  /** Ends without a word to anybody, as kill -9 would: for simulations. */
  crash(): void {
    this.#stopping ??= Future.ready(undefined);
    this.#node?.crash();
    this.living.vanish();
    this.holds.stop();
    this.#asks.failAll();
    this.#endpoints.failAll();
    this.#clock.stop();
  }

  // ---- what processes and sessions call

  /** @internal */
  deadLetter(letter: DeadLetter): void {
    this.metrics.deadLetters++;
    this.inspection?.deadLetter(letter);
    for (const listener of this.#listeners) {
      try {
        listener(letter);
      } catch (error) {
        this.report(error, 'a listener to dead letters threw');
      }
    }
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

/** Runs `call` in a turn of a local process; see Runtime.dispatch. */
export function dispatch<P extends Process, R>(pid: LocalPID<P>, call: (process: P) => R): Future<Unwrapped<R>> {
  if (pid.receiver instanceof Cell) return pid.receiver.runtime.dispatch(pid, call);
  throw new ProcessError(
    'PROCESS_NOT_FOUND',
    `dispatch to ${pid.toString()}: only an address that spawn returned accepts closures; send it a message`,
  );
}

export type { ExitReason };
