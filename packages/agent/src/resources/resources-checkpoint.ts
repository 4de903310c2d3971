import type { Files, Future } from '@mezzo/process';
import { type OperationRecord, type Resource, Resources } from '@mezzo/protocol';
import { checkedOperations, checkedResources, part } from '../recovery/checked.ts';
import { encodeCheckpoint } from '../recovery/checkpoint-format.ts';
import type { CheckpointReader } from '../recovery/checkpoint-reader.ts';
import type { WorkDirectory } from '../work-directory.ts';

/** What an agent remembers of its resources. */
export interface CheckpointedResources {
  /** Dynamic reservations and persistent volumes. */
  readonly resources: Resources;
  /** Those whose end is not acknowledged. */
  readonly operations: readonly OperationRecord[];
}

export interface RecoveredResources extends CheckpointedResources {
  /** Volumes whose folders may still be there, if the agent ended while it changed them. */
  readonly formerly: Resources;
}

/**
 * Reads them. Resources that were about to be are: what they are made of was consumed when the operation was taken.
 * Fails with RecoveryError if they cannot be read.
 */
export function readResources(
  reader: CheckpointReader,
  folders: WorkDirectory,
): Future<RecoveredResources | undefined> {
  const advice = `repair it, or remove '${folders.resources}' and '${folders.resourcesTarget}' to give up the dynamic reservations and volumes of this agent`;
  return reader.read(folders.resources, checked, advice).andThen((info) =>
    reader.read(folders.resourcesTarget, checked, advice).map((target) => {
      const found = target ?? info;
      return found && { ...found, formerly: info?.resources ?? Resources.empty };
    }),
  );
}

/** Says what will be: from now on it is so, whatever happens. */
export function writeTarget(files: Files, folders: WorkDirectory, state: CheckpointedResources): Future<void> {
  return files.replace(folders.resourcesTarget, textOf(state));
}

/** It is so. */
export function commitTarget(files: Files, folders: WorkDirectory, state: CheckpointedResources): Future<void> {
  return files.replace(folders.resources, textOf(state)).andThen(() => files.remove(folders.resourcesTarget));
}

function textOf({ resources, operations }: CheckpointedResources): string {
  return encodeCheckpoint({ resources: resources.entries, operations });
}

function checked(content: unknown): CheckpointedResources {
  const resources: readonly Resource[] = checkedResources(part(content, 'resources'));
  return { resources: Resources.of(resources), operations: checkedOperations(part(content, 'operations')) };
}
