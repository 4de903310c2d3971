import { message, request } from '@mezzo/process';
import Type, { type Static } from 'typebox';
import { agentInfo, domain, ids, offerConstraints, parts, quantities, resources, unavailability } from './model.ts';
import { filters } from './offer.ts';
import { wire } from './wire.ts';

/** What one role is guaranteed, and what it may have at most. A name without a limit is unlimited. */
const quota = Type.Object({ guarantees: quantities, limits: quantities });
export type Quota = Static<typeof quota>;

/** A change of what an agent's resources are: `consumed` becomes `converted`. */
const conversion = Type.Object({
  consumed: resources,
  converted: resources,
  takesEveryCopy: Type.Optional(Type.Literal(true)),
});

// ---- master to allocator

/** The first message: its sender is the master, who gets the allocations. An allocator forgets what it knew. */
export const InitializeAllocator = message(
  'allocator.initialize',
  wire(
    Type.Object({
      /** Milliseconds between periodic runs (allocation_interval, 1 s). */
      allocationInterval: parts.duration,
      /** What an offer must at least hold: one of these (min_allocatable_resources). None: anything will do. */
      minAllocatable: Type.Array(quantities),
      /** Names of resources that do not count in shares (fair_sharing_excluded_resource_names). */
      fairnessExcluded: parts.texts,
      /** Whether agents with GPUs are kept for frameworks with GPU_RESOURCES (filter_gpu_resources). */
      filterGpuResources: Type.Boolean(),
      /** Where the master stands (domain). */
      domain: Type.Optional(domain),
    }),
  ),
);

/** After a failover: no offers until most of the agents that were there are back, or the time is over. */
export const Recover = message(
  'allocator.recover',
  wire(
    Type.Object({
      expectedAgents: Type.Integer({ minimum: 0 }),
      quotas: Type.Record(Type.String(), quota),
      /** Milliseconds (allocator_recovery_timeout, 10 min). */
      timeout: parts.duration,
      /** Part of the expected agents that suffices (allocator_agent_recovery_factor, 0.8). */
      factor: Type.Number({ minimum: 0, maximum: 1 }),
    }),
  ),
);

const frameworkParts = {
  frameworkId: ids.frameworkId,
  roles: parts.texts,
  suppressedRoles: parts.texts,
  capabilities: parts.texts,
  /** By role, alternatives that replace `minAllocatable` for it. */
  minAllocatable: Type.Record(Type.String(), Type.Array(quantities)),
  offerConstraints: Type.Optional(offerConstraints),
};

export const AddFramework = message(
  'allocator.add-framework',
  wire(
    Type.Object({
      ...frameworkParts,
      /** What it holds already, by agent: after a failover. */
      used: Type.Array(Type.Object({ agentId: ids.agentId, resources })),
      active: Type.Boolean(),
    }),
  ),
);

const framework = wire(Type.Object({ frameworkId: ids.frameworkId }));

export const RemoveFramework = message('allocator.remove-framework', framework);
export const ActivateFramework = message('allocator.activate-framework', framework);
/** No offers until activated; its filters are forgotten, its allocation stays. */
export const DeactivateFramework = message('allocator.deactivate-framework', framework);

/** A framework as it is from now on. Roles that are not suppressed any more are revived. */
export const UpdateFramework = message('allocator.update-framework', wire(Type.Object(frameworkParts)));

const used = Type.Array(Type.Object({ frameworkId: ids.frameworkId, resources }));

export const AddAgent = message(
  'allocator.add-agent',
  wire(
    Type.Object({
      agentId: ids.agentId,
      agent: agentInfo,
      /** Mesos's names: MULTI_ROLE, HIERARCHICAL_ROLE, RESERVATION_REFINEMENT, … */
      capabilities: parts.texts,
      total: resources,
      /** Held by frameworks already: after a failover. */
      used,
      unavailability: Type.Optional(unavailability),
    }),
  ),
);

/** An agent that has changed; what is left out is as before. */
export const UpdateAgent = message(
  'allocator.update-agent',
  wire(
    Type.Object({
      agentId: ids.agentId,
      agent: agentInfo,
      capabilities: Type.Optional(parts.texts),
      total: Type.Optional(resources),
    }),
  ),
);

/** A resource provider on the agent brings more. */
export const AddResourceProvider = message(
  'allocator.add-resource-provider',
  wire(Type.Object({ agentId: ids.agentId, total: resources, used })),
);

const agent = wire(Type.Object({ agentId: ids.agentId }));

export const RemoveAgent = message('allocator.remove-agent', agent);
export const ActivateAgent = message('allocator.activate-agent', agent);
export const DeactivateAgent = message('allocator.deactivate-agent', agent);

/** Only agents on these hosts are offered; without a list all are, with an empty one none. */
export const UpdateWhitelist = message(
  'allocator.update-whitelist',
  wire(Type.Object({ hostnames: Type.Optional(parts.texts) })),
);

/** Operations on resources of an offer that the framework has accepted: they take effect before the agent confirms them. */
export const UpdateAllocation = message(
  'allocator.update-allocation',
  wire(
    Type.Object({
      frameworkId: ids.frameworkId,
      agentId: ids.agentId,
      /** With the role that they are allocated to. */
      offered: resources,
      conversions: Type.Array(conversion),
    }),
  ),
);

/** Operations of an operator on what nobody has. */
export const UpdateAvailable = request(
  'allocator.update-available',
  wire(Type.Object({ agentId: ids.agentId, conversions: Type.Array(conversion) })),
  /** Without a fault it is done. */
  wire(Type.Object({ fault: Type.Optional(parts.text) })),
);

/** Launched: what was on offer is in use. */
export const TransitionOfferedToAllocated = message(
  'allocator.transition-offered-to-allocated',
  wire(Type.Object({ frameworkId: ids.frameworkId, agentId: ids.agentId, resources })),
);

/** Offered or used resources are free again; with filters they are not offered to the framework for a while. */
export const RecoverResources = message(
  'allocator.recover-resources',
  wire(
    Type.Object({
      frameworkId: ids.frameworkId,
      agentId: ids.agentId,
      resources,
      filters: Type.Optional(filters),
      /** They were in use, not only on offer. */
      isAllocated: Type.Boolean(),
    }),
  ),
);

export const SuppressOffers = message(
  'allocator.suppress-offers',
  wire(Type.Object({ frameworkId: ids.frameworkId, roles: parts.texts })),
);

export const ReviveOffers = message(
  'allocator.revive-offers',
  wire(Type.Object({ frameworkId: ids.frameworkId, roles: parts.texts })),
);

export const UpdateQuota = message('allocator.update-quota', wire(Type.Object({ role: parts.text, quota })));

export const UpdateWeights = message(
  'allocator.update-weights',
  wire(Type.Object({ weights: Type.Array(Type.Object({ role: parts.text, weight: Type.Number() })) })),
);

/** The agent's machine will be away, or, without a time, will not. */
export const UpdateUnavailability = message(
  'allocator.update-unavailability',
  wire(Type.Object({ agentId: ids.agentId, unavailability: Type.Optional(unavailability) })),
);

/** The framework has answered an inverse offer, or it was rescinded. */
export const UpdateInverseOffer = message(
  'allocator.update-inverse-offer',
  wire(
    Type.Object({
      frameworkId: ids.frameworkId,
      agentId: ids.agentId,
      status: Type.Optional(Type.Enum(['ACCEPT', 'DECLINE'])),
      filters: Type.Optional(filters),
    }),
  ),
);

/** How frameworks have answered the inverse offers of each agent. */
export const GetInverseOfferStatuses = request(
  'allocator.get-inverse-offer-statuses',
  wire(Type.Object({})),
  wire(
    Type.Object({
      statuses: Type.Array(
        Type.Object({
          agentId: ids.agentId,
          frameworkId: ids.frameworkId,
          status: Type.Enum(['ACCEPT', 'DECLINE']),
          time: parts.time,
        }),
      ),
    }),
  ),
);

// ---- allocator to master

/** The answer to InitializeAllocator: from now on it listens to this master. What is sent before is lost. */
export const AllocatorInitialized = message('allocator.initialized', wire(Type.Object({})));

/** What one allocation run gives a framework; the master makes offers of it. */
export const Allocated = message(
  'allocator.allocated',
  wire(
    Type.Object({
      frameworkId: ids.frameworkId,
      allocations: Type.Array(Type.Object({ role: parts.text, agentId: ids.agentId, resources })),
    }),
  ),
);

/** What a framework is asked to give back, because the machines will be away. */
export const InverseAllocated = message(
  'allocator.inverse-allocated',
  wire(
    Type.Object({
      frameworkId: ids.frameworkId,
      agents: Type.Array(Type.Object({ agentId: ids.agentId, unavailability })),
    }),
  ),
);
