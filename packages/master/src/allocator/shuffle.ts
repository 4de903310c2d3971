import type { Random } from '@mezzo/process';

/** A shuffled copy (Fisher and Yates). */
export function shuffled<T>(items: Iterable<T>, random: Random): T[] {
  const result = [...items];
  for (let last = result.length - 1; last > 0; last--) {
    const picked = Math.floor(random.next() * (last + 1));
    const moved = result[last];
    const taken = result[picked];
    if (moved !== undefined && taken !== undefined) {
      result[last] = taken;
      result[picked] = moved;
    }
  }
  return result;
}
