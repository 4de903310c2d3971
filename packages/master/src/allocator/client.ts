import type { AllocatorAgent } from './allocator-agent.ts';
import type { AllocatorFramework } from './allocator-framework.ts';
import type { MinAllocatable } from './min-allocatable.ts';
import type { ConstraintGroups } from './offer-constraints.ts';
import type { FilterLine } from './offer-filters.ts';
import type { RoleNode } from './role-tree.ts';

/** A framework in one of its roles: who it is that gets offers. */
export class Client {
  readonly framework: AllocatorFramework;
  readonly role: RoleNode;
  /** Its place in each agent's table of filters; that of a client that is gone is given to another one. */
  readonly slot: number;
  /** Its filters of earlier epochs are void: to forget them all costs nothing. */
  filterEpoch: number;
  /** How many filters of the present epoch there are. */
  filterCount = 0;
  /** How many more stand in its lines, though their agents have forgotten them. */
  voidFilters = 0;
  /** When its filters end, by their duration in milliseconds. */
  readonly filterLines = new Map<number, FilterLine>();
  /** Where it holds something. */
  readonly agents = new Set<AllocatorAgent>();
  /** Its own instead of the cluster's. */
  minAllocatable: MinAllocatable | undefined;
  constraints: ConstraintGroups | undefined;

  constructor(framework: AllocatorFramework, role: RoleNode, slot: number, filterEpoch: number) {
    this.filterEpoch = filterEpoch;
    this.framework = framework;
    this.role = role;
    this.slot = slot;
  }
}
