import type { AgentID, Resources } from '@mezzo/protocol';
import type { ClusterTotals } from './cluster-totals.ts';

/**
 * Puts clients (roles, or the frameworks of one role) in the order in which they are served. A client is named by a path
 * whose parts are separated by `/`; sorters that know no nesting take the whole path as one name.
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
  unallocated(client: string, agentId: AgentID, resources: Resources): void;
  /** The part of the cluster it has by its weight, 0 to 1 and beyond; 0 for an unknown client. */
  share(client: string): number;
  /** Active clients, who is next first. What was returned does not change afterwards. */
  sort(): readonly string[];
}

/** @param excluded names of resources that do not count in shares (fair_sharing_excluded_resource_names). */
export type SorterFactory = (totals: ClusterTotals, excluded: ReadonlySet<string>) => Sorter;
