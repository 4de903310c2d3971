import { UNRESERVED } from '../roles.ts';
import type { DiskInfo, DiskSource } from './disk.ts';
import { MesosJson, ResourceFormatError } from './mesos-json.ts';
import { type Label, labelsKey, type Reservation } from './reservation.ts';
import { faultOfResource, type Resource, type ResourceMetadata } from './resource.ts';

/**
 * How Mesos's JSON tells reservations: PRE_REFINEMENT by `role` and `reservation`, which knows at most one;
 * POST_REFINEMENT by `reservations`; ENDPOINT by both, where there is at most one.
 */
export type ResourceFormat = 'PRE_REFINEMENT' | 'POST_REFINEMENT' | 'ENDPOINT';

export interface MesosLabels {
  readonly labels: readonly Label[];
}

export interface MesosReservation {
  readonly type?: 'STATIC' | 'DYNAMIC';
  readonly role?: string;
  readonly principal?: string;
  readonly labels?: MesosLabels;
}

export interface MesosDisk {
  readonly persistence?: { readonly id: string; readonly principal?: string };
  readonly volume?: { readonly container_path: string; readonly mode: 'RW' | 'RO'; readonly host_path?: string };
  readonly source?: {
    readonly type: DiskSource['type'];
    readonly path?: { readonly root?: string };
    readonly mount?: { readonly root?: string };
    readonly id?: string;
    readonly profile?: string;
    readonly vendor?: string;
    readonly metadata?: MesosLabels;
  };
}

/** A resource in the JSON of Mesos's API. */
export interface MesosResource {
  readonly name: string;
  readonly type: Resource['type'];
  readonly scalar?: { readonly value: number };
  readonly ranges?: { readonly range: readonly { readonly begin: number; readonly end: number }[] };
  readonly set?: { readonly item: readonly string[] };
  readonly role?: string;
  readonly reservation?: MesosReservation;
  readonly reservations?: readonly MesosReservation[];
  readonly allocation_info?: { readonly role: string };
  readonly disk?: MesosDisk;
  readonly revocable?: Readonly<Record<string, never>>;
  readonly provider_id?: { readonly value: string };
  readonly shared?: Readonly<Record<string, never>>;
}

/** @throws {ResourceFormatError} for a refined reservation in a format that knows none */
export function toMesosResource(resource: Resource, format: ResourceFormat): MesosResource {
  const { name, type, allocationRole, disk, revocable, providerId, shared } = resource;
  return {
    name,
    type,
    ...amountOf(resource),
    ...reservationsOf(resource, format),
    ...(allocationRole === undefined ? undefined : { allocation_info: { role: allocationRole } }),
    ...(disk === undefined ? undefined : { disk: diskOf(disk) }),
    ...(revocable === true ? { revocable: {} } : undefined),
    ...(providerId === undefined ? undefined : { provider_id: { value: providerId } }),
    ...(shared === true ? { shared: {} } : undefined),
  };
}

/**
 * Reads any of the three formats.
 *
 * @param defaultRole the role when the value names none
 * @throws {ResourceFormatError} that names the faulty part
 */
export function fromMesosResource(value: unknown, defaultRole: string = UNRESERVED): Resource {
  const json = new MesosJson(value, []);
  const resource = resourceOf(json, defaultRole);
  const fault = faultOfResource(resource);
  if (fault === undefined) return resource;
  throw new ResourceFormatError(mesosPath(fault.path, json), 'a valid resource', `a fault: ${fault.reason}`);
}

function amountOf(resource: Resource): Pick<MesosResource, 'scalar' | 'ranges' | 'set'> {
  switch (resource.type) {
    case 'SCALAR':
      return { scalar: { value: resource.scalar } };
    case 'RANGES':
      return { ranges: { range: resource.ranges } };
    case 'SET':
      return { set: { item: resource.set } };
  }
}

function reservationsOf(
  { name, reservations = [] }: ResourceMetadata,
  format: ResourceFormat,
): Pick<MesosResource, 'role' | 'reservation' | 'reservations'> {
  const post = reservations.length === 0 ? undefined : { reservations: reservations.map(reservationOf) };
  if (format === 'POST_REFINEMENT') return { ...post };
  const [reservation, refinement] = reservations;
  if (refinement !== undefined) {
    if (format === 'ENDPOINT') return { ...post };
    throw new ResourceFormatError(
      ['reservations'],
      'at most one reservation in the format before reservation refinement',
      `${reservations.length} of ${JSON.stringify(name)}: ${reservations.map(({ role }) => role).join(', ')}`,
    );
  }
  const pre = reservation === undefined ? { role: UNRESERVED } : preRefinement(reservation);
  return format === 'ENDPOINT' ? { ...pre, ...post } : pre;
}

function preRefinement(reservation: Reservation): Pick<MesosResource, 'role' | 'reservation'> {
  const { type, role } = reservation;
  return type === 'STATIC' ? { role } : { role, reservation: whoAndWhyOf(reservation) };
}

function reservationOf(reservation: Reservation): MesosReservation {
  const { type, role } = reservation;
  return { type, role, ...whoAndWhyOf(reservation) };
}

function whoAndWhyOf({ principal, labels }: Reservation): Pick<MesosReservation, 'principal' | 'labels'> {
  return {
    ...(principal === undefined ? undefined : { principal }),
    ...(labels === undefined ? undefined : { labels: { labels } }),
  };
}

function diskOf({ persistence, volume, source }: DiskInfo): MesosDisk {
  return {
    ...(persistence === undefined ? undefined : { persistence: { ...withoutAbsent(persistence), id: persistence.id } }),
    ...(volume === undefined
      ? undefined
      : {
          volume: {
            container_path: volume.containerPath,
            mode: volume.mode,
            ...(volume.hostPath === undefined ? undefined : { host_path: volume.hostPath }),
          },
        }),
    ...(source === undefined ? undefined : { source: sourceOf(source) }),
  };
}

function withoutAbsent({ principal }: { readonly principal?: string | undefined }): { principal?: string } {
  return principal === undefined ? {} : { principal };
}

function sourceOf({ type, root, id, profile, vendor, metadata }: DiskSource): NonNullable<MesosDisk['source']> {
  return {
    type,
    ...(root === undefined ? undefined : type === 'PATH' ? { path: { root } } : { mount: { root } }),
    ...(vendor === undefined ? undefined : { vendor }),
    ...(id === undefined ? undefined : { id }),
    ...(metadata === undefined ? undefined : { metadata: { labels: metadata } }),
    ...(profile === undefined ? undefined : { profile }),
  };
}

function resourceOf(json: MesosJson, defaultRole: string): Resource {
  const disk = json.maybe('disk');
  const allocationRole = json.maybe('allocation_info')?.maybe('role')?.text();
  const providerId = json.maybe('provider_id')?.field('value').text();
  const reservations = stackOf(json, defaultRole);
  const metadata: ResourceMetadata = {
    name: json.field('name').text(),
    ...(reservations.length === 0 ? undefined : { reservations }),
    ...(allocationRole === undefined ? undefined : { allocationRole }),
    ...(disk === undefined ? undefined : { disk: diskFrom(disk) }),
    ...(json.maybe('revocable')?.object() === undefined ? undefined : { revocable: true }),
    ...(providerId === undefined ? undefined : { providerId }),
    ...(json.maybe('shared')?.object() === undefined ? undefined : { shared: true }),
  };
  const type = json.field('type').oneOf(['SCALAR', 'RANGES', 'SET']);
  for (const other of ['SCALAR', 'RANGES', 'SET', 'TEXT']) {
    if (other !== type) json.maybe(other.toLowerCase())?.refuse(`a resource of type ${type} to have no other value`);
  }
  switch (type) {
    case 'SCALAR':
      return { ...metadata, type, scalar: json.field('scalar').field('value').number() };
    case 'RANGES': {
      const ranges = json.field('ranges').items('range');
      const range = (item: MesosJson) => ({ begin: item.field('begin').number(), end: item.field('end').number() });
      return { ...metadata, type, ranges: ranges.map(range) };
    }
    case 'SET':
      return {
        ...metadata,
        type,
        set: json
          .field('set')
          .items('item')
          .map((item) => item.text()),
      };
  }
}

/** The reservations, in whichever of the formats. What is there twice must agree. */
function stackOf(json: MesosJson, defaultRole: string): Reservation[] {
  const role = json.maybe('role');
  const reservation = json.maybe('reservation');
  const stack = json.items('reservations').map((item): Reservation => ({
    type: item.field('type').oneOf(['STATIC', 'DYNAMIC']),
    role: item.field('role').text(),
    ...whoAndWhy(item),
  }));
  const [only, refinement] = stack;
  if (only === undefined) {
    const name = role?.text() ?? defaultRole;
    if (name !== UNRESERVED) {
      return [{ type: reservation === undefined ? 'STATIC' : 'DYNAMIC', role: name, ...whoAndWhy(reservation) }];
    }
    reservation?.refuse('no reservation for the role "*"');
    return [];
  }
  if (refinement !== undefined) {
    role?.refuse('no role beside several reservations');
    reservation?.refuse('no reservation beside several reservations');
    return stack;
  }
  if (role !== undefined && role.text() !== only.role) role.refuse(`the role of the reservation, ${only.role}`);
  if (reservation !== undefined) {
    const { principal, labels } = whoAndWhy(reservation);
    const isSame =
      only.type === 'DYNAMIC' &&
      principal === only.principal &&
      JSON.stringify(labelsKey(labels)) === JSON.stringify(labelsKey(only.labels));
    if (!isSame) reservation.refuse('what the first of the reservations says');
  }
  return stack;
}

function whoAndWhy(json: MesosJson | undefined): Pick<Reservation, 'principal' | 'labels'> {
  const principal = json?.maybe('principal')?.text();
  const labels = labelsFrom(json?.maybe('labels'));
  return {
    ...(principal === undefined ? undefined : { principal }),
    ...(labels === undefined ? undefined : { labels }),
  };
}

function labelsFrom(json: MesosJson | undefined): Label[] | undefined {
  const labels = json?.items('labels').map((item): Label => {
    const value = item.maybe('value')?.text();
    return { key: item.field('key').text(), ...(value === undefined ? undefined : { value }) };
  });
  return labels?.length === 0 ? undefined : labels;
}

function diskFrom(json: MesosJson): DiskInfo {
  const persistence = json.maybe('persistence');
  const volume = json.maybe('volume');
  const source = json.maybe('source');
  return {
    ...(persistence === undefined
      ? undefined
      : {
          persistence: {
            id: persistence.field('id').text(),
            principal: persistence.maybe('principal')?.text(),
          },
        }),
    ...(volume === undefined
      ? undefined
      : {
          volume: {
            containerPath: volume.field('container_path').text(),
            mode: volume.field('mode').oneOf(['RW', 'RO']),
            hostPath: volume.maybe('host_path')?.text(),
          },
        }),
    ...(source === undefined ? undefined : { source: sourceFrom(source) }),
  };
}

function sourceFrom(json: MesosJson): DiskSource {
  const type = json.field('type').oneOf(['PATH', 'MOUNT', 'BLOCK', 'RAW']);
  if (type !== 'PATH') json.maybe('path')?.refuse(`a disk source of type ${type} to have no path`);
  if (type !== 'MOUNT') json.maybe('mount')?.refuse(`a disk source of type ${type} to have no mount`);
  return {
    type,
    root: (json.maybe('path') ?? json.maybe('mount'))?.maybe('root')?.text(),
    id: json.maybe('id')?.text(),
    profile: json.maybe('profile')?.text(),
    vendor: json.maybe('vendor')?.text(),
    metadata: labelsFrom(json.maybe('metadata')),
  };
}

/** Where Mesos's JSON has what our resource has at this path. */
export function mesosPath([part = '', ...rest]: readonly (string | number)[], json: MesosJson): (string | number)[] {
  switch (part) {
    case 'scalar':
      return ['scalar', 'value'];
    case 'ranges':
      return ['ranges', 'range'];
    case 'set':
      return ['set', 'item'];
    case 'allocationRole':
      return ['allocation_info', 'role'];
    case 'reservations':
      if (json.items('reservations').length > 0) return [part, ...rest];
      return json.maybe('reservation') === undefined || rest[1] === 'role' ? ['role'] : ['reservation'];
    default:
      return [part, ...rest];
  }
}
