import { message, request } from '../message.ts';
import { type Guard, record, schemaOf, text, whole } from '../shape.ts';

/** Largest value in bytes. */
const largestValue = 65_536;

const bytes: Guard<Uint8Array | null> = (value): value is Uint8Array | null =>
  value === null || (value instanceof Uint8Array && value.length <= largestValue);

const refusals = ['', 'LEASE_LOST', 'LEASE_UNAVAILABLE'] as const;
const refusal: Guard<(typeof refusals)[number]> = (value): value is (typeof refusals)[number] =>
  refusals.some((known) => known === value);

/** Whether the store refused, and why. */
export interface Verdict {
  readonly refusal: (typeof refusals)[number];
  readonly why: string;
}

export const fine: Verdict = { refusal: '', why: '' };

const verdict = { refusal, why: text(65_536) };

export const ReadLease = request(
  'lease.read',
  schemaOf(record({})),
  schemaOf(record({ ...verdict, created: whole, revision: whole, value: bytes })),
);
export const WriteLease = request(
  'lease.write',
  schemaOf(record({ expected: whole, value: bytes })),
  schemaOf(record({ ...verdict, revision: whole })),
);
/** The sender wants to hear LeaseChanged from now on, and first of what is there. */
export const WatchLease = message('lease.watch', schemaOf(record({})));
export const LeaseChanged = message('lease.changed', schemaOf(record({ revision: whole, value: bytes })));
