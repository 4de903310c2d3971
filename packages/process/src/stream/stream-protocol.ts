import { message, type SchemaResult, type WireSchema } from '../message.ts';

/*
 * A stream has two ends, each with an address of its own. The reader sends the request; the producer answers `opened` from
 * the address of its end, then items as far as its credit goes, then `ended`. Whatever fails it travels as the refusal of an
 * ask does. An end hears nobody but the other one; what reaches an end that is over is answered by a refusal, so that
 * neither can go on alone.
 */

/** Items a producer may send before it hears from the reader: a short stream needs no second round trip. */
export const initialCredit = 16;
/** Items a producer may be allowed at once: as many messages as a session lets wait for a slow peer. */
export const largestWindow = 65_536;

/** The producer is there; what it sends from now on comes from this address. */
export const Opened = message<undefined>('$stream.opened', schema(isNothing, 'nothing'));
/** So many further items may come. None: only to say that somebody reads. */
export const Credit = message<number>('$stream.credit', schema(isCredit, `a whole number up to ${largestWindow}`));
/** No further item is wanted. */
export const Cancel = message<undefined>('$stream.cancel', schema(isNothing, 'nothing'));
/** There are no further items; with their number, so that none is missed unnoticed. */
export const Ended = message<number>('$stream.ended', schema(isCount, 'a whole number'));

function schema<T>(is: (value: unknown) => value is T, expected: string): WireSchema<T> {
  const validate = (value: unknown): SchemaResult<T> =>
    is(value) ? { value } : { issues: [{ message: `expected ${expected}` }] };
  return { '~standard': { version: 1, vendor: 'mezzo', validate } };
}

function isNothing(value: unknown): value is undefined {
  return value === undefined || value === null;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isCredit(value: unknown): value is number {
  return isCount(value) && value <= largestWindow;
}
