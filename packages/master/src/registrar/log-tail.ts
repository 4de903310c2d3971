import { type Future, messageOf, ProcessError, type Timer } from '@mezzo/process';
import type { FencedLog, LogContents } from '@mezzo/process/log';

export interface LogTailPorts {
  delay(milliseconds: number, call: () => void): Timer;
  /** Makes a function that runs `call` in a turn of the process that owns the tail. */
  defer(call: () => void): () => void;
}

/** Why nothing can be written any more: somebody else has written, or the log could not be reached in time. */
export interface LogFault {
  readonly kind: 'fenced' | 'failed';
  readonly message: string;
}

/** How a write is made, and how it is recognised in what was read. */
interface Write {
  perform(expected: number): Future<number>;
  /** Its sequence, if it is what follows `expected`. */
  find(contents: LogContents, expected: number): number | undefined;
}

/** Milliseconds between attempts to reach a log that is not available. */
const retryInterval = 500;

/**
 * The end of a fenced log, where one write is made at a time. Of a write whose outcome is unknown it reads whether it is
 * there; if not it is made again, which is safe: at one place in the log only one of both can be.
 */
export class LogTail {
  readonly #log: FencedLog;
  readonly #ports: LogTailPorts;
  /** Of the newest entry that this one has seen or written. */
  #last = 0;
  /** Gives up what is under way. */
  #abort: (() => void) | undefined;

  constructor(log: FencedLog, ports: LogTailPorts) {
    this.#log = log;
    this.#ports = ports;
  }

  /** Reads all, for as long as it takes to reach the log but not longer than `timeout` milliseconds. */
  read(timeout: number, then: (outcome: LogContents | ProcessError) => void): void {
    const attempt = this.#limit<LogContents | ProcessError>(timeout, then, (why) =>
      unavailable(`the registry could not be read within ${timeout} ms${why}`),
    );
    const read = (): void => {
      this.#follow(attempt, this.#log.read(), (outcome) => {
        if (outcome.isReady) {
          this.#last = outcome.get().last;
          return attempt.end(outcome.get());
        }
        const error = errorOf(outcome);
        if (error.code !== 'LOG_UNAVAILABLE') return attempt.end(error);
        attempt.why = `: ${error.message}`;
        this.#ports.delay(retryInterval, read);
      });
    };
    read();
  }

  /** @param timeout milliseconds, after which it counts as failed and may be there or not. */
  append(records: readonly Uint8Array[], timeout: number, then: (fault: LogFault | undefined) => void): void {
    const write: Write = {
      perform: (expected) => this.#log.append(expected, records),
      find({ entries }, expected) {
        const entry = entries.find(({ sequence }) => sequence > expected);
        if (entry === undefined || entry.records.length !== records.length) return undefined;
        return entry.records.every((bytes, index) => isSame(bytes, records[index])) ? entry.sequence : undefined;
      },
    };
    this.#write(write, timeout, then);
  }

  /** Puts a state in place of everything; otherwise as `append`. */
  snapshot(state: Uint8Array, timeout: number, then: (fault: LogFault | undefined) => void): void {
    const write: Write = {
      perform: (expected) => this.#log.snapshot(expected, state),
      find: ({ snapshot }) => (snapshot !== undefined && isSame(snapshot.state, state) ? snapshot.sequence : undefined),
    };
    this.#write(write, timeout, then);
  }

  /** Nothing is written or heard any more; a write that is on its way may still arrive. */
  close(): void {
    this.#abort?.();
  }

  #write(write: Write, timeout: number, then: (fault: LogFault | undefined) => void): void {
    const attempt = this.#limit<LogFault | undefined>(timeout, then, (why) => ({
      kind: 'failed',
      message: `the registry could not be stored within ${timeout} ms${why}`,
    }));
    /** An earlier attempt may yet arrive: until it is read, being refused says nothing. */
    let isUnsure = false;
    const perform = (): void => {
      if (!attempt.isOpen) return;
      this.#follow(attempt, write.perform(this.#last), (outcome) => {
        if (outcome.isReady) {
          this.#last = outcome.get();
          return attempt.end(undefined);
        }
        const { code, message } = errorOf(outcome);
        attempt.why = `: ${message}`;
        if (code === 'LOG_FENCED' && !isUnsure) return attempt.end({ kind: 'fenced', message });
        if (code !== 'LOG_FENCED' && code !== 'LOG_UNAVAILABLE') return attempt.end({ kind: 'failed', message });
        isUnsure = true;
        look();
      });
    };
    const look = (): void => {
      this.#follow(attempt, this.#log.read(), (outcome) => {
        if (!outcome.isReady) {
          attempt.why = `: ${errorOf(outcome).message}`;
          return void this.#ports.delay(retryInterval, look);
        }
        const contents = outcome.get();
        if (!isWritten(contents, this.#last)) {
          // Parts of a write that was never finished may be there.
          this.#last = Math.max(this.#last, contents.last);
          return void this.#ports.delay(retryInterval, perform);
        }
        if (write.find(contents, this.#last) !== contents.last)
          return attempt.end({ kind: 'fenced', message: `the log has gone on to ${contents.last} by another hand` });
        this.#last = contents.last;
        attempt.end(undefined);
      });
    };
    perform();
  }

  /** Something that ends once: by its outcome, or because it took too long. */
  #limit<T>(timeout: number, then: (outcome: T) => void, late: (why: string) => T): Attempt<T> {
    const attempt: Attempt<T> = {
      isOpen: true,
      why: '',
      end: (outcome) => {
        if (!attempt.isOpen) return;
        attempt.isOpen = false;
        timer.cancel();
        then(outcome);
      },
    };
    const timer = this.#ports.delay(timeout, () => attempt.end(late(attempt.why)));
    this.#abort = () => {
      attempt.isOpen = false;
      timer.cancel();
    };
    return attempt;
  }

  #follow<T, R>(attempt: Attempt<R>, operation: Future<T>, then: (outcome: Future<T>) => void): void {
    const go = this.#ports.defer(() => {
      if (attempt.isOpen) then(operation);
    });
    operation.onAny(go);
    operation.onAbandoned(go);
  }
}

interface Attempt<T> {
  isOpen: boolean;
  /** What stood in its way last. */
  why: string;
  end(outcome: T): void;
}

/** Whether anything whole stands after `expected`. */
function isWritten({ snapshot, entries }: LogContents, expected: number): boolean {
  return (snapshot?.sequence ?? 0) > expected || entries.some(({ sequence }) => sequence > expected);
}

function errorOf(outcome: Future<unknown>): ProcessError {
  if (!outcome.isFailed) return unavailable('the log gave up');
  const error = outcome.failure();
  return error instanceof ProcessError ? error : unavailable(messageOf(error));
}

function unavailable(message: string): ProcessError {
  return new ProcessError('LOG_UNAVAILABLE', message);
}

function isSame(a: Uint8Array, b: Uint8Array | undefined): boolean {
  if (b === undefined || a.length !== b.length) return false;
  for (let i = 0; i < a.length; i += 1) if (a[i] !== b[i]) return false;
  return true;
}
