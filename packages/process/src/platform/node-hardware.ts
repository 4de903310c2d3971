import { statfs } from 'node:fs/promises';
import { availableParallelism, freemem, loadavg, totalmem } from 'node:os';
import { Future } from '../future/future.ts';
import type { Hardware } from './platform.ts';

/** The machine this OS process runs on. */
export function nodeHardware(): Hardware {
  return {
    cpus: availableParallelism(),
    memory: totalmem(),
    disk: (folder) => Future.from(statfs(folder).then(({ blocks, bsize }) => blocks * bsize)),
    diskUsage: (folder) =>
      Future.from(
        statfs(folder).then(({ blocks, bfree, bavail }) => {
          const used = blocks - bfree;
          return used === 0 ? 0 : used / (used + bavail);
        }),
      ),
    freeMemory: freemem,
    load() {
      const [oneMinute = 0, fiveMinutes = 0, fifteenMinutes = 0] = loadavg();
      return { oneMinute, fiveMinutes, fifteenMinutes };
    },
  };
}
