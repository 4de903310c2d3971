import { Future } from '../future/future.ts';
import type { Hardware, Loop, Platform } from '../platform/platform.ts';
import { SeededRandom } from './seeded-random.ts';
import { type Script, SimulatedChildren } from './simulated-children.ts';
import { SimulatedDisk } from './simulated-disk.ts';
import { SimulatedFiles } from './simulated-files.ts';
import { simulatedHardware } from './simulated-hardware.ts';
import type { Skew } from './skewed-clock.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** The simulated machine of one node: it outlives the node's crash and restart. Its own clock is true time. */
export class Machine implements Platform {
  readonly name: string;
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  readonly files: SimulatedFiles;
  readonly children: SimulatedChildren;
  readonly loop: Loop;
  readonly hardware: Hardware;
  readonly simulated = true;
  /** What the next node that starts here takes for the time; see Simulation.skew. */
  skew: Skew = {};

  constructor(name: string, seed: number, clock: VirtualClock, loop: Loop, script: Script) {
    this.name = name;
    this.clock = clock;
    this.loop = loop;
    this.random = new SeededRandom(`${seed} ${name}`);
    const chance = new SeededRandom(`${seed} ${name} disk`);
    this.files = new SimulatedFiles(clock, new SimulatedDisk(chance), chance);
    this.children = new SimulatedChildren(clock, this.files, script);
    const { disk } = this.files;
    this.hardware = { ...simulatedHardware, diskUsage: () => Future.ready(disk.used / disk.capacity) };
  }

  /** See SimulatedDisk: what it takes, holds, and refuses. */
  get disk(): SimulatedDisk {
    return this.files.disk;
  }

  /** Children end without a word, and the disk loses what was not synced. */
  losePower(): void {
    this.children.reboot();
    this.disk.losePower(this.clock.now());
  }
}
