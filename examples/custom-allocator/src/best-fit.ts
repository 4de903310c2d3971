import { type AllocatorFactory, type Candidate, HierarchicalAllocator, type Placement } from '@mezzo/master';

/** The largest part that is free of any of the agent's resources: 1 for an empty agent, near 0 for a full one. */
function freePart({ available, total }: Candidate): number {
  let part = 0;
  const free = available.quantities;
  for (const [name, amount] of total.quantities) part = Math.max(part, free.get(name) / amount);
  return part;
}

/**
 * Offers the fullest agents first. Frameworks look at their offers in the order in which they come, so small tasks fill up what
 * is begun, and agents stay whole for tasks that need all of one. Mesos, which shuffles its agents, spreads tasks instead: better
 * where a machine that dies should take few tasks of a framework with it, worse for whoever needs whole machines.
 */
export const bestFit: Placement = (candidates) =>
  // Measured once for each: a comparison would measure both sides again and again.
  candidates
    .map((candidate) => ({ candidate, part: freePart(candidate) }))
    .sort((a, b) => a.part - b.part)
    .map(({ candidate }) => candidate);

/** Mezzo's own allocator with that policy, to be given as `--allocator ./best-fit.js`. Sorters and quota are as ever. */
const bestFitAllocator: AllocatorFactory = (options) => new HierarchicalAllocator({ ...options, placement: bestFit });

export default bestFitAllocator;
