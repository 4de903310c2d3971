import type { Policy } from './policies.ts';
import { type Amounts, scaled, type SharingProblem, type Tasks, tasksIn, usage, weightOf } from './sharing-problem.ts';

// The properties of section 3 of Ghodsi and others, NSDI 2011.

/** Differences below this part of a task are rounding. */
const rounding = 1e-6;
const above = (one: number, other: number): boolean => one > other * (1 + rounding) + rounding;

/** Tasks that each user would run alone on its part of every resource: 1/n, or as the weights say. */
export function tasksOnOwnPart({ capacity, users }: SharingProblem): Tasks {
  const all = users.reduce((sum, user) => sum + weightOf(user), 0);
  return users.map((user) => tasksIn(scaled(capacity, weightOf(user) / all), user.demand));
}

/** Sharing incentive: names of the users who would run more on a part of their own. */
export function worseOffThanAlone(problem: SharingProblem, tasks: Tasks): readonly string[] {
  const alone = tasksOnOwnPart(problem);
  return problem.users.flatMap(({ name }, user) => (above(alone[user] ?? 0, tasks[user] ?? 0) ? [name] : []));
}

/** Envy-freeness: pairs of whom envies and who is envied, because of what it has, for its weight. */
export function envies({ users }: SharingProblem, tasks: Tasks): readonly (readonly [string, string])[] {
  return users.flatMap((one, i) =>
    users.flatMap((other, j) => {
      const theirs = scaled(other.demand, ((tasks[j] ?? 0) * weightOf(one)) / weightOf(other));
      return above(tasksIn(theirs, one.demand), tasks[i] ?? 0) ? [[one.name, other.name] as const] : [];
    }),
  );
}

/** Pareto efficiency: names of the users who could run more without a loss for anybody, as what they need is free. */
export function couldRunMore(problem: SharingProblem, tasks: Tasks): readonly string[] {
  const used = usage(problem, tasks);
  const free = problem.capacity.map((total, resource) => total - (used[resource] ?? 0));
  return problem.users.filter(({ demand }) => above(tasksIn(free, demand), 0)).map(({ name }) => name);
}

/** Strategy-proofness: the tasks that a user runs, by its true demand, with what it gets for claiming another one. */
export function tasksWhenClaiming(policy: Policy, problem: SharingProblem, name: string, claim: Amounts): number {
  const users = problem.users.map((user) => (user.name === name ? { ...user, demand: claim } : user));
  const index = users.findIndex((user) => user.name === name);
  const truth = problem.users[index]?.demand;
  if (truth === undefined) throw new Error(`No user '${name}' among ${users.map((user) => user.name).join(', ')}`);
  const tasks = policy({ ...problem, users });
  return tasksIn(scaled(claim, tasks[index] ?? 0), truth);
}
