import { ResourceConversionError, type ResourceConversion } from './conversion.ts';
import { isIndivisible } from './disk.ts';
import { Entry } from './entry.ts';
import { Metadata } from './metadata.ts';
import { resourceFault, type Resource } from './resource.ts';
import { Resources } from './resources.ts';
import { scalarFault } from './scalar.ts';

/** What a framework or operator does to resources that stay on the agent. */
export type ResourceOperation =
  /** Reserves `source`, or what the resources are without their last reservation, as `resources` say. */
  | {
      readonly type: 'RESERVE';
      readonly source?: Iterable<Resource> | undefined;
      readonly resources: Iterable<Resource>;
    }
  /** Takes away the last reservation. */
  | { readonly type: 'UNRESERVE'; readonly resources: Iterable<Resource> }
  /** Makes persistent volumes of plain disk. */
  | { readonly type: 'CREATE'; readonly volumes: Iterable<Resource> }
  | { readonly type: 'DESTROY'; readonly volumes: Iterable<Resource> }
  | { readonly type: 'GROW_VOLUME'; readonly volume: Resource; readonly addition: Resource }
  /** `subtract`: MB. */
  | { readonly type: 'SHRINK_VOLUME'; readonly volume: Resource; readonly subtract: number };

/**
 * What an operation makes of what; quantities stay as they are.
 *
 * @throws {ResourceConversionError} if the operation makes no sense for its resources
 */
export function conversionsOf(operation: ResourceOperation): readonly ResourceConversion[] {
  switch (operation.type) {
    case 'RESERVE':
      return [reserve(operation.source, valid(operation.resources))];
    case 'UNRESERVE':
      return valid(operation.resources).map((resource) => {
        requireDynamic('unreserve', resource);
        const consumed = Resources.of([resource]);
        return { consumed, converted: consumed.popReservation() };
      });
    case 'CREATE':
      return valid(operation.volumes).map((volume) => {
        requireVolume('create', volume);
        return { consumed: plainDisk(volume), converted: Resources.of([volume]) };
      });
    case 'DESTROY':
      return valid(operation.volumes).map((volume) => {
        requireVolume('destroy', volume);
        const converted = plainDisk(volume);
        return { consumed: Resources.of([volume]), converted, takesEveryCopy: true };
      });
    case 'GROW_VOLUME':
      return [grow(operation.volume, operation.addition)];
    case 'SHRINK_VOLUME':
      return [shrink(operation.volume, operation.subtract)];
  }
}

function reserve(source: Iterable<Resource> | undefined, resources: readonly Resource[]): ResourceConversion {
  for (const resource of resources) requireDynamic('reserve', resource);
  const converted = Resources.of(resources);
  if (source === undefined) return { consumed: converted.popReservation(), converted };
  const consumed = Resources.of(valid(source));
  if (!consumed.toUnreserved().equals(converted.toUnreserved())) {
    throw new ResourceConversionError(
      `Cannot reserve ${String(converted)} from ${String(consumed)}: without reservations they must be the same`,
    );
  }
  return { consumed, converted };
}

function grow(volume: Resource, addition: Resource): ResourceConversion {
  const [before, more] = [resizable('grow', volume), scalarOf('grow', addition)];
  if (!before.withMetadata(before.metadata.withoutPersistence()).withThousandths(more.thousandths).meets(more)) {
    throw new ResourceConversionError(
      `Cannot grow ${text(volume)} by ${text(addition)}: it must be ${text(volume)} without persistence and volume`,
    );
  }
  const grown = { ...volume, type: 'SCALAR', scalar: (before.thousandths + more.thousandths) / 1000 } as const;
  return { consumed: Resources.of([volume, addition]), converted: Resources.of(valid([grown])) };
}

function shrink(volume: Resource, subtract: number): ResourceConversion {
  const before = resizable('shrink', volume);
  const fault = scalarFault(subtract);
  const freed = Entry.of({ name: 'disk', type: 'SCALAR', scalar: subtract }).thousandths;
  if (fault !== undefined || freed === 0 || freed >= before.thousandths) {
    throw new ResourceConversionError(
      `Cannot shrink ${text(volume)} by ${subtract}: it must be more than 0 and less than the volume`,
    );
  }
  const shrunk = { ...volume, type: 'SCALAR', scalar: (before.thousandths - freed) / 1000 } as const;
  const plain = plainDisk({ ...shrunk, scalar: freed / 1000 });
  return { consumed: Resources.of([volume]), converted: Resources.of([shrunk]).plus(plain) };
}

function resizable(what: string, volume: Resource): Entry {
  requireVolume(what, volume);
  if (volume.shared === true) throw new ResourceConversionError(`Cannot ${what} ${text(volume)}: it is shared`);
  const { source } = volume.disk ?? {};
  if (source !== undefined && isIndivisible({ source })) {
    throw new ResourceConversionError(`Cannot ${what} ${text(volume)}: a ${source.type} disk is used whole`);
  }
  return scalarOf(what, volume);
}

function scalarOf(what: string, resource: Resource): Entry {
  const [given] = valid([resource]);
  if (given?.type !== 'SCALAR') throw new ResourceConversionError(`Cannot ${what} ${text(resource)}: it is no scalar`);
  return Entry.of(given);
}

/** What a persistent volume is made of. */
function plainDisk(volume: Resource): Resources {
  const metadata = Metadata.of(volume).withoutPersistence();
  return Resources.of([Entry.of(volume).withMetadata(metadata).toResource()]);
}

function valid(resources: Iterable<Resource>): Resource[] {
  const list = [...resources];
  for (const resource of list) {
    const fault = resourceFault(resource);
    if (fault !== undefined) throw new ResourceConversionError(`Cannot convert resources: ${fault}`);
  }
  return list;
}

function requireDynamic(what: string, resource: Resource): void {
  if (resource.reservations?.at(-1)?.type === 'DYNAMIC') return;
  throw new ResourceConversionError(`Cannot ${what} ${text(resource)}: its last reservation must be DYNAMIC`);
}

function requireVolume(what: string, volume: Resource): void {
  if (volume.disk?.persistence !== undefined) return;
  throw new ResourceConversionError(`Cannot ${what} ${text(volume)}: it is no persistent volume`);
}

function text(resource: Resource): string {
  return String(Resources.of([resource]));
}
