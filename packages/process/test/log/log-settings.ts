import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Future, nodePlatform, ProcessError } from '@mezzo/process';
import { fileLog, LogServer, memoryLog, MemoryLogStore, remoteLog } from '@mezzo/process/log';
import { type LogStorage, Simulation } from '@mezzo/process/testing';

/** A storage, and how to get rid of it. */
export interface LogSetting extends AsyncDisposable {
  readonly storage: LogStorage;
}

export const bytes = (...values: readonly number[]): Uint8Array => Uint8Array.from(values);

/** What a future comes to while the world goes on. */
export async function outcome<T>(world: Simulation, future: Future<T>): Promise<T> {
  await world.advanceUntil(() => !future.isPending, '1mins');
  return await future;
}

/** The value, or the code of the failure. */
export async function codeOf<T>(future: PromiseLike<T>): Promise<T | string> {
  try {
    return await future;
  } catch (error) {
    if (error instanceof ProcessError) return error.code;
    throw error;
  }
}

export async function memorySetting(): Promise<LogSetting> {
  const store = new MemoryLogStore();
  return { storage: { open: () => memoryLog(store) }, async [Symbol.asyncDispose]() {} };
}

export async function fileSetting(): Promise<LogSetting> {
  const folder = await mkdtemp(join(tmpdir(), 'mezzo-log-'));
  const { files } = nodePlatform();
  return {
    storage: { open: () => fileLog(files, join(folder, 'deep/log')) },
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

export async function simulatedFileSetting(): Promise<LogSetting> {
  const world = new Simulation();
  const { files } = await world.start('here');
  world.machine('here').disk.latency = [0, 5];
  return {
    storage: { open: () => fileLog(files, '/var/log'), outcome: (future) => outcome(world, future) },
    [Symbol.asyncDispose]: () => world.stop(),
  };
}

export async function remoteSetting(): Promise<LogSetting> {
  const world = new Simulation({ latency: [1, 20] });
  const store = new MemoryLogStore();
  await world.start('store', { boot: (runtime) => void runtime.spawn(new LogServer(memoryLog(store))) });
  let writers = 0;
  const runtimes = [await world.start('one'), await world.start('two'), await world.start('three')];
  return {
    storage: {
      open() {
        const runtime = runtimes[writers++ % runtimes.length] ?? runtimes[0];
        if (runtime === undefined) throw new Error('no node');
        return remoteLog(runtime, runtime.pid('log@store'));
      },
      outcome: (future) => outcome(world, future),
    },
    [Symbol.asyncDispose]: () => world.stop(),
  };
}
