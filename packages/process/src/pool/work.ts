import { type CarriedError, carry } from './carried-error.ts';

/** One call of a function that a module exports. */
export interface Call {
  /** URL of the module. */
  readonly module: string;
  /** Without a name the module is loaded only. */
  readonly name: string | undefined;
  readonly argument: unknown;
}

export type Outcome =
  | { readonly kind: 'done'; readonly value: unknown }
  | { readonly kind: 'threw'; readonly error: CarriedError }
  | { readonly kind: 'unloadable'; readonly error: CarriedError }
  /** What it returned cannot go to another thread. */
  | { readonly kind: 'unclonable'; readonly error: CarriedError }
  /** The module exports no function of that name, but these. */
  | { readonly kind: 'missing'; readonly known: readonly string[] };

/** What worker threads run: tinypool imports this file there. Never rejects, so that whatever does is a crash. */
export async function perform({ module, name, argument }: Call): Promise<Outcome> {
  let loaded: object;
  try {
    loaded = (await import(module)) as object;
  } catch (error) {
    return { kind: 'unloadable', error: carry(error) };
  }
  return name === undefined ? { kind: 'done', value: undefined } : callWork(loaded, name, argument);
}

export async function callWork(module: object, name: string, argument: unknown): Promise<Outcome> {
  const work: unknown = Reflect.get(module, name);
  if (typeof work !== 'function') {
    const known = Object.keys(module).filter((key) => typeof Reflect.get(module, key) === 'function');
    return { kind: 'missing', known };
  }
  let value: unknown;
  try {
    value = await Reflect.apply(work, undefined, [argument]);
  } catch (error) {
    return { kind: 'threw', error: carry(error) };
  }
  try {
    // Also in a thread, from which it is cloned anyway: there it would fail too late, and take the thread with it.
    return { kind: 'done', value: structuredClone(value) };
  } catch (error) {
    return { kind: 'unclonable', error: carry(error) };
  }
}
