import { Work } from './work.ts';

// Only what is compiled from now on is counted.
const work = new Work();
await work.begin();
const { acts, costOf } = await import('./exits.ts');

const measured = [];
for (const far of [false, true]) {
  for (const act of Object.keys(acts) as (keyof typeof acts)[]) {
    const costs = [];
    for (const count of [1000, 100_000]) costs.push(await costOf(act, count, far, work));
    measured.push({ what: `${act}, ${far ? 'at two nodes' : 'at one node'}`, costs });
  }
}
process.send?.(measured);
process.disconnect?.();
