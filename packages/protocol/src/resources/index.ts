export { parseResources, ResourcesParseError } from './parse.ts';
export type { Range, Ranges } from './ranges.ts';
export {
  reservationRole,
  resourceFault,
  type RangesResource,
  type Resource,
  type ResourceMetadata,
  type ScalarResource,
  type SetResource,
} from './resource.ts';
export { Resources } from './resources.ts';
