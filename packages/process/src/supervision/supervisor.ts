import { type Duration, toMilliseconds } from '../duration.ts';
import { messageOf, ProcessError } from '../errors.ts';
import type { ExitReason } from '../event.ts';
import { Deferred, Future } from '../future/future.ts';
import { message } from '../message.ts';
import type { LocalPID, PID } from '../pid.ts';
import { Process } from '../process.ts';
import { type Backoff, backoffDelay, checkBackoff, wasHealthy } from './backoff.ts';
import { Child, type ChildSpec, type ChildState, type Up } from './child.ts';

const strategies = ['one-for-one', 'one-for-all', 'rest-for-one'] as const;
type Strategy = (typeof strategies)[number];

export interface SupervisorOptions {
  /** Started in this order. Default: none yet. */
  readonly children?: readonly ChildSpec[];
  /**
   * Who is restarted with a child: nobody else (`one-for-one`, default), everybody (`one-for-all`), or those behind it in
   * the order of start (`rest-for-one`).
   */
  readonly strategy?: Strategy;
  /**
   * Restarts that are fine within `period`, from 0 to Infinity; at one more the supervisor ends its children and crashes.
   * Default 1, as OTP's; with `backoff` there is no limit by default.
   */
  readonly restarts?: number;
  /** Default 5 s, as OTP's. */
  readonly period?: Duration;
  /** Default: restarts are immediate. */
  readonly backoff?: Backoff;
  /**
   * True (default): a child is started when the one before it is initialized, and ended when the one behind it has ended.
   * False: all at once, for children that do not need each other; then the strategy has to be `one-for-one`.
   */
  readonly inOrder?: boolean;
}

/** Asks a supervisor for `Supervisor.add`: inside a runtime only. */
export const AddChild = message<ChildSpec>('supervisor.add');
/** The answer to AddChild: the address of the new child. */
export const ChildAdded = message<LocalPID<Process>>('supervisor.added');
/** Asks a supervisor for `Supervisor.remove`: inside a runtime only. */
export const RemoveChild = message<{ readonly id: string }>('supervisor.remove');
/** The answer to RemoveChild. */
export const ChildRemoved = message('supervisor.removed');

/**
 * Keeps its children running, by OTP's rules. A restarted child is a new process, and a new generation of the same id.
 * Children that end while their supervisor ends them are not restarted. When the supervisor is terminated or crashes, its
 * own end comes first, and then its children end, one after another in reverse order: `childrenEnded` tells when that is
 * done, and a supervisor of supervisors waits for it. `shutdown` ends the children first. A subclass that overrides
 * `initialize`, `exited` or `finalize` calls super's.
 */
export class Supervisor extends Process {
  readonly #strategy: Strategy;
  readonly #restarts: number;
  readonly #period: number;
  readonly #backoff: Backoff | undefined;
  readonly #inOrder: boolean;
  readonly #childrenEnded = new Deferred<void>();
  #children: Child[] = [];
  /** Times of the restarts that still count. */
  #recent: number[] = [];
  /** It ends as soon as its children have; with an error, crashed. */
  #closing: { readonly error: Error | undefined } | undefined;

  /** Throws CHILD_ID_TAKEN if two children have one id, and SUPERVISION_INVALID for options that are out of range or do not go together. */
  constructor(id: string, options: SupervisorOptions = {}) {
    super(id);
    this.#strategy = options.strategy ?? 'one-for-one';
    this.#restarts = options.restarts ?? (options.backoff === undefined ? 1 : Infinity);
    this.#period = toMilliseconds(options.period ?? 5000);
    this.#backoff = options.backoff;
    this.#inOrder = options.inOrder ?? true;
    if (!strategies.includes(this.#strategy)) {
      throw new ProcessError(
        'SUPERVISION_INVALID',
        `Unknown strategy '${String(this.#strategy)}' of supervisor '${id}': expected '${strategies.join("', '")}'`,
      );
    }
    if (!(this.#restarts === Infinity || (Number.isSafeInteger(this.#restarts) && this.#restarts >= 0))) {
      throw new ProcessError(
        'SUPERVISION_INVALID',
        `Invalid restarts ${String(this.#restarts)} of supervisor '${id}': expected a whole number from 0 on, or Infinity`,
      );
    }
    if (this.#backoff !== undefined) checkBackoff(id, this.#backoff);
    if (!this.#inOrder && this.#strategy !== 'one-for-one') {
      throw new ProcessError(
        'SUPERVISION_INVALID',
        `Supervisor '${id}' with strategy '${this.#strategy}' needs its children in order: leave out 'inOrder: false'`,
      );
    }
    for (const spec of options.children ?? []) {
      if (this.#find(spec.id) !== undefined) throw this.#idTaken(spec.id);
      this.#children.push(new Child(spec));
    }
  }

  /** READY once this supervisor and all its children have ended. */
  get childrenEnded(): Future<void> {
    return this.#childrenEnded.future;
  }

  /** The children in the order of start. */
  children(): readonly ChildState[] {
    return this.#children.map(({ spec, up, starts }) => ({
      id: spec.id,
      pid: up?.pid,
      restarts: Math.max(0, starts - 1),
    }));
  }

  /**
   * Adds a child behind the others; READY once it is spawned. FAILED with CHILD_ID_TAKEN while a child has the id, also one
   * that is still ending; with what `start` or `spawn` threw, and then it is no child; with PROCESS_ENDED if the supervisor
   * is ending.
   */
  add<P extends Process>(spec: ChildSpec<P>): Future<LocalPID<P>>;
  add(spec: ChildSpec): Future<LocalPID<Process>> {
    if (this.#closing !== undefined) {
      return Future.failed(new ProcessError('PROCESS_ENDED', `Cannot add '${spec.id}': '${this.cell.id}' is ending`));
    }
    if (this.#find(spec.id) !== undefined) return Future.failed(this.#idTaken(spec.id));
    const child = new Child(spec);
    const added = (child.added = new Deferred<LocalPID<Process>>());
    this.#children.push(child);
    this.#proceed();
    return added.future;
  }

  /** Ends a child and forgets it; READY once it has ended and its id is free. FAILED with CHILD_UNKNOWN. */
  remove(id: string): Future<void> {
    const child = this.#find(id);
    if (child === undefined) {
      return Future.failed(new ProcessError('CHILD_UNKNOWN', `Supervisor '${this.cell.id}' has no child '${id}'`));
    }
    this.#doom(child, 'remove');
    this.#proceed();
    return child.removed.future;
  }

  /** Ends the children in reverse order, then the supervisor, which counts as terminated. READY when the children have ended. */
  shutdown(): Future<void> {
    this.#close(undefined);
    this.#proceed();
    return this.childrenEnded;
  }

  /** Those that run and have not been told to end. */
  protected running(): readonly { readonly id: string; readonly pid: LocalPID<Process> }[] {
    return this.#children.flatMap(({ spec: { id }, up }) =>
      up === undefined || up.ending ? [] : [{ id, pid: up.pid }],
    );
  }

  /** Called when a child began or ceased to run, or was told to end. */
  protected childrenChanged(): void {}

  protected override initialize(): void {
    this.install(AddChild, (spec, from) => {
      this.#answer(from, this.add(spec), (pid) => void this.send(from, ChildAdded, pid));
    });
    this.install(RemoveChild, ({ id }, from) => {
      this.#answer(from, this.remove(id), () => void this.send(from, ChildRemoved));
    });
    this.#proceed();
  }

  protected override exited(pid: PID, reason: ExitReason): void {
    const child = this.#children.find(({ up }) => up?.pid.equals(pid));
    if (child?.up === undefined) return;
    const { process } = child.up;
    const ended = (): void => this.#ended(child, reason);
    // A supervisor's children have ids that its successor needs.
    if (process instanceof Supervisor && process.childrenEnded.isPending)
      process.childrenEnded.onReady(this.defer(ended));
    else ended();
  }

  protected override finalize(_reason: ExitReason): void {
    for (const child of this.#children) {
      child.added?.abandon();
      if (child.up === undefined) child.removed.set();
    }
    this.#endRest(this.#children.filter(({ up }) => up !== undefined));
  }

  #find(id: string): Child | undefined {
    return this.#children.find((child) => child.spec.id === id);
  }

  #idTaken(id: string): ProcessError {
    return new ProcessError(
      'CHILD_ID_TAKEN',
      `Supervisor '${this.cell.id}' has a child '${id}': wait until remove('${id}') is READY, or choose another id`,
    );
  }

  #answer<T>(from: PID, outcome: Future<T>, send: (value: T) => void): void {
    outcome.onReady(send).onFailed((error) => {
      this.runtime.report(error, `supervisor ${this.self.toString()}`);
      if (error instanceof Error) this.runtime.delivery.refuse(from, error);
    });
  }

  /** Goes on with what is due: ends before starts, and both in order. */
  #proceed(): void {
    this.#endDoomed();
    if (this.#closing === undefined) {
      // The runtime ends the others itself.
      if (!this.runtime.stopping) this.#startDue();
    } else if (this.#children.length === 0) {
      if (this.#closing.error !== undefined) throw this.#closing.error;
      this.terminate();
    }
  }

  #endDoomed(): void {
    for (const child of this.#children.toReversed()) {
      if (child.doom === undefined || child.up === undefined) continue;
      if (!child.up.ending) this.#end(child, child.up);
      if (this.#inOrder) return;
    }
  }

  #startDue(): void {
    const alone = this.#strategy === 'one-for-one';
    if (!alone && this.#children.some(({ doom, up }) => doom !== undefined && up !== undefined)) return;
    for (const child of [...this.#children]) {
      const { life } = child;
      if (life.kind === 'due' && !this.#start(child)) return;
      if (!this.#inOrder) continue;
      // Whoever comes behind may need it.
      if (life.kind === 'waiting' && !alone) return;
      if (child.up?.initialized === false && !child.up.ending) return;
    }
  }

  /** False if that failed, and what is due has to be considered anew. */
  #start(child: Child): boolean {
    const { spec } = child;
    let process: Process;
    let pid: LocalPID<Process>;
    try {
      process = spec.start();
      if (process.cell.id === '') process.cell.id = spec.id;
      pid = this.runtime.spawn(process);
    } catch (error) {
      this.#startFailed(child, error);
      return false;
    }
    const since = this.clock.now();
    const up: Up = { kind: 'up', process, pid, since, initialized: false, ending: false, limit: undefined };
    child.life = up;
    child.starts++;
    this.link(pid);
    // Served once `initialize` is done, also if that takes long.
    this.runtime
      .dispatch(pid, () => undefined)
      .onReady(
        this.defer(() => {
          up.initialized = true;
          this.#proceed();
        }),
      );
    child.added?.set(pid);
    child.added = undefined;
    this.childrenChanged();
    return true;
  }

  #startFailed(child: Child, error: unknown): void {
    const { added } = child;
    if (added !== undefined) {
      this.#forget(child);
      added.fail(error);
    } else {
      this.runtime.report(error, `child '${child.spec.id}' of supervisor ${this.self.toString()} could not be started`);
      this.#decide(child, { kind: 'crashed', message: messageOf(error), error }, 0);
    }
    // In another turn, so that a child that never starts keeps nobody out.
    this.defer(() => this.#proceed())();
  }

  #end(child: Child, up: Up): void {
    up.ending = true;
    const { pid } = up;
    const time = toMilliseconds(child.spec.drain ?? 0);
    this.runtime.terminate(pid, { inject: time === 0 });
    if (time > 0) up.limit = this.clock.timer(time, () => this.runtime.terminate(pid));
    this.childrenChanged();
  }

  #ended(child: Child, reason: ExitReason): void {
    const { up } = child;
    if (up === undefined) return;
    up.limit?.cancel();
    const { doom } = child;
    child.doom = undefined;
    if (doom === 'remove') this.#forget(child);
    else if (doom === 'restart') this.#settle(child, true);
    else this.#decide(child, reason, this.clock.now() - up.since);
    this.childrenChanged();
    this.#proceed();
  }

  /** A child ended by itself after so many milliseconds, or could not be started. */
  #decide(child: Child, reason: ExitReason, life: number): void {
    const { restart = 'permanent' } = child.spec;
    if (this.runtime.stopping || restart === 'temporary' || (restart === 'transient' && reason.kind !== 'crashed')) {
      return this.#settle(child, false);
    }
    const now = this.clock.now();
    this.#recent = this.#recent.filter((time) => now - time < this.#period);
    this.#recent.push(now);
    if (this.#recent.length > this.#restarts) {
      child.life = { kind: 'down' };
      return this.#close(this.#gaveUp(child, reason));
    }
    this.#await(child, life);
    if (this.#strategy === 'one-for-one') return;
    const from = this.#strategy === 'one-for-all' ? 0 : this.#children.indexOf(child);
    for (const other of this.#children.slice(from)) if (other !== child) this.#doom(other, 'restart');
  }

  /** It will be started again: now, or when its backoff is over. */
  #await(child: Child, life: number): void {
    if (this.#backoff === undefined) {
      child.life = { kind: 'due' };
      return;
    }
    if (wasHealthy(this.#backoff, life)) child.failures = 0;
    const wait = backoffDelay(this.#backoff, child.failures++, this.random);
    child.life = { kind: 'waiting' };
    this.delay(wait, () => {
      child.life = { kind: 'due' };
      this.#proceed();
    });
  }

  /** It runs no more. Temporary children are gone then, others can come back. */
  #settle(child: Child, due: boolean): void {
    if (child.spec.restart === 'temporary') this.#forget(child);
    else child.life = { kind: due ? 'due' : 'down' };
  }

  #doom(child: Child, doom: 'restart' | 'remove'): void {
    if (child.up !== undefined) child.doom = child.doom === 'remove' ? 'remove' : doom;
    else if (doom === 'remove') this.#forget(child);
    else if (child.life.kind === 'down') this.#settle(child, true);
  }

  #forget(child: Child): void {
    child.life = { kind: 'down' };
    this.#children = this.#children.filter((other) => other !== child);
    child.added?.abandon();
    child.removed.set();
  }

  #close(error: Error | undefined): void {
    this.#closing ??= { error };
    for (const child of [...this.#children]) this.#doom(child, 'remove');
  }

  #gaveUp(child: Child, reason: ExitReason): ProcessError {
    const why = reason.kind === 'crashed' ? `crashed: ${reason.message}` : `ended (${reason.kind})`;
    return new ProcessError(
      'RESTARTS_EXCEEDED',
      `Supervisor ${this.self.toString()} gives up after more than ${this.#restarts} restarts within ${this.#period} ms; ` +
        `the last child to end was '${child.spec.id}', which ${why}`,
      { cause: reason.kind === 'crashed' ? reason.error : undefined },
    );
  }

  /** What is left when the supervisor itself has ended. */
  #endRest(rest: Child[]): void {
    const next = this.#inOrder ? rest.splice(-1) : rest.splice(0);
    if (next.length === 0) return void this.#childrenEnded.set();
    let missing = next.length;
    for (const child of next) {
      const { up } = child;
      if (up === undefined) continue;
      if (!up.ending) this.#end(child, up);
      const gone = (): void => {
        up.limit?.cancel();
        child.removed.set();
        if (--missing === 0) this.#endRest(rest);
      };
      this.runtime.wait(up.pid).onAny(() => {
        if (up.process instanceof Supervisor) up.process.childrenEnded.onReady(gone);
        else gone();
      });
    }
  }
}
