import fc from 'fast-check';
import type { SharingProblem } from '../src/sharing-problem.ts';

export interface Bounds {
  /** The least that a task needs of each resource. Default 1. */
  readonly least?: number;
  readonly weighted?: boolean;
}

/** Small clusters of CPUs and GB with two to four users, `u0`, `u1` and so on. */
export function sharingProblems({ least = 1, weighted = false }: Bounds = {}): fc.Arbitrary<SharingProblem> {
  const capacity = fc.tuple(fc.integer({ min: 5, max: 40 }), fc.integer({ min: 5, max: 40 }));
  const demand = fc
    .tuple(fc.integer({ min: least, max: 6 }), fc.integer({ min: least, max: 6 }))
    .filter((needs) => needs.some((need) => need > 0));
  const weight = weighted ? fc.integer({ min: 1, max: 3 }) : fc.constant(1);
  const users = fc
    .array(fc.record({ demand, weight }), { minLength: 2, maxLength: 4 })
    .map((all) => all.map((user, index) => ({ ...user, name: `u${index}` })));
  return fc.record({ capacity, users });
}
