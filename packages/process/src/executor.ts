import { Deferred, type Future } from './future/future.ts';
import { runInto } from './future/outcome.ts';
import type { LocalPID } from './pid.ts';
import { Process, type Unwrapped } from './process.ts';
import type { Runtime } from './runtime.ts';

/** Nothing but a mailbox. */
class Worker extends Process {}

/**
 * Runs functions one after another in turns of a process of its own, for code that is no process. A function that returns a
 * Future has ended its turn; an async one keeps the others waiting until it settles. What throws is FAILED and the next one
 * runs.
 */
export class Executor implements Disposable {
  readonly #runtime: Runtime;
  readonly #pid: LocalPID<Process>;

  /** Throws SpawnRefused while the runtime is stopping. */
  constructor(runtime: Runtime) {
    this.#runtime = runtime;
    this.#pid = runtime.spawn(new Worker(runtime.generateId('executor')));
  }

  /** The outcome of `fn`, flattened; abandoned if the executor stops before. A discard goes to the Future that `fn` returned. */
  execute<R>(fn: () => R): Future<Unwrapped<R>> {
    const [result, outcome] = [new Deferred<Unwrapped<R>>(), new Deferred<Unwrapped<R>>()];
    const turn = this.#runtime.dispatch(this.#pid, () => runInto(outcome, fn));
    // What an async function comes to after the executor was stopped comes too late.
    turn.onReady(() => void result.associate(outcome.future)).onAbandoned(() => result.abandon());
    return result.future;
  }

  /** A function that, called from anywhere, has `fn` executed. What fails is reported as the runtime's errors are. */
  defer<A extends unknown[]>(fn: (...given: A) => unknown): (...given: A) => void {
    return (...given) => {
      this.execute(() => fn(...given)).onFailed((error) =>
        this.#runtime.report(error, `a deferred function of ${this.#pid.toString()} failed`),
      );
    };
  }

  /** As `defer` for a function whose result is wanted. */
  deferred<A extends unknown[], R>(fn: (...given: A) => R): (...given: A) => Future<Unwrapped<R>> {
    return (...given) => this.execute(() => fn(...given));
  }

  /**
   * Ends it without waiting: what is queued, or comes later, is abandoned. With `inject: false` what is queued is executed
   * first.
   */
  stop(options: { readonly inject?: boolean } = {}): void {
    this.#runtime.terminate(this.#pid, options);
  }

  [Symbol.dispose](): void {
    this.stop();
  }
}
