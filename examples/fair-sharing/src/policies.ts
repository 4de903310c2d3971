import { equalIncomes } from './equal-incomes.ts';
import { fillEvenly } from './progressive-filling.ts';
import { assetPart, dominantPart, type SharingProblem, type Tasks } from './sharing-problem.ts';

export type Policy = (problem: SharingProblem) => Tasks;

/** Equal dominant shares (Ghodsi and others, NSDI 2011, section 4). */
export const dominantResourceFairness: Policy = (problem) => fillEvenly(problem, dominantPart);

/** Equal sums of the parts of all resources (section 5.1). */
export const assetFairness: Policy = (problem) => fillEvenly(problem, assetPart);

/** The largest product of tasks (section 5.2). */
export const competitiveEquilibrium: Policy = (problem) => equalIncomes(problem).tasks;

/** The policies that the paper compares, by the names it gives them. */
export const policies: Readonly<Record<'DRF' | 'asset fairness' | 'CEEI', Policy>> = {
  DRF: dominantResourceFairness,
  'asset fairness': assetFairness,
  CEEI: competitiveEquilibrium,
};
