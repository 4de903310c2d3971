import { SeededRandom } from '@mezzo/process/testing';
import { GreedyFramework } from './greedy-framework.ts';
import { PatientFramework } from './patient-framework.ts';
import { SimulatedCluster } from './simulated-cluster.ts';

export interface LocalityOptions {
  /** Default 1. */
  readonly seed?: number;
  /** Seconds for which a job insists on its data. */
  readonly delay: number;
  /** Seconds for which agents without it are declined. */
  readonly refuseSeconds: number;
}

export interface Locality {
  /** Part of the tasks that ran where their data is. */
  readonly local: number;
  /** Seconds from a job's arrival to its launch. */
  readonly meanWait: number;
  /** Offers declined per job. */
  readonly declined: number;
  /** Part of the slots in use, on average, while jobs arrived. */
  readonly busy: number;
}

/** The cluster: slots are CPUs. */
export const setting = {
  agents: 20,
  slots: 2,
  /** Agents that have a job's data: a tenth, the example of section 3.3 of the paper. */
  replicas: 2,
  jobs: 200,
  /** Seconds between jobs. */
  arrivals: 2,
  /** Frameworks that take every slot they are offered. */
  others: 3,
  /** Seconds that a task of theirs takes, shortest and longest; 20 on average. */
  task: [10, 30],
  /** Seconds that a job's task takes: all jobs together use less than a fair share. */
  jobTask: 5,
} as const;

const demand = 'cpus:1;mem:1024';
/** Seconds in which the others fill the cluster. */
const warmUp = 60;

/**
 * Small jobs come to a full cluster, where a slot is free now and then and seldom on an agent with a job's data. Their
 * framework has the smallest share, so that every slot is offered to it first. The shipping master, allocator and agents
 * under virtual time.
 */
export async function runLocality({ seed = 1, delay, refuseSeconds }: LocalityOptions): Promise<Locality> {
  await using cluster = await SimulatedCluster.start({ seed });
  const { world } = cluster;
  const names = Array.from({ length: setting.others }, (_, index) => `other-${index}`);
  const others = names.map((name) => {
    const random = new SeededRandom(`${seed} ${name}`);
    const [shortest, longest] = setting.task;
    const taskSeconds = (): number => shortest + (longest - shortest) * random.next();
    return new GreedyFramework({ name, demand, taskSeconds, tasksPerOffer: setting.slots });
  });
  for (const other of others) await cluster.addFramework(other.name, other);
  await cluster.addAgents(
    Array.from({ length: setting.agents }, () => `cpus:${setting.slots};mem:${setting.slots * 1024}`),
  );
  await world.advance(warmUp * 1000);

  const name = 'patient';
  const patient = new PatientFramework({ name, demand, taskSeconds: setting.jobTask, delay, refuseSeconds });
  await cluster.addFramework(name, patient);
  const random = new SeededRandom(`${seed} jobs`);
  let inUse = 0;
  const duration = setting.jobs * setting.arrivals;
  for (let second = 0; second < duration; second++) {
    if (second % setting.arrivals === 0) patient.submit({ arrived: world.clock.now(), data: someAgents(random) });
    await world.advance('1s');
    inUse += [patient, ...others].reduce((sum, { running }) => sum + running, 0);
  }
  if (!(await world.advanceUntil(() => patient.waiting === 0, '10mins'))) {
    throw new Error(`${patient.waiting} jobs were not launched within 10 minutes of the last one's arrival`);
  }
  const { waits, local, declined } = patient;
  return {
    local: local / waits.length,
    meanWait: waits.reduce((sum, wait) => sum + wait, 0) / waits.length,
    declined: declined / waits.length,
    busy: inUse / duration / (setting.agents * setting.slots),
  };
}

/** Hostnames, each set as likely as any other. */
function someAgents(random: SeededRandom): ReadonlySet<string> {
  const chosen = new Set<string>();
  while (chosen.size < setting.replicas) chosen.add(`agent-${Math.floor(random.next() * setting.agents)}`);
  return chosen;
}
