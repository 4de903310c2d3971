import type { SpawnOptions } from '@mezzo/process/pool';

/** Node's options for worker threads that run TypeScript against the source. */
export const execArgv = [
  '--import',
  new URL('./fixtures/typescript-in-threads.mjs', import.meta.url).href,
  '--conditions=mezzo:source',
];

export function fixture(name: string): URL {
  return new URL(`./fixtures/${name}`, import.meta.url);
}

export function spawnOptions(name: string, workerData: Readonly<Record<string, unknown>> = {}): SpawnOptions {
  return { name, workerData, execArgv };
}
