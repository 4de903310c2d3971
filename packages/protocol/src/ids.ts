declare const kind: unique symbol;

/** A string that was checked to be an id of one kind; at run time it is the plain string. */
export type Id<Kind extends string> = string & { readonly [kind]: Kind };

/** Checks a string and brands it; `is` is the same check as a type guard. */
export interface IdKind<Kind extends string> {
  /** @throws {InvalidIdError} when `text` breaks the rules of this kind of id */
  (text: string): Id<Kind>;
  readonly is: (value: unknown) => value is Id<Kind>;
}

export class InvalidIdError extends Error {
  override readonly name = 'InvalidIdError';
  readonly kind: string;
  readonly given: unknown;

  constructor(idKind: string, given: unknown, problem: string) {
    super(`${describe(given)} is not a valid ${idKind}: ${problem}`);
    this.kind = idKind;
    this.given = given;
  }
}

/** Ids become directory names at the agent, whose file systems allow 255 bytes (NAME_MAX; Mesos has the same limit). */
export const MAX_ID_BYTES = 255;

export type FrameworkID = Id<'FrameworkID'>;
export const FrameworkID: IdKind<'FrameworkID'> = idKind('FrameworkID', pathSegmentFault);

export type AgentID = Id<'AgentID'>;
export const AgentID: IdKind<'AgentID'> = idKind('AgentID', pathSegmentFault);

export type OfferID = Id<'OfferID'>;
export const OfferID: IdKind<'OfferID'> = idKind('OfferID', pathSegmentFault);

export type TaskID = Id<'TaskID'>;
export const TaskID: IdKind<'TaskID'> = idKind('TaskID', pathSegmentFault);

export type ExecutorID = Id<'ExecutorID'>;
export const ExecutorID: IdKind<'ExecutorID'> = idKind('ExecutorID', pathSegmentFault);

export type ContainerID = Id<'ContainerID'>;
export const ContainerID: IdKind<'ContainerID'> = idKind('ContainerID', pathSegmentFault);

export type MasterID = Id<'MasterID'>;
export const MasterID: IdKind<'MasterID'> = idKind('MasterID', pathSegmentFault);

/** Names one status update; in text form because it is a map key everywhere, 16 bytes only at the v1 edge. */
export type UpdateUUID = Id<'UpdateUUID'>;
export const UpdateUUID: IdKind<'UpdateUUID'> = idKind('UpdateUUID', uuidFault);

/** Names one operation on an agent's resources, at master and agent; frameworks give an id of their own. */
export type OperationUUID = Id<'OperationUUID'>;
export const OperationUUID: IdKind<'OperationUUID'> = idKind('OperationUUID', uuidFault);

function idKind<Kind extends string>(name: Kind, fault: (text: string) => string | undefined): IdKind<Kind> {
  const is = (value: unknown): value is Id<Kind> => typeof value === 'string' && fault(value) === undefined;
  const check = (text: string): Id<Kind> => {
    if (is(text)) return text;
    throw new InvalidIdError(name, text, typeof text === 'string' ? (fault(text) ?? '') : 'expected a string');
  };
  return Object.assign(check, { is });
}

// oxlint-disable-next-line no-control-regex -- control characters are what it looks for
const FORBIDDEN = /[\u0000-\u001f\u007f/\\]|\p{Surrogate}/u;

/** Why a text cannot name a file or folder, or undefined. */
export function pathSegmentFault(text: string): string | undefined {
  if (text === '') return 'it is empty; expected 1 to 255 bytes';
  if (text === '.' || text === '..') return 'it would name a directory; choose another name';
  const forbidden = FORBIDDEN.exec(text);
  if (forbidden !== null) {
    return `it contains ${describe(forbidden[0])} at position ${forbidden.index}; control characters, "/" and "\\" are not allowed`;
  }
  // UTF-8 needs at most 3 bytes per UTF-16 unit, so most ids need no encoding to be measured.
  if (text.length * 3 > MAX_ID_BYTES) {
    const bytes = new TextEncoder().encode(text).length;
    if (bytes > MAX_ID_BYTES) return `it is ${bytes} bytes long; expected 1 to ${MAX_ID_BYTES} bytes`;
  }
  return undefined;
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

function uuidFault(text: string): string | undefined {
  return UUID.test(text) ? undefined : 'expected a UUID in lower case, as 01234567-89ab-4cde-8f01-23456789abcd';
}

/** Quotes a value for an error line, with escapes and shortened: the value may come from anywhere. */
function describe(given: unknown): string {
  if (typeof given !== 'string') return given === null ? 'null' : `a value of type ${typeof given}`;
  return JSON.stringify(given.length > 80 ? `${given.slice(0, 77)}...` : given);
}
