import { Readable } from 'node:stream';

import { type Options, parse } from 'csv-parse';
import { parse as parseWhole } from 'csv-parse/sync';

import { TraceError } from './trace-error.ts';

/** A part of a trace: what errors call it, and its text in chunks of any size. */
export interface TraceFile {
  readonly name: string;
  readonly chunks: AsyncIterable<Uint8Array | string> | Iterable<Uint8Array | string>;
}

export interface Row {
  /** From 1; of a row over several lines (a quoted line break), the last. */
  readonly line: number;
  readonly fields: readonly string[];
}

/** Longer rows are no trace's; without the bound a stray quote would read the rest of the file into memory. */
const longestRow = 1024 * 1024;

/** `quoted`: whether fields may stand in quotes (RFC 4180); the public traces never quote. */
function options(quoted: boolean): Options {
  return {
    bom: true,
    info: true,
    quote: quoted ? '"' : false,
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: longestRow,
  };
}

interface Parsed {
  readonly record: readonly string[];
  readonly info: { readonly lines: number };
}

const row = ({ record, info }: Parsed): Row => ({ line: info.lines, fields: record });

/** The rows of a text that is in memory. */
export function rowsOf(text: string, name: string): readonly Row[] {
  try {
    // With `info` and without `columns` this is what csv-parse gives.
    return (parseWhole(text, options(true)) as unknown as readonly Parsed[]).map(row);
  } catch (error) {
    throw traceError(error, name);
  }
}

/** The rows of a file as it is read; at most a few chunks are in memory. */
export async function* streamRows(file: TraceFile, quoted: boolean): AsyncGenerator<Row> {
  const source = Readable.from(file.chunks);
  const parser = parse(options(quoted));
  source.on('error', (error) => parser.destroy(error));
  source.pipe(parser);
  try {
    for await (const parsed of parser) yield row(parsed as Parsed);
  } catch (error) {
    throw traceError(error, file.name);
  } finally {
    source.destroy();
  }
}

/** The parser's refusals, which know their line, as ours; whatever else broke stays what it is. */
function traceError(error: unknown, name: string): unknown {
  // Not by its class: the parser for texts and the one for streams have one each.
  if (!(error instanceof Error && 'lines' in error && typeof error.lines === 'number')) return error;
  return new TraceError(name, error.lines, undefined, `not valid CSV: ${error.message}`, { cause: error });
}
