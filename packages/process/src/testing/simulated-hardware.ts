import { Future } from '../future/future.ts';
import type { Hardware } from '../platform/platform.ts';

const gibibyte = 1024 ** 3;

/**
 * A calm machine that never changes: 8 cpus, 16 GiB of memory with half of it free, empty disks of 100 GiB, load averages of
 * 0.25, 0.5 and 1. How full a machine's own simulated disk is, `Machine` knows.
 */
export const simulatedHardware: Hardware = {
  cpus: 8,
  memory: 16 * gibibyte,
  disk: () => Future.ready(100 * gibibyte),
  diskUsage: () => Future.ready(0),
  freeMemory: () => 8 * gibibyte,
  load: () => ({ oneMinute: 0.25, fiveMinutes: 0.5, fifteenMinutes: 1 }),
};
