import type { FrameworkID } from '@mezzo/protocol';
import { OfferFilters } from './offer-filters.ts';

/** A framework as the allocator sees it. */
export class AllocatorFramework {
  readonly id: FrameworkID;
  readonly filters = new OfferFilters();
  readonly suppressed = new Set<string>();
  roles: ReadonlySet<string>;
  capabilities: ReadonlySet<string>;
  isActive: boolean;

  constructor(id: FrameworkID, roles: Iterable<string>, capabilities: Iterable<string>, isActive: boolean) {
    this.id = id;
    this.roles = new Set(roles);
    this.capabilities = new Set(capabilities);
    this.isActive = isActive;
  }

  /** True if it wants offers for the role now. */
  wants(role: string): boolean {
    return this.isActive && this.roles.has(role) && !this.suppressed.has(role);
  }
}
