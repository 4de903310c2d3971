import type { AgentID, FrameworkID } from '@mezzo/protocol';
import type { Client } from './client.ts';

/** A framework as the allocator sees it. One that is not subscribed is only known by what agents say that it holds. */
export class AllocatorFramework {
  readonly id: FrameworkID;
  /** By role. */
  readonly clients = new Map<string, Client>();
  readonly suppressed = new Set<string>();
  roles: ReadonlySet<string> = new Set();
  isSubscribed = false;
  isActive = false;
  takesGpus = false;
  takesRemote = false;
  takesShared = false;
  takesRevocable = false;
  takesRefined = false;
  isMultiRole = false;
  /** Until when, in milliseconds since the epoch, it wants no inverse offer for an agent. */
  readonly inverseFilters = new Map<AgentID, number>();

  constructor(id: FrameworkID) {
    this.id = id;
  }

  /** @param capabilities Mesos's names. */
  setCapabilities(capabilities: readonly string[]): void {
    this.takesGpus = capabilities.includes('GPU_RESOURCES');
    this.takesRemote = capabilities.includes('REGION_AWARE');
    this.takesShared = capabilities.includes('SHARED_RESOURCES');
    this.takesRevocable = capabilities.includes('REVOCABLE_RESOURCES');
    this.takesRefined = capabilities.includes('RESERVATION_REFINEMENT');
    this.isMultiRole = capabilities.includes('MULTI_ROLE');
  }

  /** True if it wants offers for the role now. */
  wants(role: string): boolean {
    return this.isActive && this.roles.has(role) && !this.suppressed.has(role);
  }
}
