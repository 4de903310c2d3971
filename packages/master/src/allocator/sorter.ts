import type { Random } from '@mezzo/process';
import type { AgentID, Resources } from '@mezzo/protocol';
import type { ClusterTotals } from './cluster-totals.ts';

/**
 * Puts clients (roles, or the frameworks of one role) in the order in which they are served. A client is named by a path
 * whose parts are separated by `/`; sorters that know no nesting take the whole path as one name. What is said about an
 * unknown client changes nothing.
 */
export interface Sorter {
  /** A new client is inactive and holds nothing. Adding a known one changes nothing. */
  add(client: string): void;
  /** Forgets the client with all it holds. */
  remove(client: string): void;
  has(client: string): boolean;
  /** From now on `sort` lists it. */
  activate(client: string): void;
  /** No longer listed; what it holds still counts. */
  deactivate(client: string): void;
  /** Weights belong to paths, also of clients that are not there yet. Default 1. */
  updateWeight(path: string, weight: number): void;
  allocated(client: string, agentId: AgentID, resources: Resources): void;
  /** Takes back what was `allocated`, at once or in parts. */
  unallocated(client: string, agentId: AgentID, resources: Resources): void;
  /** What it holds was changed into something else (a reservation, a volume): not one more allocation. */
  updated(client: string, agentId: AgentID, from: Resources, to: Resources): void;
  /** The part of the cluster it has by its weight, 0 to 1 and beyond; 0 for an unknown client. */
  share(client: string): number;
  /** Active clients, who is next first. The order is that of the moment of the call, however the sorter changes meanwhile. */
  sort(): Iterable<string>;
}

export interface SorterOptions {
  /** The cluster of which clients have their shares. */
  readonly totals: ClusterTotals;
  /** Names of resources that do not count in shares (fair_sharing_excluded_resource_names). */
  readonly excluded: ReadonlySet<string>;
  readonly random: Random;
}

export type SorterFactory = (options: SorterOptions) => Sorter;
