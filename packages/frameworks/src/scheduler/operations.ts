import {
  type ExecutorInfo,
  type Label,
  type Offer,
  type Operation,
  type Resource,
  Resources,
  type TaskInfo,
  UNRESERVED,
} from '@mezzo/protocol';

type OperationOf<T extends Operation['type']> = Extract<Operation, { readonly type: T }>;

export interface OperationName {
  /** Unique among the framework's operations; with it the framework hears what became of the operation. */
  readonly id?: string;
}

export interface ReservationOptions extends OperationName {
  /** Default: the role that the offer was made to, the only one that a master accepts of a framework. */
  readonly role?: string;
  /** A framework with a principal must give that one. */
  readonly principal?: string;
  /** Part of the reservation's identity. */
  readonly labels?: readonly Label[];
}

export interface VolumeOptions extends OperationName {
  /** Unique among the volumes of its role on the agent. */
  readonly persistenceId: string;
  /** Where tasks find it: a path below their sandbox. */
  readonly containerPath: string;
  /** A framework with a principal must give that one. */
  readonly principal?: string;
  /** More than one task may use it at the same time; needs the capability SHARED_RESOURCES. Default false. */
  readonly shared?: boolean;
}

/** Launches tasks, for an accept that does more than that. */
export function launch(tasks: readonly TaskInfo[]): OperationOf<'LAUNCH'> {
  return { type: 'LAUNCH', tasks: [...tasks] };
}

/** Launches all of these tasks or none, in one executor. */
export function launchGroup(executor: ExecutorInfo, tasks: readonly TaskInfo[]): OperationOf<'LAUNCH_GROUP'> {
  return { type: 'LAUNCH_GROUP', executor, tasks: [...tasks] };
}

/**
 * Reserves resources of an offer, such as `basket.take(…, { from: 'unreserved' })`. What later operations of the same accept
 * may use is in `resources` of what this returns.
 *
 * @throws RangeError for the role '*'
 * @throws ResourceConversionError for what is reserved already, unless the role is a subrole of that reservation's
 */
export function reserve(
  offer: Offer,
  resources: Iterable<Resource>,
  { id, role = offer.role, principal, labels }: ReservationOptions = {},
): OperationOf<'RESERVE'> {
  if (role === UNRESERVED) {
    throw new RangeError(
      `Cannot reserve ${String(Resources.of(resources))} for role '${UNRESERVED}', which is everybody: offers are to be for a role of the framework's own`,
    );
  }
  const reservation = {
    type: 'DYNAMIC' as const,
    role,
    ...(principal === undefined ? undefined : { principal }),
    ...(labels === undefined ? undefined : { labels }),
  };
  return { type: 'RESERVE', resources: [...Resources.of(resources).pushReservation(reservation)], ...named(id) };
}

/** Takes the last reservation away; the framework must have made it, and no volume may be on it. */
export function unreserve(resources: Iterable<Resource>, { id }: OperationName = {}): OperationOf<'UNRESERVE'> {
  return { type: 'UNRESERVE', resources: [...resources], ...named(id) };
}

/**
 * Makes a persistent volume of reserved disk, all that is in `resources`. The volume, as tasks name it, is in `volumes` of
 * what this returns.
 *
 * @throws RangeError if `resources` are not one amount of disk
 */
export function createVolume(resources: Iterable<Resource>, options: VolumeOptions): OperationOf<'CREATE'> {
  const { id, persistenceId, containerPath, principal, shared = false } = options;
  const [disk, ...others] = Resources.of(resources);
  if (disk?.name !== 'disk' || disk.type !== 'SCALAR' || others.length > 0) {
    throw new RangeError(
      `Cannot make the volume '${persistenceId}' of '${String(Resources.of(resources))}': expected one amount of disk with one reservation`,
    );
  }
  const volume: Resource = {
    ...disk,
    disk: {
      ...disk.disk,
      persistence: { id: persistenceId, ...(principal === undefined ? undefined : { principal }) },
      volume: { containerPath, mode: 'RW' },
    },
    ...(shared ? { shared } : undefined),
  };
  return { type: 'CREATE', volumes: [volume], ...named(id) };
}

/** Deletes a persistent volume that no task uses, with what is in it; its disk stays reserved. */
export function destroyVolume(volume: Resource, { id }: OperationName = {}): OperationOf<'DESTROY'> {
  return { type: 'DESTROY', volumes: [volume], ...named(id) };
}

/** @param addition disk with the same reservation as the volume */
export function growVolume(
  volume: Resource,
  addition: Resource,
  { id }: OperationName = {},
): OperationOf<'GROW_VOLUME'> {
  return { type: 'GROW_VOLUME', volume, addition, ...named(id) };
}

/** @param subtract MB; less than the volume has */
export function shrinkVolume(
  volume: Resource,
  subtract: number,
  { id }: OperationName = {},
): OperationOf<'SHRINK_VOLUME'> {
  return { type: 'SHRINK_VOLUME', volume, subtract, ...named(id) };
}

function named(id: string | undefined): OperationName {
  return id === undefined ? {} : { id };
}
