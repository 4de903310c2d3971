import { type Event, type PID, ProcessError, type Runtime } from '@mezzo/process';
import type { FencedLog } from '@mezzo/process/log';
import { agentMessages, allocatorMessages, schedulerMessages } from '@mezzo/protocol';

/** Bugs that can be planted into a cluster, to see that its laws find them. */
export const plantNames = ['skipped-ack', 'double-recover', 'stale-leader-write', 'lost-rescind', 'reused-id'] as const;
export type Plant = (typeof plantNames)[number];

export function isPlant(name: string): name is Plant {
  return plantNames.some((known) => known === name);
}

/** Where a bug sits: what runs on a node goes wrong in this way. All that is planted is around the processes that ship. */
export function plantAgent(plant: Plant | undefined, runtime: Runtime): void {
  if (plant !== 'skipped-ack') return;
  // The acknowledgements of some tasks are not carried out.
  runtime.interceptor = (event) =>
    event.name === agentMessages.AcknowledgeStatusUpdate.name && taskOf(event).endsWith('7') ? 'drop' : 'serve';
}

export function plantMaster(plant: Plant | undefined, runtime: Runtime): void {
  if (plant !== 'double-recover') return;
  const repeated = new WeakSet<Event>();
  let count = 0;
  // Every tenth time, what comes back to the allocator comes back once more.
  runtime.interceptor = (event: Event, to: PID) => {
    if (event.name !== allocatorMessages.RecoverResources.name || repeated.has(event)) return 'serve';
    if (++count % 10 !== 0) return 'serve';
    repeated.add(event);
    to.receiver?.accept(event);
    return 'serve';
  };
}

export function plantFramework(plant: Plant | undefined, runtime: Runtime): void {
  if (plant !== 'lost-rescind') return;
  let count = 0;
  runtime.interceptor = (event) =>
    event.name === schedulerMessages.Rescind.name && ++count % 3 === 0 ? 'drop' : 'serve';
}

/** The log of the registry. */
export function plantLog(plant: Plant | undefined, log: FencedLog): FencedLog {
  return plant === 'stale-leader-write' ? new OpenLog(log) : log;
}

function taskOf({ body }: Event): string {
  return typeof body === 'object' && body !== null && 'taskId' in body ? String(body.taskId) : '';
}

/** Takes what anybody writes, whoever has written since. */
class OpenLog implements FencedLog {
  readonly #log: FencedLog;

  constructor(log: FencedLog) {
    this.#log = log;
  }

  read(): ReturnType<FencedLog['read']> {
    return this.#log.read();
  }

  append(expected: number, records: readonly Uint8Array[]): ReturnType<FencedLog['append']> {
    return this.#log.append(expected, records).repair((failed) => {
      const error = failed.failure();
      if (!(error instanceof ProcessError) || error.code !== 'LOG_FENCED') return failed;
      return this.#log.read().andThen(({ last }) => this.#log.append(last, records));
    });
  }

  snapshot(expected: number, state: Uint8Array): ReturnType<FencedLog['snapshot']> {
    return this.#log.snapshot(expected, state);
  }

  close(): ReturnType<FencedLog['close']> {
    return this.#log.close();
  }
}
