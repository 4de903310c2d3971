import { startAgent } from '@mezzo/agent';
import { Basket, type Scheduler, shellTask, startScheduler } from '@mezzo/frameworks';
import { startMaster } from '@mezzo/master';
import type { Duration } from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';
import { Resources } from '@mezzo/protocol';

export interface Experiment {
  /** The same seed gives the same history. */
  readonly seed: number;
  /** What each agent has. */
  readonly agents: readonly string[];
  /** What each task of a framework needs, by the framework's name; each launches as many as it is offered room for. */
  readonly demands: Readonly<Record<string, string>>;
  /** Virtual time that passes. */
  readonly time: Duration;
}

/** Runs a cluster of the shipping master and agents in virtual time; how many tasks each framework has got in the end. */
export async function runExperiment({ seed, agents, demands, time }: Experiment): Promise<Map<string, number>> {
  await using world = new Simulation({ seed, latency: [1, 5], script: () => ({}) });
  startMaster(await world.start('master'), { cluster: 'lab' });
  const tasks = new Map<string, number>();
  for (const [name, demand] of Object.entries(demands)) {
    const greedy: Scheduler = {
      offers(driver, offers) {
        for (const offer of offers) {
          // One task per offer, so that nobody takes what is free all at once.
          const resources = new Basket(offer).take(demand);
          const id = `${name}-${driver.now()}-${offer.id}`;
          driver.accept(
            offer,
            resources === undefined ? [] : [shellTask(offer, { id, command: 'sleep 1d', resources })],
            { refuseSeconds: 0 },
          );
        }
      },
      update: (_, { state }) => void (state === 'TASK_RUNNING' && tasks.set(name, (tasks.get(name) ?? 0) + 1)),
    };
    startScheduler(await world.start(name), { cluster: 'lab', framework: { name, roles: [name] }, scheduler: greedy });
  }
  for (const [index, resources] of agents.entries()) {
    startAgent(await world.start(`agent-${index}`), { cluster: 'lab', workDirectory: '/work', resources });
  }
  await world.advance(time);
  return tasks;
}

/** The largest part that a framework has of any one resource. */
export function dominantShare(demand: string, tasks: number, agents: readonly string[]): number {
  const total = Resources.sum(agents.map((resources) => Resources.parse(resources)));
  const shares = [...Resources.parse(demand).quantities].map(([name, amount]) => (amount * tasks) / total.scalar(name));
  return Math.max(...shares);
}
