import { type Resource, resourceFault, Resources, resourcesFault } from '@mezzo/protocol';

/** What is wrong with resources that a framework or an operator names, in Mesos's order of checks; or undefined. */
export function namedResourcesFault(resources: readonly Resource[]): string | undefined {
  for (const resource of resources) {
    const fault = resourceFault(resource) ?? gpuFault(resource) ?? diskFault(resource);
    if (fault !== undefined) return fault;
  }
  return resourcesFault(resources) ?? mixedFault(resources);
}

/** Why they cannot belong to one task; `resources` have the role they are allocated to. */
export function taskResourcesFault(resources: readonly Resource[]): string | undefined {
  return persistenceFault(resources) ?? rolesFault(resources);
}

/** Two volumes of one role with the same id, or undefined. */
export function persistenceFault(resources: readonly Resource[]): string | undefined {
  const seen = new Set<string>();
  for (const { disk, reservations } of resources) {
    if (disk?.persistence === undefined) continue;
    const name = JSON.stringify([reservations?.at(-1)?.role, disk.persistence.id]);
    if (seen.has(name)) return `Persistence ID '${disk.persistence.id}' is used more than once`;
    seen.add(name);
  }
  return undefined;
}

function rolesFault(resources: readonly Resource[]): string | undefined {
  const [first, second] = new Set(resources.map(({ allocationRole }) => allocationRole));
  if (first === undefined || second === undefined) return undefined;
  return `The resources have multiple allocation roles ('${first}' and '${second}') but only one allocation role is allowed`;
}

function gpuFault(resource: Resource): string | undefined {
  const isFraction = resource.name === 'gpus' && resource.type === 'SCALAR' && !Number.isInteger(resource.scalar);
  return isFraction ? `The 'gpus' resource must be an unsigned integer` : undefined;
}

function diskFault({ disk, reservations, revocable, ...rest }: Resource): string | undefined {
  if (disk === undefined) return undefined;
  const named = `resource ${JSON.stringify(rest.name)}`;
  const { persistence, volume } = disk;
  if (persistence === undefined)
    return volume === undefined ? undefined : `${named}: Non-persistent volume not supported`;
  if (revocable === true) return `${named}: Persistent volumes cannot be created from revocable resources`;
  if ((reservations ?? []).length === 0)
    return `${named}: Persistent volumes cannot be created from unreserved resources`;
  if (volume === undefined) return `${named}: Expecting 'volume' to be set for persistent volume`;
  if (volume.hostPath !== undefined) return `${named}: Expecting 'host_path' to be unset for persistent volume`;
  return undefined;
}

function mixedFault(resources: readonly Resource[]): string | undefined {
  const all = Resources.of(resources);
  const revocable = new Set(all.revocable().names());
  const name = [...all.nonRevocable().names()].find((candidate) => revocable.has(candidate));
  return name === undefined ? undefined : `Cannot use both revocable and non-revocable '${name}' at the same time`;
}
