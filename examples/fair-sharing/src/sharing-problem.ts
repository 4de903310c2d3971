/** An amount of each resource, always in the same order, such as CPUs and GB. */
export type Amounts = readonly number[];

export interface User {
  readonly name: string;
  /** What one task needs; above 0 for at least one resource. */
  readonly demand: Amounts;
  /** Twice the weight entitles to twice the share. Default 1. */
  readonly weight?: number;
}

/** Users who would all run as many tasks as they can, and what there is for them. */
export interface SharingProblem {
  /** Above 0 for every resource. */
  readonly capacity: Amounts;
  readonly users: readonly User[];
}

/** Tasks of each user, in the order of the users. Not whole where the resources may be divided at will. */
export type Tasks = readonly number[];

export function weightOf({ weight = 1 }: User): number {
  return weight;
}

export function scaled(amounts: Amounts, factor: number): Amounts {
  return amounts.map((amount) => amount * factor);
}

/** What the tasks of all users together use of each resource. */
export function usage({ capacity, users }: SharingProblem, tasks: Tasks): Amounts {
  return capacity.map((_, resource) =>
    users.reduce((sum, { demand }, user) => sum + (demand[resource] ?? 0) * (tasks[user] ?? 0), 0),
  );
}

/** How many tasks of this demand the amounts hold: Leontief's utility, that of tasks which need all of their resources. */
export function tasksIn(amounts: Amounts, demand: Amounts): number {
  return Math.min(
    ...demand.map((need, resource) => (need === 0 ? Number.POSITIVE_INFINITY : (amounts[resource] ?? 0) / need)),
  );
}

/** The part of each resource that one task takes. */
function partsOf(demand: Amounts, capacity: Amounts): Amounts {
  return capacity.map((total, resource) => (demand[resource] ?? 0) / total);
}

/** The largest part that one task takes of any resource: by this much it raises its user's dominant share. */
export function dominantPart(demand: Amounts, capacity: Amounts): number {
  return Math.max(...partsOf(demand, capacity));
}

/** The sum of the parts that one task takes: every resource is worth the same as a whole. */
export function assetPart(demand: Amounts, capacity: Amounts): number {
  return partsOf(demand, capacity).reduce((sum, part) => sum + part, 0);
}
