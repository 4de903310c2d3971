import { request } from '../message.ts';
import { type Guard, list, record, schemaOf, text, whole } from '../shape.ts';

/** A guard only: what one message may hold in bytes is the transport's to say. */
const most = 16_777_216;

const bytes: Guard<Uint8Array> = (value): value is Uint8Array => value instanceof Uint8Array;
const records = list(bytes, most);
const snapshotShape = record({ sequence: whole, state: bytes });
const snapshot: Guard<{ readonly sequence: number; readonly state: Uint8Array } | null> = (
  value,
): value is { readonly sequence: number; readonly state: Uint8Array } | null => value === null || snapshotShape(value);

const refusals = ['', 'LOG_FENCED', 'LOG_CORRUPT', 'LOG_VERSION', 'LOG_UNAVAILABLE'] as const;
export type Refusal = (typeof refusals)[number];
const refusal: Guard<Refusal> = (value): value is Refusal => refusals.some((known) => known === value);

/** Whether the log refused, and why. */
export interface Verdict {
  readonly refusal: Refusal;
  readonly why: string;
}

export const fine: Verdict = { refusal: '', why: '' };

const verdict = { refusal, why: text(65_536) };
const written = schemaOf(record({ ...verdict, sequence: whole }));

export const ReadLog = request(
  'log.read',
  schemaOf(record({})),
  schemaOf(record({ ...verdict, snapshot, entries: list(record({ sequence: whole, records }), most), last: whole })),
);
export const AppendToLog = request('log.append', schemaOf(record({ expected: whole, records })), written);
export const SnapshotLog = request('log.snapshot', schemaOf(record({ expected: whole, state: bytes })), written);
