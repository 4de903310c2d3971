import { asError, FutureDiscarded } from '../errors.ts';
import { type Discardable, Future } from './future.ts';

/** The writing side of a Future: libprocess's Promise. The first of set, fail, discard wins and returns true. */
export class Deferred<T> {
  readonly future: Future<T>;

  /** @param producer hears of a discard request, until another future is associated. */
  constructor(producer?: Discardable) {
    this.future = new Future<T>(producer);
  }

  set(value: T): boolean {
    return !Future.isAssociated(this.future) && Future.complete(this.future, 'ready', value, undefined);
  }

  /** FAILED with an Error; text becomes one. */
  fail(error: unknown): boolean {
    return !Future.isAssociated(this.future) && Future.complete(this.future, 'failed', undefined, asError(error));
  }

  discard(): boolean {
    return !Future.isAssociated(this.future) && Future.complete(this.future, 'discarded', undefined, undefined);
  }

  /** Takes over the outcome of `source`; discard requests travel to it. False if completed or associated before. */
  associate(source: Future<T>): boolean {
    return Future.associate(this.future, source);
  }

  /** Gives up: the future stays pending for ever and says so. Nothing happens after completion or association. */
  abandon(): void {
    if (!Future.isAssociated(this.future)) Future.abandon(this.future);
  }

  /** A signal that aborts when the future gets a discard request: hand it to what can be cancelled by one. */
  get signal(): AbortSignal {
    const controller = new AbortController();
    this.future.onDiscard(() =>
      controller.abort(new FutureDiscarded('FUTURE_DISCARDED', 'The result is not wanted any more')),
    );
    return controller.signal;
  }

  [Symbol.dispose](): void {
    this.abandon();
  }
}
