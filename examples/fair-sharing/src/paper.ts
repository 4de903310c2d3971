import type { Amounts, SharingProblem } from './sharing-problem.ts';

// A. Ghodsi, M. Zaharia, B. Hindman, A. Konwinski, S. Shenker, I. Stoica: Dominant Resource Fairness: Fair Allocation of
// Multiple Resource Types, NSDI 2011.

/** Section 4.1, also compared in sections 5.1 to 5.3: 9 CPUs and 18 GB. */
export const workedExample: SharingProblem = {
  capacity: [9, 18],
  users: [
    { name: 'A', demand: [1, 4] },
    { name: 'B', demand: [3, 1] },
  ],
};

/**
 * Section 4.3 gives the rule for weights but no numbers. The worked example with B entitled to twice as much, and ten
 * times the cluster, so that tasks come out whole.
 */
export const weightedExample: SharingProblem = {
  capacity: [90, 180],
  users: [
    { name: 'A', demand: [1, 4] },
    { name: 'B', demand: [3, 1], weight: 2 },
  ],
};

/** Section 6.1.1: why asset fairness gives no incentive to share. */
export const assetExample: SharingProblem = {
  capacity: [30, 30],
  users: [
    { name: '1', demand: [1, 3] },
    { name: '2', demand: [1, 1] },
  ],
};

/** Section 6.1.2: where lying pays under CEEI. */
export const lyingExample: SharingProblem & { readonly liar: string; readonly claim: Amounts } = {
  capacity: [100, 100],
  users: [
    { name: '1', demand: [16, 1] },
    { name: '2', demand: [1, 2] },
  ],
  liar: '1',
  claim: [16, 8],
};
