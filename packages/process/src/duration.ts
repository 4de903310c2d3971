import { ProcessError } from './errors.ts';

const milliseconds = {
  ns: 1e-6,
  us: 1e-3,
  ms: 1,
  s: 1000,
  secs: 1000,
  m: 60_000,
  mins: 60_000,
  h: 3_600_000,
  hrs: 3_600_000,
  d: 86_400_000,
  days: 86_400_000,
  weeks: 604_800_000,
} as const;

type Unit = keyof typeof milliseconds;

/** A length of time: a number of milliseconds, or text with a unit as libprocess writes it (`500ms`, `2secs`, `1.5hrs`). */
export type Duration = number | `${number}${Unit}`;

/**
 * The longest that libprocess knows: 2^63 - 1 nanoseconds, here rounded up to a whole millisecond, 292 years. Longer ones are
 * allowed; what they lead to is `Time.max`.
 */
export const maxDuration = 9_223_372_036_855;

const pattern = /^(\d+(?:\.\d+)?)\s*([a-z]+)$/;
const parsed = new Map<string, number>();

/** Milliseconds of a duration. Throws DURATION_INVALID for negative numbers, NaN, unknown units, and what is neither number nor text. */
export function toMilliseconds(duration: Duration): number {
  if (typeof duration === 'number') {
    if (duration >= 0) return duration;
    throw invalid(duration);
  }
  if (typeof duration !== 'string') throw invalid(duration);
  const known = parsed.get(duration);
  if (known !== undefined) return known;
  const value = parseDuration(duration);
  // The texts come from source code, so there are few; the bound is for callers that make them up.
  if (parsed.size < 1000) parsed.set(duration, value);
  return value;
}

/** Parses text such as `10secs`, for flags and configuration files. */
export function parseDuration(text: string): number {
  const match = pattern.exec(text.trim());
  const unit = match?.[2];
  if (match === null || unit === undefined || !Object.hasOwn(milliseconds, unit)) throw invalid(text);
  return Number(match[1]) * milliseconds[unit as Unit];
}

function invalid(given: unknown): ProcessError {
  return new ProcessError(
    'DURATION_INVALID',
    `Invalid duration '${String(given)}': expected a non-negative number of milliseconds, or text such as '500ms', '2secs', '5mins', '1hrs'`,
  );
}
