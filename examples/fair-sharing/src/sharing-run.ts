import { isDeepStrictEqual } from 'node:util';
import { GreedyFramework } from './greedy-framework.ts';
import { type Amounts, scaled, type SharingProblem, type Tasks, weightOf } from './sharing-problem.ts';
import { SimulatedCluster } from './simulated-cluster.ts';

export interface SharingRunOptions {
  /** Default 1. */
  readonly seed?: number;
  /** Agents of equal size that the capacity is cut into. Default 1, so that no room is lost between agents. */
  readonly agents?: number;
}

/** CPUs and GB as an agent's or a task's resources; thousandths are the finest there is. */
function resourcesOf([cpus = 0, gigabytes = 0]: Amounts): string {
  return `cpus:${cpus.toFixed(3)};mem:${(gigabytes * 1024).toFixed(3)}`;
}

/** Longer than any filter (5 s) and any wait for an allocation (1 s): who launched nothing in this time has nothing to launch. */
const quiet = '10s';

/**
 * Lets every user be a framework that wants as many tasks as it can get, on the shipping master, allocator and agents under
 * virtual time: the tasks that each has in the end. The capacity is CPUs and GB. Agents come one after the other, each
 * when those before it are full, because what is offered is not taken back: half a cluster offered to a user is launched
 * on, whatever the size of the tasks.
 */
export async function runSharing(
  { capacity, users }: SharingProblem,
  { seed = 1, agents = 1 }: SharingRunOptions = {},
): Promise<Tasks> {
  const weights = Object.fromEntries(users.map((user) => [user.name, weightOf(user)]));
  await using cluster = await SimulatedCluster.start({ seed, weights });
  const frameworks = users.map(({ name, demand }) => new GreedyFramework({ name, demand: resourcesOf(demand) }));
  for (const framework of frameworks) await cluster.addFramework(framework.name, framework);
  const tasks = (): Tasks => frameworks.map(({ running }) => running);
  const agent = resourcesOf(scaled(capacity, 1 / agents));
  for (let count = 0; count < agents; count++) {
    await cluster.addAgents([agent]);
    let before: Tasks;
    do {
      before = tasks();
      await cluster.world.advance(quiet);
    } while (!isDeepStrictEqual(before, tasks()));
  }
  return tasks();
}
