import { nodeChildren } from './node-children.ts';
import { nodeClock } from './node-clock.ts';
import { nodeFiles } from './node-files.ts';
import { nodeRandom } from './node-random.ts';
import type { Platform } from './platform.ts';

/** The real world: one clock per platform, Node's random, files and child processes. */
export function nodePlatform(): Platform {
  return {
    clock: nodeClock(),
    random: nodeRandom(),
    files: nodeFiles(),
    children: nodeChildren(),
    loop: { microtask: queueMicrotask, macrotask: (run) => void setImmediate(run) },
    simulated: false,
  };
}
