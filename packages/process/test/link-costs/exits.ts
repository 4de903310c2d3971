import { type PID, Process, type Runtime } from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';

import type { Work } from './work.ts';

/** Idle, but for its links. */
class Idle extends Process {
  exits = 0;
  readonly #links: readonly PID[];

  constructor(id: string, ...links: PID[]) {
    super(id);
    this.#links = links;
  }

  protected override initialize(): void {
    for (const pid of this.#links) this.link(pid);
  }

  protected override exited(): void {
    this.exits++;
  }

  linkAll(pids: readonly PID[]): void {
    for (const pid of pids) this.link(pid);
  }
}

/** Blocks of code that ran, and words of an exit that a process heard: both for each exit. */
export interface Cost {
  readonly work: number;
  readonly heard: number;
}

/** A hub and many idle processes, each linked to the other; the hub on the same node or on another one. */
class World {
  readonly simulation = new Simulation();
  readonly hub = new Idle('hub');
  readonly idle: Idle[] = [];
  readonly #runtimes: readonly Runtime[];

  private constructor(runtimes: readonly Runtime[]) {
    this.#runtimes = runtimes;
  }

  static async make(count: number, far: boolean): Promise<World> {
    const runtimes: Runtime[] = [];
    const world = new World(runtimes);
    const { simulation, hub, idle } = world;
    // Heartbeats of the virtual hour would count as well.
    const patient = { heartbeatInterval: '10hrs', linkTimeout: '100hrs' } as const;
    const here = await simulation.start('here', patient);
    const there = far ? await simulation.start('there', patient) : here;
    runtimes.push(here, ...(far ? [there] : []));
    const hubPid = there.spawn(hub);
    for (let n = 0; n < count; n++) {
      const process = new Idle(`p${n}`, here.pid(`hub@${there.name}`));
      here.spawn(process);
      idle.push(process);
    }
    await simulation.advance('1s');
    void there.dispatch(
      hubPid,
      'linkAll',
      idle.map(({ cell: { id } }) => there.pid(`${id}@here`)),
    );
    await simulation.advance('1s');
    if (hub.cell.linkers?.size !== count || hub.cell.links?.size !== count) throw new Error('not all are linked');
    return world;
  }

  async end(...processes: readonly Idle[]): Promise<void> {
    for (const { cell } of processes) cell.runtime.terminate(cell.pid);
    await this.simulation.settle();
  }

  async stop(): Promise<void> {
    for (const runtime of this.#runtimes) {
      const stopped = runtime.stop();
      await this.simulation.advanceUntil(() => !stopped.isPending, '1hrs');
    }
  }

  get heard(): number {
    return this.idle.reduce((sum, { exits }) => sum + exits, this.hub.exits);
  }
}

type Act = (world: World) => Promise<number>;

/** What is measured: gives how many exits that were. */
export const acts = {
  'some that are linked to it end': async (world: World): Promise<number> => {
    await world.end(...world.idle.slice(0, 500));
    return 500;
  },
  'it ends': async (world: World): Promise<number> => {
    await world.end(world.hub);
    // Each of those linked to it is told.
    return world.idle.length;
  },
  'all stop': async (world: World): Promise<number> => {
    await world.stop();
    return world.idle.length;
  },
} satisfies Record<string, Act>;

export async function costOf(act: keyof typeof acts, count: number, far: boolean, work: Work): Promise<Cost> {
  const world = await World.make(count, far);
  await work.done();
  const exits = await acts[act](world);
  const done = await work.done();
  const { heard } = world;
  world.simulation.abandon();
  return { work: done / exits, heard: heard / exits };
}
