import type { Future } from '@mezzo/process';
import type { ArgumentOf, ResultOf, WorkerPool, WorkNames } from '@mezzo/process/pool';
import { expect } from 'chai';

import type * as work from './fixtures/work.ts';

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

interface Mixed {
  readonly constant: number;
  none(): string;
  maybe(argument?: number): Promise<string>;
  pair(a: number, b: number): number;
}

// These fail in the type check, not when run.
const argumentsAreInferred: Equal<ArgumentOf<typeof work, 'double'>, { readonly n: number }> = true;
const resultsAreInferred: Equal<ResultOf<typeof work, 'double'>, { readonly n: number }> = true;
const onlyFunctionsOfOneArgument: Equal<WorkNames<Mixed>, 'none' | 'maybe'> = true;

/** Never called. */
function uses(workers: WorkerPool<typeof work>, mixed: WorkerPool<Mixed>, unknown: WorkerPool): unknown[] {
  const results: [Future<number>, Future<{ readonly n: number }>, Future<string>, Future<string>, Future<unknown>] = [
    workers.offload('fibonacci', 10),
    workers.offload('double', { n: 1 }, { timeout: '1s' }),
    mixed.offload('none'),
    mixed.offload('maybe', undefined, { timeout: '1s' }),
    unknown.offload('anything', { at: 'all' }),
  ];
  return [
    results,
    // @ts-expect-error -- no such function
    workers.offload('fibonaci', 10),
    // @ts-expect-error -- not a function
    workers.offload('notAFunction'),
    // @ts-expect-error -- of another type
    workers.offload('fibonacci', 'ten'),
    // @ts-expect-error -- missing
    workers.offload('fibonacci'),
    // @ts-expect-error -- two arguments
    mixed.offload('pair', 1),
  ];
}

describe("a worker pool's types", () => {
  it('are those of the module', () => {
    expect([argumentsAreInferred, resultsAreInferred, onlyFunctionsOfOneArgument]).to.deep.equal([true, true, true]);
    expect(uses).to.be.a('function');
  });
});
