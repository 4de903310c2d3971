import type { WireSchema } from './message.ts';

/** Tells whether a value has a shape. Fields it does not know are no fault, so that peers may grow. */
export type Guard<T> = (value: unknown) => value is T;
type Guarded<G> = G extends Guard<infer T> ? T : never;

/** Text of at most so many UTF-16 units. */
export function text(most: number): Guard<string> {
  return (value): value is string => typeof value === 'string' && value.length <= most;
}

/** An integer from 0 to 2^53 - 1. */
export const whole: Guard<number> = (value): value is number => Number.isSafeInteger(value) && Number(value) >= 0;

/** True or false. */
export const flag: Guard<boolean> = (value): value is boolean => typeof value === 'boolean';

/** An array of at most so many. */
export function list<T>(of: Guard<T>, most: number): Guard<readonly T[]> {
  return (value): value is readonly T[] => Array.isArray(value) && value.length <= most && value.every(of);
}

/** An object with at least these fields of its own. */
export function record<F extends Readonly<Record<string, Guard<unknown>>>>(
  fields: F,
): Guard<{ readonly [K in keyof F]: Guarded<F[K]> }> {
  const entries = Object.entries(fields);
  return (value): value is { readonly [K in keyof F]: Guarded<F[K]> } =>
    typeof value === 'object' &&
    value !== null &&
    entries.every(([name, guard]) => Object.hasOwn(value, name) && guard(Reflect.get(value, name)));
}

/** A Standard Schema of a shape, for messages of this library: its core depends on no schema library. */
export function schemaOf<T>(guard: Guard<T>): WireSchema<T> {
  return {
    '~standard': {
      version: 1,
      vendor: 'mezzo',
      validate: (value) => (guard(value) ? { value } : { issues: [{ message: 'not of the expected shape' }] }),
    },
  };
}
