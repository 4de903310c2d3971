import { type Clock, Deferred, type Future, ProcessError } from '@mezzo/process';
import type { FencedLog, LogContents } from '@mezzo/process/log';

/**
 * What becomes of a call: `refused` is not done, `unanswered` is done, `late` is done a second after it was said to have
 * failed, and of `silent` and `abandoned` nobody hears, though the latter says so. Of what is `torn` only a part is there, which nobody can read.
 */
export type Mishap = 'refused' | 'unanswered' | 'late' | 'silent' | 'abandoned' | 'torn';

/** A log that can be slow, and of which one does not always hear what became of a call. */
export class UnsteadyLog implements FencedLog {
  readonly #log: FencedLog;
  readonly #clock: Clock;
  /** Milliseconds that each call takes. */
  latency = 0;
  /** Decides about each call; without one all goes well. */
  mishap: ((call: 'read' | 'append' | 'snapshot') => Mishap | undefined) | undefined;
  /** Every entry that somebody tried to append, whatever became of it. */
  readonly appended: (readonly Uint8Array[])[] = [];
  snapshots = 0;
  reads = 0;

  constructor(log: FencedLog, clock: Clock) {
    this.#log = log;
    this.#clock = clock;
  }

  /** The next calls of one kind meet these mishaps. */
  next(call: 'read' | 'append' | 'snapshot', ...mishaps: Mishap[]): void {
    this.mishap = (of) => (of === call ? mishaps.shift() : undefined);
  }

  read(): Future<LogContents> {
    this.reads += 1;
    const whole = (contents: LogContents): LogContents => ({
      ...contents,
      entries: contents.entries.filter(({ records }) => records.length > 0),
    });
    return this.#call('read', () => this.#log.read().map(whole));
  }

  append(expected: number, records: readonly Uint8Array[]): Future<number> {
    this.appended.push(records);
    return this.#call('append', () => this.#log.append(expected, records), expected);
  }

  snapshot(expected: number, state: Uint8Array): Future<number> {
    this.snapshots += 1;
    return this.#call('snapshot', () => this.#log.snapshot(expected, state), expected);
  }

  close(): Future<void> {
    return this.#log.close();
  }

  #call<T>(name: 'read' | 'append' | 'snapshot', perform: () => Future<T>, expected = 0): Future<T> {
    const mishap = this.mishap?.(name);
    const result = new Deferred<T>();
    const later = (milliseconds: number, then: () => void): void => void this.#clock.timer(milliseconds, then);
    const fail = (): void =>
      void result.fail(new ProcessError('LOG_UNAVAILABLE', `the log did not answer (${mishap})`));
    later(this.latency, () => {
      if (mishap === 'refused') return fail();
      if (mishap === 'late') {
        later(1000, () => void perform());
        return fail();
      }
      if (mishap === 'torn') return void this.#log.append(expected, []).onAny(fail);
      const outcome = perform();
      if (mishap === undefined) outcome.onAny(() => void result.associate(outcome));
      else if (mishap === 'abandoned') outcome.onAny(() => result.abandon());
      else if (mishap === 'unanswered') outcome.onAny(fail);
    });
    return result.future;
  }
}
