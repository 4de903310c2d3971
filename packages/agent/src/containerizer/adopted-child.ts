import { type Child, type Children, Deferred, type ExitStatus, type Files, Future, type Signal } from '@mezzo/process';
import { decodeExitRecord } from './exit-record.ts';
import { decodeProcessRecord, type ProcessRecord } from './process-record.ts';

/** What is left where nobody saw a command's end: its wrapper was killed, or its machine. */
export const unseenEnd: ExitStatus = { kind: 'signaled', signal: 'SIGKILL' };

/** The status that a wrapper recorded in its run folder, or undefined. */
export function readExitRecord(files: Files, folder: string): Future<ExitStatus | undefined> {
  return files
    .read(`${folder}/exit`)
    .map((bytes) => decodeExitRecord(new TextDecoder().decode(bytes)))
    .repair(() => undefined);
}

/** The wrapper that a run folder names, if it is alive. */
export function livingWrapper(files: Files, children: Children, folder: string): Future<ProcessRecord | undefined> {
  return files
    .read(`${folder}/pid`)
    .map((bytes) => decodeProcessRecord(new TextDecoder().decode(bytes)))
    .repair(() => undefined)
    .andThen((record) => {
      if (record === undefined || record.bootId !== children.bootId) return Future.ready(undefined);
      // Another process may have the pid by now; its start time tells.
      return children.startTime(record.pid).map((startTime) => (startTime === record.startTime ? record : undefined));
    });
}

/**
 * A command that another process started, which was its agent. Nobody tells of its end: `look` finds out, and has to be called
 * again and again.
 */
export class AdoptedChild implements Child {
  readonly pid: number;
  readonly startTime: number;
  readonly #folder: string;
  readonly #exited = new Deferred<ExitStatus>();
  #signaled: Signal | undefined;
  #wasKilled = false;

  constructor({ pid, startTime }: ProcessRecord, folder: string) {
    this.pid = pid;
    this.startTime = startTime;
    this.#folder = folder;
  }

  get exited(): Future<ExitStatus> {
    return this.#exited.future;
  }

  /** Completes `exited` if the command has ended. */
  look(files: Files, children: Children): Future<void> {
    return readExitRecord(files, this.#folder).andThen((recorded) =>
      this.#isAlive(children).map((isAlive) => {
        if (recorded !== undefined) {
          // The wrapper is about to do so itself.
          if (isAlive) children.signalGroup(this.pid, 'SIGKILL');
          this.#exited.set(recorded);
          // KILL cannot be refused: what is listed after it waits for somebody to reap it.
        } else if (!isAlive || this.#wasKilled) this.#exited.set(this.#endBySignal());
        else this.#wasKilled = this.#signaled === 'SIGKILL';
      }),
    );
  }

  /** To its whole process group, if that is surely its own. */
  signal(children: Children, signal: Signal): Future<void> {
    return this.#isAlive(children).map((isAlive) => {
      if (isAlive && children.signalGroup(this.pid, signal)) this.#signaled = signal;
    });
  }

  #isAlive(children: Children): Future<boolean> {
    return children.startTime(this.pid).map((startTime) => startTime === this.startTime);
  }

  #endBySignal(): ExitStatus {
    return this.#signaled === undefined ? unseenEnd : { kind: 'signaled', signal: this.#signaled };
  }
}
