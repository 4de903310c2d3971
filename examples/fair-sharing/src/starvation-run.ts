import { dispatch } from '@mezzo/process';
import { SeededRandom } from '@mezzo/process/testing';
import { GreedyFramework } from './greedy-framework.ts';
import { SimulatedCluster } from './simulated-cluster.ts';

export interface StarvationOptions {
  /** Default 1. */
  readonly seed?: number;
  /** Whether the role of the framework that needs whole agents is guaranteed one of them. */
  readonly quota: boolean;
  /** Seconds of virtual time after which nobody waits any longer. */
  readonly patience: number;
}

export interface Starvation {
  /** Seconds until the large task was launched; undefined if it was not. */
  readonly served: number | undefined;
  /** Tasks that the frameworks of small tasks had running at the end. */
  readonly small: number;
}

const agent = 'cpus:8;mem:8192';
const agents = 2;
/** Frameworks of small tasks, eight of which fill an agent. */
const smallFrameworks = 4;
const small = 'cpus:1;mem:1024';
/** Seconds that small tasks take, shortest and longest. */
const [shortest, longest] = [30, 90];
/** Seconds in which the small tasks fill the cluster. */
const warmUp = 300;

/**
 * A framework whose tasks fill an agent comes to a cluster full of small tasks. It has the smallest share, so all that gets
 * free is offered to it first; but that is one small piece at a time, which it must decline, and then others take it. The
 * shipping master, allocator and agents under virtual time.
 */
export async function runStarvation({ seed = 1, quota, patience }: StarvationOptions): Promise<Starvation> {
  await using cluster = await SimulatedCluster.start({ seed });
  const { world, master } = cluster;
  const others = Array.from({ length: smallFrameworks }, (_, index) => {
    const name = `small-${index}`;
    const random = new SeededRandom(`${seed} ${name}`);
    const taskSeconds = (): number => shortest + (longest - shortest) * random.next();
    return new GreedyFramework({ name, demand: small, taskSeconds, tasksPerOffer: 8 });
  });
  for (const other of others) await cluster.addFramework(other.name, other);
  await cluster.addAgents(Array.from({ length: agents }, () => agent));
  await world.advance(warmUp * 1000);

  if (quota) {
    const set = dispatch(master, (process) => process.operator.setQuotas({ large: { guarantees: agent, limits: '' } }));
    await world.settle();
    set.get();
  }
  const large = new GreedyFramework({ name: 'large', demand: agent });
  await cluster.addFramework(large.name, large);
  const arrived = world.clock.now();
  const served = await world.advanceUntil(() => large.running > 0, patience * 1000);
  return {
    served: served ? (world.clock.now() - arrived) / 1000 : undefined,
    small: others.reduce((sum, { running }) => sum + running, 0),
  };
}
