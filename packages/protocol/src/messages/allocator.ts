import { message } from '@mezzo/process';
import Type from 'typebox';
import { agentInfo, filters, ids, parts, resources } from './model.ts';
import { wire } from './wire.ts';

// ---- master to allocator

/** The first message: its sender is the master, who gets the allocations. An allocator forgets what it knew. */
export const InitializeAllocator = message(
  'allocator.initialize',
  wire(
    Type.Object({
      /** Milliseconds between periodic runs (allocation_interval, 1 s). */
      allocationInterval: parts.duration,
      /** Text forms of ResourceQuantities; an offer must contain one of them (min_allocatable_resources). */
      minAllocatable: parts.texts,
    }),
  ),
);

export const AddFramework = message(
  'allocator.add-framework',
  wire(
    Type.Object({
      frameworkId: ids.frameworkId,
      roles: parts.texts,
      capabilities: parts.texts,
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

/** New roles or capabilities of a framework. */
export const UpdateFramework = message(
  'allocator.update-framework',
  wire(Type.Object({ frameworkId: ids.frameworkId, roles: parts.texts, capabilities: parts.texts })),
);

export const AddAgent = message(
  'allocator.add-agent',
  wire(
    Type.Object({
      agentId: ids.agentId,
      agent: agentInfo,
      total: resources,
      /** Held by frameworks already: after a failover. */
      used: Type.Array(Type.Object({ frameworkId: ids.frameworkId, resources })),
    }),
  ),
);

const agent = wire(Type.Object({ agentId: ids.agentId }));

export const RemoveAgent = message('allocator.remove-agent', agent);
export const ActivateAgent = message('allocator.activate-agent', agent);
export const DeactivateAgent = message('allocator.deactivate-agent', agent);

/** Offered or used resources are free again; with filters they are not offered to the framework for a while. */
export const RecoverResources = message(
  'allocator.recover-resources',
  wire(
    Type.Object({
      frameworkId: ids.frameworkId,
      agentId: ids.agentId,
      resources,
      filters: Type.Optional(filters),
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

export const UpdateWeights = message(
  'allocator.update-weights',
  wire(Type.Object({ weights: Type.Array(Type.Object({ role: parts.text, weight: Type.Number() })) })),
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
