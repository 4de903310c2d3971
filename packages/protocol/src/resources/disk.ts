import { pathSegmentFault } from '../ids.ts';
import type { Fault } from './fault.ts';
import { copyOfLabels, type Label, labelsKey } from './reservation.ts';

/** More about an amount of `disk`. Absent for a share of the agent's own file system. */
export interface DiskInfo {
  /** Makes it a persistent volume, which outlives its tasks. */
  readonly persistence?: Persistence | undefined;
  /** Where a task sees the persistent volume. Plays no part in its identity. */
  readonly volume?: DiskVolume | undefined;
  /** The device it is from. */
  readonly source?: DiskSource | undefined;
}

export interface Persistence {
  /** Unique for the role on the agent. */
  readonly id: string;
  /** Who made the volume. Plays no part in its identity. */
  readonly principal?: string | undefined;
}

export interface DiskVolume {
  readonly containerPath: string;
  readonly mode: 'RW' | 'RO';
  readonly hostPath?: string | undefined;
}

export interface DiskSource {
  /** PATH can be cut in pieces; MOUNT and BLOCK are used whole, and so is RAW with an id. */
  readonly type: DiskSourceType;
  /** The directory of a PATH or MOUNT. */
  readonly root?: string | undefined;
  /** Given by the storage plugin. */
  readonly id?: string | undefined;
  readonly profile?: string | undefined;
  readonly vendor?: string | undefined;
  readonly metadata?: readonly Label[] | undefined;
}

export const DISK_SOURCE_TYPES = ['PATH', 'MOUNT', 'BLOCK', 'RAW'] as const;
export type DiskSourceType = (typeof DISK_SOURCE_TYPES)[number];

/** True when no part of it can be given away. */
export function isIndivisible({ persistence, source }: DiskInfo): boolean {
  if (persistence !== undefined) return true;
  if (source === undefined) return false;
  return source.type === 'MOUNT' || source.type === 'BLOCK' || (source.type === 'RAW' && source.id !== undefined);
}

/** What tells disks apart. */
export function diskKey({ persistence, source }: DiskInfo): unknown[] {
  return [persistence?.id, source && sourceKey(source)];
}

function sourceKey({ type, root, id, profile, vendor, metadata }: DiskSource): unknown[] {
  return [type, root, id, profile, vendor, labelsKey(metadata)];
}

/** Without persistence and volume; undefined when nothing more is left to say. */
export function withoutPersistence({ source }: DiskInfo): DiskInfo | undefined {
  return source === undefined ? undefined : { source };
}

/** A copy without what is absent, empty or unknown; undefined when nothing is left. */
export function copyOfDisk({ persistence, volume, source }: DiskInfo): DiskInfo | undefined {
  if (persistence === undefined && volume === undefined && source === undefined) return undefined;
  return {
    ...(persistence === undefined ? undefined : { persistence: copyOfPersistence(persistence) }),
    ...(volume === undefined ? undefined : { volume: copyOfVolume(volume) }),
    ...(source === undefined ? undefined : { source: copyOfSource(source) }),
  };
}

function copyOfPersistence({ id, principal }: Persistence): Persistence {
  return principal === undefined ? { id } : { id, principal };
}

function copyOfVolume({ containerPath, mode, hostPath }: DiskVolume): DiskVolume {
  return hostPath === undefined ? { containerPath, mode } : { containerPath, mode, hostPath };
}

function copyOfSource({ type, root, id, profile, vendor, metadata }: DiskSource): DiskSource {
  return {
    type,
    ...(root === undefined ? undefined : { root }),
    ...(id === undefined ? undefined : { id }),
    ...(profile === undefined ? undefined : { profile }),
    ...(vendor === undefined ? undefined : { vendor }),
    ...(metadata === undefined || metadata.length === 0 ? undefined : { metadata: copyOfLabels(metadata) }),
  };
}

export function diskFault({ persistence, volume, source }: DiskInfo): Fault | undefined {
  if (persistence?.id === '') return { path: ['persistence', 'id'], reason: 'a persistent volume must have an id' };
  // It becomes the name of a folder.
  const idFault = persistence === undefined ? undefined : pathSegmentFault(persistence.id);
  if (idFault !== undefined)
    return { path: ['persistence', 'id'], reason: `invalid id of a persistent volume: ${idFault}` };
  if (volume !== undefined && persistence === undefined) {
    return { path: ['volume'], reason: 'disk with a volume must have a persistence' };
  }
  if (source === undefined) return undefined;
  const { type, root } = source;
  if (!DISK_SOURCE_TYPES.includes(type)) {
    const reason = `a disk source is one of ${DISK_SOURCE_TYPES.join(', ')}, not ${JSON.stringify(type)}`;
    return { path: ['source', 'type'], reason };
  }
  if (root !== undefined && (type === 'BLOCK' || type === 'RAW')) {
    return { path: ['source', 'root'], reason: `a disk source of type ${type} has no root directory` };
  }
  return undefined;
}
