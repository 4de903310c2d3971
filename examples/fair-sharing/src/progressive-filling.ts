import { type Amounts, dominantPart, type SharingProblem, type Tasks, usage, weightOf } from './sharing-problem.ts';

/** What one task adds to the share that a policy holds equal. */
export type ShareOfTask = (demand: Amounts, capacity: Amounts) => number;

/** Free amounts below this part of a resource are what rounding has left. */
const nothing = 1e-12;

/**
 * Resources that can be divided at will: the weighted shares of all users grow together until a resource is used up; who
 * needs that one stops there, and the others go on.
 */
export function fillEvenly({ capacity, users }: SharingProblem, shareOfTask: ShareOfTask): Tasks {
  const tasks = users.map(() => 0);
  let free = capacity;
  let growing = users;
  while (growing.length > 0) {
    const rates = users.map((user) =>
      growing.includes(user) ? weightOf(user) / shareOfTask(user.demand, capacity) : 0,
    );
    const used = usage({ capacity, users }, rates);
    const step = Math.min(...used.map((use, resource) => (use === 0 ? Infinity : (free[resource] ?? 0) / use)));
    rates.forEach((rate, user) => (tasks[user] = (tasks[user] ?? 0) + rate * step));
    free = free.map((amount, resource) => {
      const left = amount - (used[resource] ?? 0) * step;
      return left > nothing * (capacity[resource] ?? 0) ? left : 0;
    });
    growing = growing.filter(({ demand }) => demand.every((need, resource) => need === 0 || (free[resource] ?? 0) > 0));
  }
  return tasks;
}

export interface FillOptions {
  /**
   * What happens when the user whose turn it is does not fit: `stop`, as Algorithm 1 of the paper, or `pass` to whoever
   * comes next, as an allocator does that has resources left. Default `stop`.
   */
  readonly whenFull?: 'stop' | 'pass';
}

export interface Filling {
  readonly tasks: Tasks;
  /** Names of the users who got a task, one after the other. */
  readonly turns: readonly string[];
}

/**
 * Whole tasks, one after the other: the next one belongs to the user with the smallest weighted dominant share (Ghodsi
 * and others, NSDI 2011, Algorithm 1). The paper leaves ties open; here the user with fewer tasks goes first, then the
 * one whose name comes first, as Mesos's sorter has it.
 */
export function fillTaskByTask(problem: SharingProblem, { whenFull = 'stop' }: FillOptions = {}): Filling {
  const { capacity, users } = problem;
  const clients = users.map((user) => ({ user, tasks: 0 }));
  const tasks = (): Tasks => clients.map((client) => client.tasks);
  const share = ({ user, tasks: count }: (typeof clients)[number]): number =>
    (count * dominantPart(user.demand, capacity)) / weightOf(user);
  const turns: string[] = [];
  for (;;) {
    const used = usage(problem, tasks());
    const order = clients.toSorted(
      (one, other) =>
        share(one) - share(other) || one.tasks - other.tasks || (one.user.name < other.user.name ? -1 : 1),
    );
    const fits = ({ user }: (typeof clients)[number]): boolean =>
      user.demand.every((need, resource) => (used[resource] ?? 0) + need <= (capacity[resource] ?? 0));
    const next = (whenFull === 'stop' ? order.slice(0, 1) : order).find(fits);
    if (next === undefined) return { tasks: tasks(), turns };
    next.tasks++;
    turns.push(next.user.name);
  }
}
