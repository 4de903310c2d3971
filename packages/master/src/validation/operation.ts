import {
  type AgentOperation,
  conversionsOf,
  type Resource,
  type ResourceConversion,
  ResourceConversionError,
  Resources,
} from '@mezzo/protocol';
import type { Agent } from '../agents/agent.ts';
import type { Framework } from '../frameworks/framework.ts';
import { namedResourcesFault, persistenceFault } from './resources.ts';

/** Who asks for an operation: a framework with the role of its offers, or an operator. */
export type Requester =
  | { readonly kind: 'framework'; readonly framework: Framework; readonly role: string }
  | { readonly kind: 'operator'; readonly principal: string | undefined };

export type OperationVerdict =
  | {
      /** With the role that the offers were given to, where a framework asks. */
      readonly conversions: readonly ResourceConversion[];
      /** The same operation with what the requester may leave out. */
      readonly operation: AgentOperation;
      readonly fault?: undefined;
    }
  | { readonly fault: string };

/**
 * Whether an operation may be done on an agent's resources, in Mesos's order of checks. Whether the resources are there is
 * another question.
 *
 * @param inUse what tasks and executors of any framework use on the agent
 */
export function judgeOperation(
  given: AgentOperation,
  requester: Requester,
  agent: Agent,
  inUse: Resources,
): OperationVerdict {
  const role = requester.kind === 'framework' ? requester.role : undefined;
  const operation = role === undefined ? given : allocated(given, role);
  const fault =
    capabilityFault(agent) ??
    namedResourcesFault(resourcesOf(operation)) ??
    (requester.kind === 'operator' ? allocationFault(operation) : offerRoleFault(operation, requester.role)) ??
    operationFault(operation, requester, agent, inUse);
  if (fault !== undefined) return { fault: `Invalid ${operation.type} operation: ${fault}` };
  try {
    return { conversions: conversionsOf(operation), operation };
  } catch (error) {
    if (!(error instanceof ResourceConversionError)) throw error;
    return { fault: `Invalid ${operation.type} operation: ${error.message}` };
  }
}

/** An agent that does not say so would never carry it out, and nobody would hear of that. */
function capabilityFault(agent: Agent): string | undefined {
  return agent.has('AGENT_OPERATION_FEEDBACK') ? undefined : `agent ${agent.id} does not carry out operations`;
}

/** Every resource that an operation names. */
export function resourcesOf(operation: AgentOperation): readonly Resource[] {
  switch (operation.type) {
    case 'RESERVE':
      return [...(operation.source ?? []), ...operation.resources];
    case 'UNRESERVE':
      return operation.resources;
    case 'CREATE':
    case 'DESTROY':
      return operation.volumes;
    case 'GROW_VOLUME':
      return [operation.volume, operation.addition];
    case 'SHRINK_VOLUME':
      return [operation.volume];
  }
}

function allocated(operation: AgentOperation, role: string): AgentOperation {
  const give = <R extends Resource>(resource: R): R => ({
    ...resource,
    allocationRole: resource.allocationRole ?? role,
  });
  switch (operation.type) {
    case 'RESERVE': {
      const resources = operation.resources.map(give);
      return operation.source === undefined
        ? { ...operation, resources }
        : { ...operation, source: operation.source.map(give), resources };
    }
    case 'UNRESERVE':
      return { ...operation, resources: operation.resources.map(give) };
    case 'CREATE':
    case 'DESTROY':
      return { ...operation, volumes: operation.volumes.map(give) };
    case 'GROW_VOLUME':
      return { ...operation, volume: give(operation.volume), addition: give(operation.addition) };
    case 'SHRINK_VOLUME':
      return { ...operation, volume: give(operation.volume) };
  }
}

function allocationFault(operation: AgentOperation): string | undefined {
  const given = resourcesOf(operation).find(({ allocationRole }) => allocationRole !== undefined);
  return given === undefined
    ? undefined
    : `resource '${given.name}' is allocated to role ${given.allocationRole ?? ''}`;
}

function offerRoleFault(operation: AgentOperation, role: string): string | undefined {
  const other = resourcesOf(operation).find(({ allocationRole }) => allocationRole !== role);
  if (other === undefined) return undefined;
  return `resource '${other.name}' is allocated to role ${other.allocationRole ?? ''}, but the offer to role ${role}`;
}

function operationFault(
  operation: AgentOperation,
  requester: Requester,
  agent: Agent,
  inUse: Resources,
): string | undefined {
  switch (operation.type) {
    case 'RESERVE':
      return reserveFault(operation, requester, agent);
    case 'UNRESERVE':
      return operation.resources.some(({ disk }) => disk?.persistence !== undefined)
        ? 'a persistent volume cannot be unreserved: destroy it first'
        : undefined;
    case 'CREATE':
      return createFault(operation.volumes, requester, agent);
    case 'DESTROY':
      return destroyFault(operation.volumes, agent, inUse);
    case 'GROW_VOLUME':
    case 'SHRINK_VOLUME':
      return agent.has('RESIZE_VOLUME') ? undefined : `agent ${agent.id} does not support resizing volumes`;
  }
}

function reserveFault(
  { source, resources }: Extract<AgentOperation, { type: 'RESERVE' }>,
  requester: Requester,
  agent: Agent,
): string | undefined {
  if (source !== undefined && requester.kind === 'framework') return `'source' is for operators only`;
  for (const { name, reservations = [], revocable, disk } of resources) {
    const last = reservations.at(-1);
    if (last?.type !== 'DYNAMIC') return `resource '${name}' is not dynamically reserved`;
    if (revocable === true) return `resource '${name}' is revocable`;
    if (disk?.persistence !== undefined) return `a persistent volume on '${name}' cannot be reserved`;
    const principal = principalOf(requester);
    if (principal !== undefined && last.principal !== principal) {
      return `a reserved resource's principal '${last.principal ?? ''}' does not match the principal '${principal}'`;
    }
    if (requester.kind === 'framework') {
      if (last.role !== requester.role)
        return `resource '${name}' is reserved for role ${last.role} but allocated to role ${requester.role}`;
      if (!requester.framework.roles.includes(last.role))
        return `resource '${name}' is reserved for role ${last.role}, which the framework does not have`;
    }
    if (last.role.includes('/') && !agent.has('HIERARCHICAL_ROLE'))
      return `resource '${name}' is reserved for a hierarchical role, which agent ${agent.id} does not support`;
    if (reservations.length > 1 && !agent.has('RESERVATION_REFINEMENT'))
      return `resource '${name}' has refined reservations, which agent ${agent.id} does not support`;
  }
  return undefined;
}

function createFault(volumes: readonly Resource[], requester: Requester, agent: Agent): string | undefined {
  for (const { name, disk, shared } of volumes) {
    if (disk?.persistence === undefined) return `resource '${name}' is no persistent volume`;
    if (disk.volume?.mode !== 'RW') return `persistent volume '${disk.persistence.id}' must be read and write`;
    const principal = principalOf(requester);
    if (principal !== undefined && disk.persistence.principal !== principal) {
      return `the principal '${disk.persistence.principal ?? ''}' of persistent volume '${disk.persistence.id}' does not match the principal '${principal}'`;
    }
    if (shared === true && requester.kind === 'framework' && !requester.framework.has('SHARED_RESOURCES'))
      return `the framework does not have the capability SHARED_RESOURCES`;
  }
  return persistenceFault([...agent.total.persistentVolumes(), ...volumes]);
}

function destroyFault(volumes: readonly Resource[], agent: Agent, inUse: Resources): string | undefined {
  const there = agent.total.persistentVolumes();
  for (const volume of volumes) {
    const one = Resources.of([volume]).unallocate();
    if (volume.disk?.persistence === undefined) return `resource '${volume.name}' is no persistent volume`;
    if (!there.contains(one)) return `persistent volume '${volume.disk.persistence.id}' does not exist`;
    if (inUse.unallocate().contains(one)) return `persistent volume '${volume.disk.persistence.id}' is in use`;
  }
  return undefined;
}

function principalOf(requester: Requester): string | undefined {
  return requester.kind === 'framework' ? requester.framework.info.principal : requester.principal;
}
