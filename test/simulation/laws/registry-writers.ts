import type { Future } from '@mezzo/process';
import type { FencedLog, LogContents } from '@mezzo/process/log';
import { compareTerms, type Term } from '@mezzo/protocol';
import { readRegistry } from '../../../packages/master/src/registrar/registry-codec.ts';
import { Violation } from '../scene.ts';
import type { Handled, Law } from './law.ts';

/** The registry's log has one writer per term, and no term comes after a newer one. */
export class RegistryWriters implements Law {
  looks = 0;
  /** Whose request the log serves just now. */
  #asking = '';
  #reign: { readonly term: Term; readonly writer: string } | undefined;
  readonly #report: (violation: Violation) => void;

  constructor(report: (violation: Violation) => void) {
    this.#report = report;
  }

  begins({ event }: Handled): void {
    if (event.kind === 'message' && event.from !== undefined)
      this.#asking = `${event.from.node} (start ${event.from.incarnation})`;
  }

  /** The log, with an eye on what is written to it. */
  watch(log: FencedLog): FencedLog {
    return {
      read: (): Future<LogContents> => log.read(),
      append: (expected, records) => {
        const writer = this.#asking;
        const written = log.append(expected, records);
        written.onReady(() => this.#written(writer, records));
        return written;
      },
      snapshot: (expected, state) => {
        const writer = this.#asking;
        const written = log.snapshot(expected, state);
        written.onReady(() => this.#written(writer, []));
        return written;
      },
      close: () => log.close(),
    };
  }

  #written(writer: string, records: readonly Uint8Array[]): void {
    this.looks++;
    const term = records.map(sealOf).find((found) => found !== undefined);
    const reign = this.#reign;
    if (term !== undefined) {
      if (reign !== undefined && compareTerms(term, reign.term) < 0)
        this.#report(
          new Violation(`${writer} sealed the registry for term ${textOf(term)} after ${textOf(reign.term)}`),
        );
      if (reign !== undefined && compareTerms(term, reign.term) === 0 && reign.writer !== writer)
        this.#report(new Violation(`${writer} and ${reign.writer} both sealed the registry for term ${textOf(term)}`));
      this.#reign = { term, writer };
    } else if (reign?.writer !== writer) {
      this.#report(
        new Violation(
          `${writer} wrote to the registry in term ${textOf(reign?.term)}, which is that of ${reign?.writer ?? 'nobody'}`,
        ),
      );
    }
  }
}

/** The term that a record begins, if it is a seal. */
function sealOf(record: Uint8Array): Term | undefined {
  try {
    return readRegistry({ snapshot: undefined, entries: [{ sequence: 1, records: [record] }], last: 1 }).term;
  } catch {
    // What makes no sense in an empty registry is no seal.
    return undefined;
  }
}

function textOf(term: Term | undefined): string {
  return term === undefined ? '(none)' : `${term.created}.${term.revision}`;
}
