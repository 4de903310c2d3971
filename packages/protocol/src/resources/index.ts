export { type Attribute, AttributesParseError, parseAttributes, sameAttributes } from './attributes.ts';
export { needsCheckpoint, withCheckpointed } from './checkpointed.ts';
export { type ResourceConversion, ResourceConversionError, unallocatedConversion } from './conversion.ts';
export type { DiskInfo, DiskSource, DiskSourceType, DiskVolume, Persistence } from './disk.ts';
export {
  fromMesosResource,
  type MesosDisk,
  type MesosLabels,
  type MesosReservation,
  type MesosResource,
  type ResourceFormat,
  toMesosResource,
} from './formats.ts';
export { ResourceLimits } from './limits.ts';
export { ResourceFormatError } from './mesos-json.ts';
export { conversionsOf, type ResourceOperation } from './operation.ts';
export { parseAgentResources, parseResources } from './parse.ts';
export { ResourcesParseError } from './parse-error.ts';
export { ResourceQuantities } from './quantities.ts';
export type { Range, Ranges } from './ranges.ts';
export { type Label, type Reservation, reservationAncestor } from './reservation.ts';
export {
  reservationRole,
  resourceFault,
  resourcesFault,
  type RangesResource,
  type Resource,
  type ResourceMetadata,
  type ResourceType,
  type ScalarResource,
  type SetResource,
} from './resource.ts';
export { Resources } from './resources.ts';
