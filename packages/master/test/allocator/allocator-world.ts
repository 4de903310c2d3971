import type { PID, Runtime } from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';
import { HierarchicalAllocator, type HierarchicalAllocatorOptions } from '@mezzo/master';
import { FakeMaster } from './fake-master.ts';

/** An allocator and its master alone in the world. */
export class AllocatorWorld implements AsyncDisposable {
  readonly world: Simulation;
  readonly master: FakeMaster;
  readonly allocator: PID;
  readonly runtime: Runtime;

  private constructor(world: Simulation, master: FakeMaster, allocator: PID, runtime: Runtime) {
    this.allocator = allocator;
    this.runtime = runtime;
    this.world = world;
    this.master = master;
  }

  static async start(options: HierarchicalAllocatorOptions & { readonly seed?: number } = {}): Promise<AllocatorWorld> {
    const world = new Simulation({ seed: options.seed ?? 1 });
    const runtime = await world.start('node');
    const allocator = runtime.spawn(new HierarchicalAllocator(options));
    const master = new FakeMaster(allocator);
    runtime.spawn(master);
    await world.settle();
    return new AllocatorWorld(world, master, allocator, runtime);
  }

  /** All metrics that there are, after what has been said is done. */
  async metrics(): Promise<ReadonlyMap<string, number>> {
    await this.world.settle();
    const snapshot = this.runtime.metrics.snapshot();
    await this.world.settle();
    return snapshot.get();
  }

  /** One of the allocator's, by its name without `allocator/mesos/`. */
  async metric(name: string): Promise<number | undefined> {
    return (await this.metrics()).get(`allocator/mesos/${name}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.world.stop();
  }
}
