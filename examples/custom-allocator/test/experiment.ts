import { startAgent } from '@mezzo/agent';
import { Basket, type Scheduler, shellTask, startScheduler } from '@mezzo/frameworks';
import { startMaster, type StartMasterOptions } from '@mezzo/master';
import { Simulation } from '@mezzo/process/testing';

export interface Experiment extends Pick<StartMasterOptions, 'allocator' | 'roleSorter'> {
  readonly seed?: number;
  /** How many agents there are, and what each has. */
  readonly agents: readonly [number, string];
  /**
   * By framework, which is its own role: how many tasks it launches, one with each message of offers, what each needs, and
   * the second in which it comes. Default: at once.
   */
  readonly frameworks: Readonly<
    Record<string, { readonly tasks: number; readonly demand: string; readonly comesAt?: number }>
  >;
  /** Seconds that pass. */
  readonly time: number;
}

/** Which agents each framework's tasks got, in order. */
export type Placed = ReadonlyMap<string, readonly string[]>;

/** The shipping master, agents and drivers in virtual time; tasks never end. */
export async function run(experiment: Experiment): Promise<Placed> {
  const { seed = 1, agents, frameworks, time, ...allocation } = experiment;
  await using world = new Simulation({ seed, script: () => ({}) });
  startMaster(await world.start('master'), { cluster: 'example', ...allocation });
  const [count, resources] = agents;
  for (let number = 1; number <= count; number++) {
    const hostname = `agent-${number}`;
    startAgent(await world.start(hostname), { cluster: 'example', hostname, workDirectory: '/work', resources });
  }
  await world.advance('5s');
  const placed = new Map<string, string[]>();
  for (const [name, { tasks, demand, comesAt = 0 }] of Object.entries(frameworks)) {
    const hosts: string[] = [];
    placed.set(name, hosts);
    const scheduler: Scheduler = {
      offers(driver, offers) {
        let isDone = hosts.length >= tasks;
        for (const offer of offers) {
          const resources = isDone ? undefined : new Basket(offer).take(demand);
          const id = `${name}-${hosts.length}`;
          const launched = resources === undefined ? [] : [shellTask(offer, { id, command: 'sleep 1d', resources })];
          if (resources !== undefined) {
            hosts.push(offer.hostname);
            isDone = true;
          }
          // Who wants more wants to be asked again.
          driver.accept(offer, launched, { refuseSeconds: hosts.length < tasks ? 0 : 3600 });
        }
      },
      update: () => undefined,
    };
    await world.advance(comesAt * 1000);
    startScheduler(await world.start(name), { cluster: 'example', framework: { name, roles: [name] }, scheduler });
  }
  await world.advance(time * 1000);
  return placed;
}
