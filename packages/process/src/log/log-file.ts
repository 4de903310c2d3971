import { ProcessError } from '../errors.ts';
import { checksum } from './checksum.ts';

/** Of what is written; older ones can be read. */
const version = 1;
/** "MZLG". */
const mark = 0x4d5a4c47;
/** Mark, version, kind, sequence, number of records, checksum of these: the same in every version. */
const headerSize = 24;
/** Length of the record, checksum of length and record. */
const frameSize = 8;
const kinds = ['entry', 'snapshot'] as const;

/** What one file of the log says; a snapshot has its state as its only record. */
export interface LogFile {
  readonly kind: (typeof kinds)[number];
  readonly sequence: number;
  readonly records: readonly Uint8Array[];
}

export function encodeLogFile({ kind, sequence, records }: LogFile): Uint8Array {
  const bytes = new Uint8Array(records.reduce((size, record) => size + frameSize + record.length, headerSize));
  const view = new DataView(bytes.buffer);
  view.setUint32(0, mark);
  view.setUint16(4, version);
  view.setUint16(6, kinds.indexOf(kind));
  view.setBigUint64(8, BigInt(sequence));
  view.setUint32(16, records.length);
  view.setUint32(20, checksum(bytes.subarray(0, 20)));
  let at = headerSize;
  for (const record of records) {
    view.setUint32(at, record.length);
    bytes.set(record, at + frameSize);
    view.setUint32(at + 4, frameChecksum(bytes.subarray(at, at + 4), record));
    at += frameSize + record.length;
  }
  return bytes;
}

/** Throws LOG_CORRUPT and LOG_VERSION. @param path for messages. @param sequence that the file's name promises. */
export function decodeLogFile(path: string, sequence: number, bytes: Uint8Array): LogFile {
  if (bytes.length < headerSize) throw corrupt(path, bytes.length, `ends within the header of ${headerSize} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0) !== mark) throw corrupt(path, 0, 'is not a file of a log');
  if (view.getUint32(20) !== checksum(bytes.subarray(0, 20))) throw corrupt(path, 20, 'has a header that was changed');
  const written = view.getUint16(4);
  if (written > version) {
    throw new ProcessError(
      'LOG_VERSION',
      `The log file '${path}' has format ${written}, and this version of the library knows formats up to ${version}: use the newer one that wrote it`,
    );
  }
  const kind = kinds[view.getUint16(6)];
  if (kind === undefined) throw corrupt(path, 6, 'is neither an entry nor a snapshot');
  const stated = Number(view.getBigUint64(8));
  if (stated !== sequence) throw corrupt(path, 8, `holds entry ${stated}, not ${sequence}`);
  return { kind, sequence, records: recordsOf(path, bytes, view) };
}

function recordsOf(path: string, bytes: Uint8Array, view: DataView): readonly Uint8Array[] {
  const records: Uint8Array[] = [];
  let at = headerSize;
  for (let left = view.getUint32(16); left > 0; left--) {
    const start = at + frameSize;
    if (start > bytes.length) throw corrupt(path, bytes.length, `ends with ${left} records missing`);
    const end = start + view.getUint32(at);
    const record = bytes.slice(start, end);
    if (view.getUint32(at + 4) !== frameChecksum(bytes.subarray(at, at + 4), record)) {
      throw corrupt(path, at, 'has a record that was changed');
    }
    records.push(record);
    at = end;
  }
  if (at < bytes.length) throw corrupt(path, at, 'goes on after its last record');
  return records;
}

/** The length counts too: zeros, which a disk may show for what it lost, are no empty record. */
function frameChecksum(length: Uint8Array, record: Uint8Array): number {
  return checksum(record, checksum(length));
}

export function corrupt(path: string, offset: number, why: string): ProcessError {
  return new ProcessError(
    'LOG_CORRUPT',
    `The log file '${path}' ${why}, at byte ${offset}: restore the folder from a backup`,
  );
}
