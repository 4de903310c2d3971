import { nodeChildren } from './node-children.ts';
import { nodeClock } from './node-clock.ts';
import { nodeFiles } from './node-files.ts';
import { nodeHardware } from './node-hardware.ts';
import { nodeRandom } from './node-random.ts';
import type { Platform } from './platform.ts';

/** `queueMicrotask` does the same, but makes an asynchronous resource for each. */
const soon = Promise.resolve();

/** The real world: one clock per platform, Node's random, files, child processes and hardware. */
export function nodePlatform(): Platform {
  return {
    clock: nodeClock(),
    random: nodeRandom(),
    files: nodeFiles(),
    children: nodeChildren(),
    hardware: nodeHardware(),
    loop: { microtask: (run) => void soon.then(run), macrotask: (run) => void setImmediate(run) },
    simulated: false,
  };
}
