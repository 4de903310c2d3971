import { dominantShare, type Experiment, runExperiment } from './allocator-lab.ts';

// The example of the paper on dominant resource fairness (Ghodsi and others, 2011): 9 CPUs and 18 GB in all.
const agents = ['cpus:9;mem:18432'];
const demands = { a: 'cpus:1;mem:4096', b: 'cpus:3;mem:1024' };
const experiment: Experiment = { seed: 1, agents, demands, time: '1mins' };

const tasks = await runExperiment(experiment);
for (const [name, demand] of Object.entries(demands)) {
  const count = tasks.get(name) ?? 0;
  console.log(
    `${name}  ${demand.padEnd(16)}  ${count} tasks  dominant share ${(100 * dominantShare(demand, count, agents)).toFixed(0)} %`,
  );
}
