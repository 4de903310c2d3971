import type { ExitReason } from './event.ts';
import { Deferred, Future } from './future/future.ts';
import type { PID } from './pid.ts';
import { Process } from './process.ts';
import type { Runtime } from './runtime.ts';

/** Links to one process for somebody who is no process, or who wants to hear of the end in another way than `exited`. */
class Watcher extends Process {
  readonly #watched: PID;
  readonly #owner: PID | undefined;
  readonly #end: Deferred<ExitReason>;

  constructor(id: string, watched: PID, owner: PID | undefined) {
    super(id);
    this.#watched = watched;
    this.#owner = owner;
    this.#end = new Deferred<ExitReason>({ discard: () => this.cell.terminate(true) });
  }

  get end(): Future<ExitReason> {
    return this.#end.future;
  }

  protected override initialize(): void {
    if (this.#owner !== undefined) this.link(this.#owner);
    this.link(this.#watched);
  }

  protected override exited(pid: PID, reason: ExitReason): void {
    // Whoever watches itself does not live to hear of it.
    if (this.#owner?.equals(pid) !== true) this.#end.set(reason);
    this.terminate();
  }

  protected override finalize(): void {
    if (this.#end.future.hasDiscard) this.#end.discard();
    else this.#end.abandon();
  }
}

/** See Runtime.watch. */
export function watch(runtime: Runtime, pid: PID, owner: PID | undefined): Future<ExitReason> {
  const watcher = new Watcher(runtime.generateId('watch'), pid, owner);
  try {
    runtime.spawn(watcher);
  } catch (error) {
    return Future.failed(error);
  }
  return watcher.end;
}
