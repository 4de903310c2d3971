import { FutureAbandoned, FutureDiscarded, messageOf, ProcessError } from '../errors.ts';
import { toMilliseconds, type Duration } from '../duration.ts';
import { currentOwner, type Owner } from '../turn.ts';

export type FutureState = 'pending' | 'ready' | 'failed' | 'discarded';

const Ready = 1;
const Failed = 2;
const Discarded = 3;
const Any = 4;
const DiscardRequested = 5;
const Abandoned = 6;
type Moment = typeof Ready | typeof Failed | typeof Discarded | typeof Any | typeof DiscardRequested | typeof Abandoned;

interface Callback {
  readonly moment: Moment;
  readonly run: (subject: never) => void;
  readonly owner: Owner | undefined;
}

/**
 * The reading side of a value that is not there yet, as libprocess's Future: its state can be inspected, callbacks run
 * synchronously at the completion, a discard request travels to the producer, and a future nobody can complete any more
 * is abandoned. `await` works on it; chaining has libprocess's names (`map`, `andThen`, `repair`, `recover`, `after`).
 */
export class Future<T> implements PromiseLike<T> {
  #state: FutureState = 'pending';
  #value: T | undefined;
  #error: unknown;
  #discardRequested = false;
  #abandoned = false;
  #associated = false;
  #callbacks: Callback[] | undefined;

  static ready<T>(value: T): Future<T> {
    const future = new Future<T>();
    future.#state = 'ready';
    future.#value = value;
    return future;
  }

  static failed<T = never>(error: unknown): Future<T> {
    const future = new Future<T>();
    future.#state = 'failed';
    future.#error = typeof error === 'string' ? new Error(error) : error;
    return future;
  }

  /** A pending future that nobody can complete. */
  static abandoned<T = never>(): Future<T> {
    const future = new Future<T>();
    future.#abandoned = true;
    return future;
  }

  /** Follows a native promise; a discard request does not reach it. */
  static from<T>(promise: PromiseLike<T>): Future<T> {
    const deferred = new Deferred<T>();
    promise.then(
      (value) => void deferred.set(value),
      (error: unknown) => void deferred.fail(error),
    );
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
  get isAbandoned(): boolean {
    return this.#abandoned;
  }
  get hasDiscard(): boolean {
    return this.#discardRequested;
  }

  /** The value. Throws FUTURE_NOT_READY unless READY. */
  get(): T {
    if (this.#state !== 'ready') {
      throw new ProcessError('FUTURE_NOT_READY', `Future.get() on a future that is ${this.toString()}: check isReady first`, {
        cause: this.#error,
      });
    }
    return this.#value as T;
  }

  /** The error it failed with. Throws FUTURE_NOT_READY unless FAILED. */
  failure(): unknown {
    if (this.#state !== 'failed') {
      throw new ProcessError('FUTURE_NOT_READY', `Future.failure() on a future that is ${this.toString()}: check isFailed first`);
    }
    return this.#error;
  }

  /** A request to the producer, who decides. True only the first time and only while pending. */
  discard(): boolean {
    if (this.#state !== 'pending' || this.#discardRequested) return false;
    this.#discardRequested = true;
    this.#fire(DiscardRequested);
    return true;
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

  then<A = T, B = never>(
    onFulfilled?: ((value: T) => A | PromiseLike<A>) | null,
    onRejected?: ((reason: unknown) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    const native = new Promise<T>((resolve, reject) => {
      this.#add({ moment: Ready, run: resolve as (subject: never) => void, owner: undefined });
      this.#add({ moment: Failed, run: reject, owner: undefined });
      this.#add({
        moment: Discarded,
        run: () => reject(new FutureDiscarded('FUTURE_DISCARDED', 'The future was discarded')),
        owner: undefined,
      });
      this.#add({
        moment: Abandoned,
        run: () => reject(new FutureAbandoned('FUTURE_ABANDONED', 'The future was abandoned: nobody is left to complete it')),
        owner: undefined,
      });
    });
    return native.then(onFulfilled, onRejected);
  }

  /** A future of `fn(value)`. A discard requested here cuts the chain off even if the source gets READY. */
  map<U>(fn: (value: T) => U): Future<U> {
    return this.#chain<U>((next) => {
      if (this.#discardRequested) next.discard();
      else next.set(fn(this.#value as T));
    });
  }

  /** As `map` for an `fn` that itself gives a future. */
  andThen<U>(fn: (value: T) => Future<U>): Future<U> {
    return this.#chain<U>((next) => {
      if (this.#discardRequested) next.discard();
      else next.associate(fn(this.#value as T));
    });
  }

  /** Replaces a FAILED outcome; everything else passes through. */
  repair(fn: (future: Future<T>) => T | Future<T>): Future<T> {
    const next = new Deferred<T>();
    this.#forwardDiscard(next);
    this.#on(Ready, (value: T) => void next.set(value));
    this.#on(Discarded, () => void next.discard());
    this.#on(Abandoned, () => next.abandon());
    this.#on(Failed, () => settleWith(next, () => fn(this)));
    return next.future;
  }

  /** Replaces FAILED, DISCARDED and abandoned; a discard requested before is forgotten so that the recovery can run. */
  recover(fn: (future: Future<T>) => T | Future<T>): Future<T> {
    const next = new Deferred<T>();
    this.#forwardDiscard(next);
    const rescue = (): void => {
      next.future.#discardRequested = false;
      settleWith(next, () => fn(this));
    };
    this.#on(Ready, (value: T) => void next.set(value));
    this.#on(Failed, rescue);
    this.#on(Discarded, rescue);
    this.#on(Abandoned, rescue);
    return next.future;
  }

  /** If still pending after `duration`, the outcome is that of `fn(this)`. Uses the clock of the current turn's runtime, or the one given. */
  after(duration: Duration, fn: (future: Future<T>) => T | Future<T>, clock = currentOwner()?.clock): Future<T> {
    if (clock === undefined) {
      throw new ProcessError('PROCESS_NOT_SPAWNED', 'Future.after outside a process needs a clock: pass runtime.clock as third argument');
    }
    const next = new Deferred<T>();
    let open = true;
    const timer = clock.timer(toMilliseconds(duration), () => {
      if (!open) return;
      open = false;
      settleWith(next, () => fn(this));
    });
    this.#forwardDiscard(next);
    this.#on(Abandoned, () => {
      if (open) next.future.#abandoned = true;
    });
    this.#on(Any, () => {
      if (!open) return;
      open = false;
      timer.cancel();
      next.follow(this);
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
  static complete<T>(future: Future<T>, state: 'ready' | 'failed' | 'discarded', value: T | undefined, error: unknown): boolean {
    if (future.#state !== 'pending') return false;
    future.#state = state;
    future.#value = value;
    future.#error = error;
    const callbacks = future.#callbacks;
    future.#callbacks = undefined;
    if (callbacks !== undefined) {
      const moment = state === 'ready' ? Ready : state === 'failed' ? Failed : Discarded;
      for (const callback of callbacks) if (callback.moment === moment) future.#run(callback);
      for (const callback of callbacks) if (callback.moment === Any) future.#run(callback);
    }
    return true;
  }

  /** @internal */
  static abandon<T>(future: Future<T>): void {
    if (future.#state !== 'pending' || future.#abandoned) return;
    future.#abandoned = true;
    future.#fire(Abandoned);
  }

  /** @internal */
  static markAssociated<T>(future: Future<T>): boolean {
    if (future.#state !== 'pending' || future.#associated) return false;
    future.#associated = true;
    return true;
  }

  /** @internal */
  static isAssociated<T>(future: Future<T>): boolean {
    return future.#associated;
  }

  #chain<U>(onReady: (next: Deferred<U>) => void): Future<U> {
    const next = new Deferred<U>();
    this.#forwardDiscard(next);
    this.#on(Ready, () => {
      try {
        onReady(next);
      } catch (error) {
        next.fail(error);
      }
    });
    this.#on(Failed, (error: unknown) => void next.fail(error));
    this.#on(Discarded, () => void next.discard());
    this.#on(Abandoned, () => next.abandon());
    return next.future;
  }

  #forwardDiscard<U>(next: Deferred<U>): void {
    next.future.onDiscard(() => void this.discard());
  }

  #on(moment: Moment, run: (subject: never) => void): this {
    this.#add({ moment, run, owner: currentOwner() });
    return this;
  }

  #add(callback: Callback): void {
    switch (callback.moment) {
      case DiscardRequested:
        if (this.#discardRequested) return this.#run(callback);
        break;
      case Abandoned:
        if (this.#abandoned && this.#state === 'pending') return this.#run(callback);
        break;
      case Any:
        if (this.#state !== 'pending') return this.#run(callback);
        break;
      case Ready:
        if (this.#state === 'ready') return this.#run(callback);
        break;
      case Failed:
        if (this.#state === 'failed') return this.#run(callback);
        break;
      case Discarded:
        if (this.#state === 'discarded') return this.#run(callback);
        break;
    }
    if (this.#state === 'pending') (this.#callbacks ??= []).push(callback);
  }

  #fire(moment: Moment): void {
    for (const callback of this.#callbacks?.slice() ?? []) if (callback.moment === moment) this.#run(callback);
  }

  /** An exception in a callback belongs to who registered it, never to who completed the future. */
  #run(callback: Callback): void {
    const subject = callback.moment === Ready ? this.#value : callback.moment === Failed ? this.#error : this;
    try {
      (callback.run as (subject: unknown) => void)(subject);
    } catch (error) {
      if (callback.owner === undefined) throwLater(error);
      else callback.owner.fail(error);
    }
  }
}

/** The writing side of a Future: libprocess's Promise. The first of set, fail, discard wins and returns true. */
export class Deferred<T> {
  readonly future = new Future<T>();

  set(value: T): boolean {
    return !Future.isAssociated(this.future) && Future.complete(this.future, 'ready', value, undefined);
  }

  /** FAILED with an Error; text becomes one. */
  fail(error: unknown): boolean {
    const cause = typeof error === 'string' ? new Error(error) : error;
    return !Future.isAssociated(this.future) && Future.complete(this.future, 'failed', undefined, cause);
  }

  discard(): boolean {
    return !Future.isAssociated(this.future) && Future.complete(this.future, 'discarded', undefined, undefined);
  }

  /** Takes over the outcome of `source`; discard requests travel to it. False if completed or associated before. */
  associate(source: Future<T>): boolean {
    if (!Future.markAssociated(this.future)) return false;
    this.future.onDiscard(() => void source.discard());
    this.#copy(source);
    return true;
  }

  /** @internal The outcome of a source that has completed. */
  follow(source: Future<T>): void {
    this.#copy(source);
  }

  /** Gives up: the future stays pending for ever and says so. Nothing happens after completion or association. */
  abandon(): void {
    if (!Future.isAssociated(this.future)) Future.abandon(this.future);
  }

  [Symbol.dispose](): void {
    this.abandon();
  }

  #copy(source: Future<T>): void {
    source.onReady((value) => void Future.complete(this.future, 'ready', value, undefined));
    source.onFailed((error) => void Future.complete(this.future, 'failed', undefined, error));
    source.onDiscarded(() => void Future.complete(this.future, 'discarded', undefined, undefined));
    source.onAbandoned(() => Future.abandon(this.future));
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

/** Outside any process nobody can be crashed; the error must be seen, but not by the innocent completer. */
function throwLater(error: unknown): void {
  void Promise.reject(error);
}
