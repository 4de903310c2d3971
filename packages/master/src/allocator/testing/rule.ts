import type { Stage } from './stage.ts';

/** What not every allocator does; without it the rules about it are left out. */
export type Capability =
  /** What a framework declined is not offered to it for the time it gave. */
  | 'filters'
  /** Roles get what they are guaranteed, and no more than their limits. */
  | 'quota'
  /** Agents on other hosts are not offered. */
  | 'whitelist'
  /** Offers hold at least what the master said (min_allocatable_resources). */
  | 'minAllocatable'
  /** Revocable resources, and agents with GPUs, are for frameworks that know of them. */
  | 'frameworkCapabilities'
  /** Operators and frameworks reserve resources and create volumes. */
  | 'conversions'
  /** Who holds something of a machine that will be away is asked to give it back (inverse offers). */
  | 'maintenance'
  /** Frameworks get agents with the attributes that they ask for. */
  | 'offerConstraints'
  /** Agents of other regions than the master's are for frameworks that are REGION_AWARE. */
  | 'faultDomains'
  /** Roles share in proportion to their weights. */
  | 'weights';

/** One thing that allocators do, or never do, shown on a stage. */
export interface Rule {
  readonly title: string;
  readonly needs?: Capability;
  readonly show: (stage: Stage) => Promise<void>;
}
