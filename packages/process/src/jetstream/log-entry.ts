import { ProcessError } from '../errors.ts';
import type { LogContents, LogEntry } from '../log/fenced-log.ts';

/** Of what is written; older ones can be read. */
const version = 1;

/** Bytes of one message at most, though the server may take more: so that reading many at once fits its buffers. */
const largestPart = 1024 * 1024;
/** Bytes of a message that its headers need. */
const roomForHeaders = 512;

export type Kind = 'entry' | 'snapshot';

/** A message of the log, as stored. */
export interface StoredPart {
  readonly seq: number;
  readonly header: { get(name: string): string };
  readonly data: Uint8Array;
}

/** Each record behind its length in 4 bytes, the highest first. */
export function packRecords(records: readonly Uint8Array[]): Uint8Array {
  const packed = new Uint8Array(records.reduce((sum, record) => sum + 4 + record.length, 0));
  const view = new DataView(packed.buffer);
  let at = 0;
  for (const record of records) {
    view.setUint32(at, record.length);
    packed.set(record, at + 4);
    at += 4 + record.length;
  }
  return packed;
}

/** Undefined for what packRecords did not make. */
export function unpackRecords(packed: Uint8Array): Uint8Array[] | undefined {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.byteLength);
  const records: Uint8Array[] = [];
  let at = 0;
  while (at < packed.length) {
    if (at + 4 > packed.length) return undefined;
    const end = at + 4 + view.getUint32(at);
    if (end > packed.length) return undefined;
    records.push(packed.slice(at + 4, end));
    at = end;
  }
  return records;
}

/** Cut to what fits the server's largest message; one empty part for nothing. */
export function partsOf(payload: Uint8Array, maxPayload: number): Uint8Array[] {
  const size = Math.max(1, Math.min(largestPart, maxPayload - roomForHeaders));
  const parts: Uint8Array[] = [];
  for (let at = 0; at < payload.length || at === 0; at += size) parts.push(payload.subarray(at, at + size));
  return parts;
}

/** @param id of the entry: no other has it. */
export function fieldsOf(kind: Kind, id: string, index: number, count: number): Record<string, string> {
  return { 'Mezzo-Log': `${version}`, 'Mezzo-Kind': kind, 'Mezzo-Entry': id, 'Mezzo-Part': `${index}/${count}` };
}

interface Part {
  readonly sequence: number;
  readonly kind: Kind;
  readonly id: string;
  readonly index: number;
  readonly count: number;
  readonly data: Uint8Array;
}

/**
 * What the messages of a log say. An entry whose last part is missing was never confirmed: its writer died or was fenced
 * off, and whatever comes next takes its place. Throws LOG_VERSION and LOG_CORRUPT.
 *
 * @param stream for messages
 */
export function contentsOf(stream: string, messages: Iterable<StoredPart>): LogContents {
  let snapshot: LogContents['snapshot'];
  let entries: LogEntry[] = [];
  let last = 0;
  let parts: Part[] = [];
  for (const message of messages) {
    const part = partOf(stream, message);
    last = part.sequence;
    if (part.index === 1) parts = [part];
    else if (follows(part, parts.at(-1))) parts.push(part);
    else throw corrupt(stream, part.sequence, `is part ${part.index} of an entry whose part before is not before it`);
    if (part.index < part.count) continue;
    const payload = joined(parts);
    if (part.kind === 'snapshot') {
      snapshot = { sequence: last, state: payload };
      entries = [];
      continue;
    }
    const records = unpackRecords(payload);
    if (records === undefined) throw corrupt(stream, last, 'ends in the middle of a record');
    entries.push({ sequence: last, records });
  }
  // Of an unfinished entry too: whoever appends next has to have seen it.
  return { snapshot, entries, last };
}

function follows(part: Part, before: Part | undefined): boolean {
  return (
    before !== undefined &&
    before.id === part.id &&
    before.kind === part.kind &&
    before.count === part.count &&
    before.index === part.index - 1
  );
}

function joined(parts: readonly Part[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, { data }) => sum + data.length, 0));
  let at = 0;
  for (const { data } of parts) {
    whole.set(data, at);
    at += data.length;
  }
  return whole;
}

function partOf(stream: string, { seq, header, data }: StoredPart): Part {
  const written = header.get('Mezzo-Log');
  if (!/^[1-9]\d{0,8}$/.test(written)) throw corrupt(stream, seq, 'was not written by this library');
  if (Number(written) > version) {
    throw new ProcessError(
      'LOG_VERSION',
      `Message ${seq} of the log in stream '${stream}' has format ${written}, and this version of the library knows formats up to ${version}: use the newer one that wrote it`,
    );
  }
  const kind = header.get('Mezzo-Kind');
  const id = header.get('Mezzo-Entry');
  const [, index, count] = /^(\d{1,9})\/(\d{1,9})$/.exec(header.get('Mezzo-Part')) ?? [];
  const part = { sequence: seq, id, index: Number(index), count: Number(count), data };
  if ((kind !== 'entry' && kind !== 'snapshot') || id === '' || !(part.index >= 1 && part.index <= part.count)) {
    throw corrupt(stream, seq, 'has headers that make no sense');
  }
  return { ...part, kind };
}

export function corrupt(stream: string, sequence: number, why: string): ProcessError {
  return new ProcessError(
    'LOG_CORRUPT',
    `Message ${sequence} of the log in stream '${stream}' ${why}: restore the stream from a backup`,
  );
}
