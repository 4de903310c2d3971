import { parseDuration } from '@mezzo/process';
import { Resources, roleFault } from '@mezzo/protocol';
import { z } from 'zod';
import type { Distribution } from './distribution.ts';
import { limits } from './limits.ts';

// The text of each error says what was expected; what was found, and where, is added by readScenario.

/** A mapping with exactly these fields. */
export function mapping<Shape extends z.core.$ZodLooseShape>(
  what: string,
  shape: Shape,
): z.ZodObject<Shape, z.core.$strict> {
  const names = Object.keys(shape).join(', ');
  return z.strictObject(shape, {
    error: ({ code }) =>
      code === 'unrecognized_keys' ? `one of the fields ${names}` : `${what} with the fields ${names}`,
  });
}

function number(expected: string, accepts: (value: number) => boolean): z.ZodNumber {
  return z.number({ error: expected }).refine(accepts, { error: expected });
}

const aName = "a name of letters, digits, '-' and '_', at most 64";
export const text = z.string({ error: 'text' }).min(1, { error: 'text that is not empty' });
/** Becomes part of the name of a node. */
export const name = z.string({ error: aName }).regex(/^[\w-]{1,64}$/, { error: aName });
export const count = number('a whole number of 1 or more', (value) => Number.isInteger(value) && value >= 1);
/** How many of what there may be no more of. Aborts, so that nobody tries to have them all. */
export const countOf = (what: 'agents' | 'frameworks' | 'tasks'): z.ZodNumber =>
  count.refine((value) => value <= limits[what], { error: `${limits[what]} ${what} at most`, abort: true });
export const probability = number('a probability from 0 to 1', (value) => value >= 0 && value <= 1);
export const weight = number('a weight above 0', (value) => value > 0);
export const seconds = number('a number of seconds, 0 or more', (value) => value >= 0);

const aDuration = 'a duration with its unit, such as 500ms, 30s, 5m, 1.5h or 2d';

/** Milliseconds. */
export const duration = z
  .string({ error: aDuration })
  .transform((given, context) => {
    const value = readDuration(given);
    if (value !== undefined) return value;
    context.issues.push({ code: 'custom', message: aDuration, input: given });
    return z.NEVER;
  })
  .refine((value) => value <= limits.duration, { error: 'a duration of 36500 days at most' });

/** Of something that happens again and again. */
export const period = duration.refine((value) => value >= 1, { error: 'a duration of 1ms or more' });

/** Text that `Resources.parse` takes; it stays text. */
export const resources = z.string({ error: 'resources such as "cpus:4;mem:8192"' }).transform((given, context) => {
  try {
    if (!Resources.parse(given).isEmpty) return given;
    context.issues.push({
      code: 'custom',
      message: 'resources that are not empty, such as "cpus:4;mem:8192"',
      input: given,
    });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    context.issues.push({ code: 'custom', message: `resources such as "cpus:4;mem:8192": ${why}`, input: given });
  }
  return z.NEVER;
});

export const role = z.string({ error: 'the name of a role' }).transform((given, context) => {
  const fault = roleFault(given);
  if (fault === undefined) return given;
  context.issues.push({ code: 'custom', message: `the name of a role: ${fault}`, input: given });
  return z.NEVER;
});

export const attributes = z.record(z.string(), z.string({ error: 'text' }), { error: 'a mapping of names to texts' });

/** A distribution of durations, in milliseconds. */
export const durations = distribution(`${aDuration}, and at most 36500d`, (given) => {
  const value = readDuration(given);
  return value !== undefined && value <= limits.duration ? value : undefined;
});

/** A distribution of numbers of tasks. */
export const counts = distribution(`a whole number from 1 to ${limits.tasks}`, (value) =>
  typeof value === 'number' && Number.isInteger(value) && value >= 1 && value <= limits.tasks ? value : undefined,
);

type ReadScalar = (value: unknown) => number | undefined;

function readDuration(value: unknown): number | undefined {
  if (typeof value !== 'string') return undefined;
  try {
    return parseDuration(value);
  } catch {
    return undefined;
  }
}

/** What a law is called, which further fields it has, and what it is read from. */
const laws = {
  uniform: { fields: [], form: '{ uniform: [from, to] }' },
  exponential: { fields: ['most'], form: '{ exponential: mean, most: … }' },
  lognormal: { fields: ['sigma', 'most'], form: '{ lognormal: median, sigma: …, most: … }' },
  pareto: { fields: ['alpha', 'most'], form: '{ pareto: least, alpha: …, most: … }' },
} as const;
type Law = keyof typeof laws;

const isLaw = (name: string): name is Law => Object.hasOwn(laws, name);

/** Thrown inside a distribution, at a path below it. */
class Fault {
  readonly path: readonly string[];
  readonly expected: string;
  readonly input: unknown;

  constructor(path: readonly string[], expected: string, input: unknown) {
    this.path = path;
    this.expected = expected;
    this.input = input;
  }
}

function distribution(expected: string, readScalar: ReadScalar): z.ZodType<Distribution> {
  return z.unknown().transform((given, context) => {
    try {
      return readDistribution(given, expected, readScalar);
    } catch (fault) {
      if (!(fault instanceof Fault)) throw fault;
      context.issues.push({ code: 'custom', path: [...fault.path], message: fault.expected, input: fault.input });
      return z.NEVER;
    }
  });
}

function readDistribution(given: unknown, expected: string, readScalar: ReadScalar): Distribution {
  const fixed = readScalar(given);
  if (fixed !== undefined) return { law: 'fixed', value: fixed };
  const forms = Object.values(laws)
    .map(({ form }) => form)
    .join(', ');
  if (typeof given !== 'object' || given === null) throw new Fault([], `${expected}, or one of ${forms}`, given);
  const fields: { readonly [name: string]: unknown } = { ...given };
  const law = Object.keys(fields).find(isLaw);
  if (law === undefined) throw new Fault([], `one of ${forms}`, given);
  for (const name of Object.keys(fields)) {
    if (name !== law && !laws[law].fields.some((field) => field === name)) {
      throw new Fault([name], `only the fields of ${laws[law].form}`, fields[name]);
    }
  }
  const scalar = (name: string): number => {
    const value = readScalar(fields[name]);
    if (value === undefined) throw new Fault([name], expected, fields[name]);
    return value;
  };
  const positive = (name: string): number => {
    const value = fields[name];
    if (typeof value === 'number' && value > 0) return value;
    throw new Fault(name in fields ? [name] : [], `${laws[law].form} with ${name} a number above 0`, value);
  };
  const most = 'most' in fields ? scalar('most') : undefined;
  switch (law) {
    case 'uniform': {
      const range: readonly unknown[] = Array.isArray(fields['uniform']) ? fields['uniform'] : [];
      const [from, to] = [readScalar(range[0]), readScalar(range[1])];
      if (range.length !== 2 || from === undefined || to === undefined || from > to) {
        throw new Fault([law], `[from, to], each ${expected}, the smaller one first`, fields[law]);
      }
      return { law, from, to };
    }
    case 'exponential':
      return { law, mean: scalar(law), most };
    case 'lognormal':
      return { law, median: scalar(law), sigma: positive('sigma'), most };
    case 'pareto':
      return { law, least: scalar(law), alpha: positive('alpha'), most };
  }
}
