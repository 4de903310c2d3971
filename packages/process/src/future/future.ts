import { toMilliseconds, type Duration } from '../duration.ts';
import { asError, FutureAbandoned, FutureDiscarded, messageOf, ProcessError } from '../errors.ts';
import type { Clock } from '../platform/platform.ts';
import { currentOwner, enterTurn } from '../turn.ts';
import {
  Abandoned,
  Any,
  Callback,
  Discarded,
  DiscardRequested,
  Failed,
  type Moment,
  notify,
  Outcome,
  Ready,
} from './callback.ts';
import { Deferred } from './deferred.ts';

export { Deferred };

/** Something that can be asked to give up. */
export interface Discardable {
  discard(): unknown;
}

export type FutureState = 'pending' | 'ready' | 'failed' | 'discarded';

/** What `then` of a future that is READY continues from. */
const soon = Promise.resolve();

/**
 * The reading side of a value that is not there yet, as libprocess's Future: its state can be inspected, callbacks run
 * synchronously at the completion, a discard request travels to the producer, and a future nobody can complete any more
 * is abandoned. `await` works on it; chaining has libprocess's names (`map`, `andThen`, `repair`, `recover`, `after`).
 */
export class Future<T> implements PromiseLike<T>, Discardable {
  #state: FutureState = 'pending';
  #value: T | undefined = undefined;
  #error: unknown = undefined;
  #discardRequested = false;
  #abandoned = false;
  #associated = false;
  #first: Callback | undefined = undefined;
  #last: Callback | undefined = undefined;
  /** Where a discard request goes on to. */
  #upstream: Discardable | undefined;

  /** Pending for ever: a Deferred makes futures that can be completed. */
  constructor(upstream?: Discardable) {
    this.#upstream = upstream;
  }

  static ready<T>(value: T): Future<T> {
    const future = new Future<T>();
    future.#state = 'ready';
    future.#value = value;
    return future;
  }

  static failed<T = never>(error: unknown): Future<T> {
    const future = new Future<T>();
    future.#state = 'failed';
    future.#error = asError(error);
    return future;
  }

  /** What nobody wanted from the start. */
  static discarded<T = never>(): Future<T> {
    const future = new Future<T>();
    future.#discardRequested = true;
    future.#state = 'discarded';
    return future;
  }

  /** A pending future that nobody can complete. */
  static abandoned<T = never>(): Future<T> {
    const future = new Future<T>();
    future.#abandoned = true;
    return future;
  }

  /**
   * Follows a native promise. A discard request does not reach it; given as a function, it gets a signal that aborts at the
   * request: `Future.from((signal) => fetch(url, { signal }))`. A promise that rejects for that is DISCARDED, and what the
   * function throws is FAILED.
   */
  static from<T>(promise: PromiseLike<T> | ((signal: AbortSignal) => PromiseLike<T>)): Future<T> {
    const deferred = new Deferred<T>();
    const set = (value: T): void => void deferred.set(value);
    const fail = (error: unknown): void => void deferred.fail(error);
    if (typeof promise !== 'function') promise.then(set, fail);
    else {
      const { signal } = deferred;
      const gaveUp = (error: unknown): void => {
        if (signal.aborted && isAbort(error, signal)) deferred.discard();
        else fail(error);
      };
      try {
        promise(signal).then(set, gaveUp);
      } catch (error) {
        fail(error);
      }
    }
    return deferred.future;
  }

  get state(): FutureState {
    return this.#state;
  }
  get isPending(): boolean {
    return this.#state === 'pending';
  }
  get isReady(): boolean {
    return this.#state === 'ready';
  }
  get isFailed(): boolean {
    return this.#state === 'failed';
  }
  get isDiscarded(): boolean {
    return this.#state === 'discarded';
  }
  /** Nobody was left to complete it. Kept after a completion that came all the same (`after`). */
  get isAbandoned(): boolean {
    return this.#abandoned;
  }
  get hasDiscard(): boolean {
    return this.#discardRequested;
  }

  /** The value. Throws FUTURE_NOT_READY unless READY. */
  get(): T {
    if (this.#state !== 'ready') {
      throw new ProcessError(
        'FUTURE_NOT_READY',
        `Future.get() on a future that is ${this.toString()}: check isReady first`,
        {
          cause: this.#error,
        },
      );
    }
    return this.#value as T;
  }

  /** The error it failed with. Throws FUTURE_NOT_READY unless FAILED. */
  failure(): unknown {
    if (this.#state !== 'failed') {
      throw new ProcessError(
        'FUTURE_NOT_READY',
        `Future.failure() on a future that is ${this.toString()}: check isFailed first`,
      );
    }
    return this.#error;
  }

  /** A request to the producer, who decides. True only the first time and only while pending. */
  discard(): boolean {
    if (!this.#request()) return false;
    let above = this.#upstream;
    // A loop, since chains may be longer than the stack is deep.
    while (above instanceof Future) {
      if (!above.#request()) return true;
      above = above.#upstream;
    }
    above?.discard();
    return true;
  }

  /** Requests a discard when the signal aborts; the signal is let go of as soon as there is an outcome. */
  discardOn(signal: AbortSignal): this {
    if (signal.aborted) {
      this.discard();
      return this;
    }
    const onAbort = (): void => void this.discard();
    signal.addEventListener('abort', onAbort, { once: true });
    this.#add(new Callback(Outcome, () => signal.removeEventListener('abort', onAbort), undefined));
    return this;
  }

  onReady(callback: (value: T) => void): this {
    return this.#on(Ready, callback);
  }
  onFailed(callback: (error: unknown) => void): this {
    return this.#on(Failed, callback);
  }
  onDiscarded(callback: () => void): this {
    return this.#on(Discarded, callback);
  }
  /** Runs at any completion; not when the future is abandoned. */
  onAny(callback: (future: this) => void): this {
    return this.#on(Any, callback);
  }
  onDiscard(callback: () => void): this {
    return this.#on(DiscardRequested, callback);
  }
  onAbandoned(callback: () => void): this {
    return this.#on(Abandoned, callback);
  }

  /**
   * Promises/A+, so that `await` works: FAILED rejects with its error, discarded and abandoned with FutureDiscarded and
   * FutureAbandoned. A discard request does not travel back through it.
   */
  then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    // Of a local ask the answer is mostly there before `await` looks for it: then one promise is enough.
    if (this.#state === 'ready' && typeof onFulfilled === 'function') {
      const value = this.#value as T;
      return soon.then(() => onFulfilled(value));
    }
    // A native promise exists only where somebody looks: a failed future that nobody awaits is a value, not an incident.
    const native = new Promise<T>((resolve, reject) => {
      const settle = (): void => {
        if (this.#state === 'ready') resolve(this.#value as T);
        else reject(this.#rejection());
      };
      this.#add(new Callback(Outcome, settle, undefined));
    });
    return native.then(onFulfilled, onRejected);
  }

  /** A future of `fn(value)`; FAILED if it throws. A discard requested here cuts the chain off even if the source gets READY. */
  map<U>(fn: (value: T) => U): Future<U> {
    return this.#chain<U>((next) => void next.set(fn(this.#value as T)));
  }

  /** As `map` for an `fn` that itself gives a future. */
  andThen<U>(fn: (value: T) => Future<U>): Future<U> {
    return this.#chain<U>((next) => void next.associate(fn(this.#value as T)));
  }

  /** Replaces a FAILED outcome; everything else passes through. */
  repair(fn: (future: Future<T>) => T | Future<T>): Future<T> {
    return this.#follow<T>((next) => {
      if (this.#state === 'failed') settleWith(next, () => fn(this));
      else this.#passOn(next, this.#value as T);
    });
  }

  /** Replaces FAILED, DISCARDED and abandoned; a discard requested before is forgotten so that the recovery can run. */
  recover(fn: (future: Future<T>) => T | Future<T>): Future<T> {
    return this.#follow<T>((next) => {
      if (this.#state === 'ready') return void next.set(this.#value as T);
      next.future.#discardRequested = false;
      settleWith(next, () => fn(this));
    });
  }

  /**
   * If still pending after `duration`, the outcome is that of `fn(this)`; a discard request goes upstream but does not stop
   * the timer. Uses the clock of the current turn's runtime, or the one given.
   */
  after(
    duration: Duration,
    fn: (future: Future<T>) => T | Future<T>,
    clock: Clock | undefined = currentOwner()?.clock,
  ): Future<T> {
    if (clock === undefined) {
      throw new ProcessError(
        'PROCESS_NOT_SPAWNED',
        'Future.after outside a process needs a clock: pass runtime.clock as third argument',
      );
    }
    const owner = currentOwner();
    let open = true;
    const next = new Deferred<T>(this);
    const timer = clock.timer(toMilliseconds(duration), () => {
      if (!open) return;
      open = false;
      const previous = enterTurn(owner);
      settleWith(next, () => fn(this));
      enterTurn(previous);
    });
    this.#on(Outcome, () => {
      if (!open) return;
      if (this.#state !== 'pending') {
        open = false;
        timer.cancel();
      }
      this.#passOn(next, this.#value as T);
    });
    return next.future;
  }

  toString(): string {
    const discard = this.#discardRequested ? ' (with discard)' : '';
    switch (this.#state) {
      case 'pending':
        return (this.#abandoned ? 'Abandoned' : 'Pending') + discard;
      case 'ready':
        return `Ready${discard}`;
      case 'discarded':
        return `Discarded${discard}`;
      case 'failed':
        return `Failed${discard}: ${messageOf(this.#error)}`;
    }
  }

  /** @internal The writer's way in; see Deferred. */
  static complete<T>(
    future: Future<T>,
    state: 'ready' | 'failed' | 'discarded',
    value: T | undefined,
    error: unknown,
  ): boolean {
    if (future.#state !== 'pending') return false;
    future.#state = state;
    future.#value = value;
    future.#error = error;
    const first = future.#first;
    // Nothing may keep a chain of futures alive whose links have settled.
    future.#first = future.#last = future.#upstream = undefined;
    const moment = state === 'ready' ? Ready : state === 'failed' ? Failed : Discarded;
    let any = false;
    for (let callback = first; callback !== undefined; callback = callback.next) {
      if (callback.moment === moment || callback.moment === Outcome) future.#notify(callback);
      else if (callback.moment === Any) any = true;
    }
    if (!any) return true;
    for (let callback = first; callback !== undefined; callback = callback.next)
      if (callback.moment === Any) future.#notify(callback);
    return true;
  }

  /** @internal */
  static abandon<T>(future: Future<T>): void {
    if (future.#state !== 'pending' || future.#abandoned) return;
    future.#abandoned = true;
    future.#fire(Abandoned);
    // Followers stay: what is abandoned may still be completed by `after`.
    for (let callback = future.#first; callback !== undefined; callback = callback.next) {
      if (callback.moment === Outcome) future.#notify(callback);
    }
  }

  /** @internal False if it was completed or associated before. */
  static associate<T>(future: Future<T>, source: Future<T>): boolean {
    if (future.#state !== 'pending' || future.#associated) return false;
    future.#associated = true;
    future.#upstream = source;
    if (future.#discardRequested) source.discard();
    source.#add(
      new Callback(
        Outcome,
        () => {
          if (source.#state === 'pending') Future.abandon(future);
          else Future.complete(future, source.#state, source.#value, source.#error);
        },
        undefined,
      ),
    );
    return true;
  }

  /** @internal */
  static isAssociated<T>(future: Future<T>): boolean {
    return future.#associated;
  }

  /** A future whose outcome `decide` settles once this one has one, or is abandoned. */
  #follow<U>(decide: (next: Deferred<U>) => void): Future<U> {
    const next = new Deferred<U>(this);
    this.#on(Outcome, () => decide(next));
    return next.future;
  }

  #chain<U>(onReady: (next: Deferred<U>) => void): Future<U> {
    return this.#follow<U>((next) => {
      if (this.#state !== 'ready') return this.#passOn(next, undefined);
      if (this.#discardRequested || next.future.#discardRequested) return void next.discard();
      try {
        onReady(next);
      } catch (error) {
        next.fail(error);
      }
    });
  }

  /** Gives this future's outcome to another; `value` is the one to use if it is READY. */
  #passOn<U>(next: Deferred<U>, value: U | undefined): void {
    switch (this.#state) {
      case 'ready':
        return void next.set(value as U);
      case 'failed':
        return void next.fail(this.#error);
      case 'discarded':
        return void next.discard();
      case 'pending':
        return next.abandon();
    }
  }

  #rejection(): unknown {
    switch (this.#state) {
      case 'discarded':
        return new FutureDiscarded('FUTURE_DISCARDED', 'The future was discarded');
      case 'pending':
        return new FutureAbandoned('FUTURE_ABANDONED', 'The future was abandoned: nobody is left to complete it');
      default:
        return this.#error;
    }
  }

  #request(): boolean {
    if (this.#state !== 'pending' || this.#discardRequested) return false;
    this.#discardRequested = true;
    this.#fire(DiscardRequested);
    return true;
  }

  #on(moment: Moment, run: (subject: never) => void): this {
    this.#add(new Callback(moment, run, currentOwner()));
    return this;
  }

  #add(callback: Callback): void {
    const pending = this.#state === 'pending';
    if (this.#holds(callback.moment)) {
      this.#notify(callback);
      if (!pending || callback.moment !== Outcome) return;
    }
    if (!pending) return;
    if (this.#last === undefined) this.#first = callback;
    else this.#last.next = callback;
    this.#last = callback;
  }

  #holds(moment: Moment): boolean {
    switch (moment) {
      case Ready:
        return this.#state === 'ready';
      case Failed:
        return this.#state === 'failed';
      case Discarded:
        return this.#state === 'discarded';
      case Any:
        return this.#state !== 'pending';
      case DiscardRequested:
        return this.#discardRequested;
      case Abandoned:
        return this.#abandoned && this.#state === 'pending';
      case Outcome:
        return this.#abandoned || this.#state !== 'pending';
    }
  }

  /** Takes the callbacks of a moment out of the list and runs them: each runs once at most. */
  #fire(moment: typeof DiscardRequested | typeof Abandoned): void {
    const due: Callback[] = [];
    const callbacks = this.#first;
    this.#first = this.#last = undefined;
    for (let callback = callbacks; callback !== undefined;) {
      const next = callback.next;
      callback.next = undefined;
      if (callback.moment === moment) due.push(callback);
      else {
        if (this.#last === undefined) this.#first = callback;
        else this.#last.next = callback;
        this.#last = callback;
      }
      callback = next;
    }
    for (const callback of due) this.#notify(callback);
  }

  #notify(callback: Callback): void {
    const { moment } = callback;
    notify(callback, moment === Ready ? this.#value : moment === Failed ? this.#error : this);
  }
}

function settleWith<T>(next: Deferred<T>, fn: () => T | Future<T>): void {
  try {
    const result = fn();
    if (result instanceof Future) next.associate(result);
    else next.set(result);
  } catch (error) {
    next.fail(error);
  }
}

/** What `fetch` and Node's own functions reject with when their signal aborts. */
function isAbort(error: unknown, signal: AbortSignal): boolean {
  return error === signal.reason || (error instanceof Error && error.name === 'AbortError');
}
