import { ResourceConversionError } from './conversion.ts';
import type { Resource } from './resource.ts';
import { Resources } from './resources.ts';

/** Whether an agent must remember it through a restart: a dynamic reservation or a persistent volume. */
export function needsCheckpoint({ reservations = [], disk }: Resource): boolean {
  return disk?.persistence !== undefined || reservations.some(({ type }) => type === 'DYNAMIC');
}

/**
 * What an agent's resources are, with the reservations and volumes that it remembers in place of what those were made of.
 *
 * @throws {ResourceConversionError} if the agent does not have what they were made of
 */
export function withCheckpointed(total: Resources, checkpointed: Iterable<Resource>): Resources {
  let all = total;
  for (const resource of checkpointed) {
    const plain = Resources.of([underlying(resource)]);
    if (!all.contains(plain)) {
      throw new ResourceConversionError(
        `The resources ${String(all)} do not hold ${String(plain)}, of which ${String(Resources.of([resource]))} was made`,
      );
    }
    all = all.minus(plain).plus(Resources.of([resource]));
  }
  return all;
}

/** As the agent's own resources name it: static reservations stay, and the disk it lies on. */
function underlying({ reservations = [], disk, shared: _shared, ...rest }: Resource): Resource {
  const fixed = reservations.filter(({ type }) => type === 'STATIC');
  const source = disk?.source;
  return {
    ...rest,
    ...(fixed.length === 0 ? undefined : { reservations: fixed }),
    ...(source === undefined ? undefined : { disk: { source } }),
  };
}
