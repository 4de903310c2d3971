import { startAgent } from '@mezzo/agent';
import { type Scheduler, startScheduler } from '@mezzo/frameworks';
import { type Master, startMaster } from '@mezzo/master';
import type { LocalPID } from '@mezzo/process';
import { type Script, Simulation } from '@mezzo/process/testing';

export interface ClusterOptions {
  /** The same seed gives the same history. */
  readonly seed: number;
  /** Weights of roles. Default: 1 for each. */
  readonly weights?: Readonly<Record<string, number>>;
}

const cluster = 'fair';

/** `sleep 20` ends after 20 s of virtual time, `sleep infinity` never. */
const sleeping: Script = ({ arguments: given }) => {
  const seconds = Number(/^sleep (.+)$/.exec(given.at(-1) ?? '')?.[1]);
  return Number.isFinite(seconds) ? { duration: seconds * 1000 } : {};
};

/** The shipping master, allocator, agents and scheduler drivers in one OS process under virtual time. */
export class SimulatedCluster implements AsyncDisposable {
  readonly world: Simulation;
  readonly master: LocalPID<Master>;
  #agents = 0;

  private constructor(world: Simulation, master: LocalPID<Master>) {
    this.world = world;
    this.master = master;
  }

  static async start({ seed, weights = {} }: ClusterOptions): Promise<SimulatedCluster> {
    const world = new Simulation({ seed, latency: [1, 5], script: sleeping });
    const { master } = startMaster(await world.start('master'), { cluster, weights });
    return new SimulatedCluster(world, master);
  }

  /** Adds a framework in the role of its name, and waits until it is subscribed. */
  async addFramework(name: string, scheduler: Scheduler): Promise<void> {
    let subscribed = false;
    const watched: Scheduler = {
      offers: (driver, offers) => scheduler.offers(driver, offers),
      update: (driver, status) => scheduler.update(driver, status),
      subscribed(driver, subscription) {
        subscribed = true;
        scheduler.subscribed?.(driver, subscription);
      },
    };
    startScheduler(await this.world.start(name), {
      cluster,
      framework: { name, roles: [name] },
      scheduler: watched,
    });
    if (!(await this.world.advanceUntil(() => subscribed, '1mins'))) throw new Error(`${name} was not subscribed`);
  }

  /** Adds agents, whose hostnames are `agent-0`, `agent-1` and so on; they register within the next second. */
  async addAgents(resources: readonly string[]): Promise<void> {
    for (const text of resources) {
      const name = `agent-${this.#agents++}`;
      startAgent(await this.world.start(name), { cluster, workDirectory: '/work', resources: text });
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.world[Symbol.asyncDispose]();
  }
}
