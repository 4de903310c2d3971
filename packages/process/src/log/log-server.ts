import { messageOf, ProcessError } from '../errors.ts';
import type { Future } from '../future/future.ts';
import { Process } from '../process.ts';
import type { FencedLog } from './fenced-log.ts';
import { AppendToLog, fine, ReadLog, type Refusal, SnapshotLog, type Verdict } from './log-messages.ts';

/** Serves a log to writers on other nodes: see remoteLog. The log stays its owner's, who closes it. */
export class LogServer extends Process {
  /** @param id default `log`. */
  constructor(log: FencedLog, id = 'log') {
    super(id);
    this.answer(ReadLog, () =>
      log
        .read()
        .map(({ snapshot, entries, last }) => ({ ...fine, snapshot: snapshot ?? null, entries, last }))
        .repair((failed) => ({ ...verdictOn(failed), snapshot: null, entries: [], last: 0 })),
    );
    this.answer(AppendToLog, ({ expected, records }) => outcomeOf(log.append(expected, records)));
    this.answer(SnapshotLog, ({ expected, state }) => outcomeOf(log.snapshot(expected, state)));
  }
}

function outcomeOf(written: Future<number>): Future<Verdict & { readonly sequence: number }> {
  return written.map((sequence) => ({ ...fine, sequence })).repair((failed) => ({ ...verdictOn(failed), sequence: 0 }));
}

function verdictOn(failed: Future<unknown>): Verdict {
  const error = failed.failure();
  return { refusal: refusalOf(error), why: messageOf(error).slice(0, 4096) };
}

function refusalOf(error: unknown): Refusal {
  if (!(error instanceof ProcessError)) return 'LOG_UNAVAILABLE';
  switch (error.code) {
    case 'LOG_FENCED':
    case 'LOG_CORRUPT':
    case 'LOG_VERSION':
      return error.code;
    default:
      return 'LOG_UNAVAILABLE';
  }
}
