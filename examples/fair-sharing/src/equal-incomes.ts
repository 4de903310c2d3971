import { scaled, type SharingProblem, type Tasks, usage, weightOf } from './sharing-problem.ts';

/** How far above 1 the largest ratio of what is wanted to what there is may stay. */
const tolerance = 1e-10;
/** A guard. */
const longestHaggling = 1_000_000;

export interface Equilibrium {
  readonly tasks: Tasks;
  /** What a unit of each resource costs, when all users together own 1. */
  readonly prices: readonly number[];
}

/**
 * Competitive equilibrium from equal incomes. Every user gets an equal part of the resources to trade; in the end prices
 * are such that each buys what it likes best and nothing is left over that is worth anything. For users of tasks this is
 * the division that maximises the product of the numbers of tasks (Nash's bargaining solution; with weights, powers of
 * them), which has one solution, but in general no closed form.
 *
 * It is found as a market finds it: every user spends all it has on whole sets of what a task needs, and then the price of
 * each resource changes by the ratio of what is wanted of it to what there is. The maximum of the product is reached
 * when no ratio is above 1; until then the largest ratio bounds how far the product is from it (Cover's algorithm for
 * the dual problem, which comes nearer with each round).
 *
 * @throws Error if a market has so many nearly equal solutions that the prices do not settle
 */
export function equalIncomes(problem: SharingProblem): Equilibrium {
  const { capacity, users } = problem;
  const weights = users.map(weightOf);
  const wealth = weights.reduce((sum, weight) => sum + weight, 0);
  let prices = capacity.map((total) => 1 / total / capacity.length);
  for (let round = 0; round < longestHaggling; round++) {
    const tasks = users.map(({ demand }, user) => {
      const cost = demand.reduce((sum, need, resource) => sum + need * (prices[resource] ?? 0), 0);
      return (weights[user] ?? 0) / wealth / cost;
    });
    const ratios = usage(problem, tasks).map((wanted, resource) => wanted / (capacity[resource] ?? 0));
    const largest = Math.max(...ratios);
    if (largest <= 1 + tolerance) return { tasks: scaled(tasks, 1 / Math.max(1, largest)), prices };
    prices = prices.map((price, resource) => price * (ratios[resource] ?? 0));
  }
  throw new Error(`The prices for ${users.length} users have not settled after ${longestHaggling} rounds`);
}
