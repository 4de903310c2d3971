import { messageOf, ProcessError, type WireSchema } from '@mezzo/process';
import type { LogContents } from '@mezzo/process/log';
import { registrarMessages, type RegistryContents, wire } from '@mezzo/protocol';
import { Packr, Unpackr } from 'msgpackr';
import Type from 'typebox';
import { version } from '../version.ts';
import { type RegistryRecord, RegistryState } from './registry-state.ts';

/** The first byte of every record and snapshot; grows when older versions would misunderstand what follows. */
export const registryFormat = 1;

// Self-contained: each record describes its own shapes, and can be read without any other.
const packer = new Packr({ maxSharedStructures: 0 });
const unpacker = new Unpackr({ int64AsType: 'number', structuredClone: false });

const record = Type.Union([registrarMessages.registryOperation, registrarMessages.registrySeal]);
const recordSchema = wire(record);
const contentsSchema = wire(registrarMessages.registryContents);

const kinds: ReadonlySet<unknown> = new Set(
  [...registrarMessages.registryOperation.anyOf, registrarMessages.registrySeal].map(
    ({ properties }) => properties.kind.const,
  ),
);

export function encodeRecord(value: RegistryRecord): Uint8Array {
  return encode(value);
}

export function encodeSnapshot(contents: RegistryContents): Uint8Array {
  return encode(contents);
}

/** What the log tells. Throws ProcessError with LOG_VERSION for what a newer version wrote, and with LOG_CORRUPT. */
export function readRegistry({ snapshot, entries }: LogContents): RegistryState {
  const state =
    snapshot === undefined
      ? new RegistryState()
      : RegistryState.of(checked(decode(snapshot.state, 'The snapshot'), contentsSchema, 'The snapshot'));
  for (const { sequence, records } of entries) {
    for (const [index, bytes] of records.entries()) {
      const place = `Record ${index} of entry ${sequence}`;
      const value = decode(bytes, place, state);
      refuseUnknownKind(value, place, state);
      const fault = state.apply(checked(value, recordSchema, place));
      if (fault !== undefined) throw corrupt(place, `it makes no sense where it stands: ${fault}`);
    }
  }
  return state;
}

/** Checks a value from outside. Throws as `readRegistry`. */
export function checkContents(value: unknown, place: string): RegistryContents {
  return checked(value, contentsSchema, place);
}

function encode(value: object): Uint8Array {
  const body = packer.pack(value);
  const bytes = new Uint8Array(body.length + 1);
  bytes[0] = registryFormat;
  bytes.set(body, 1);
  return bytes;
}

function decode(bytes: Uint8Array, place: string, state?: RegistryState): unknown {
  const [format] = bytes;
  if (format === undefined) throw corrupt(place, 'it is empty');
  if (format > registryFormat)
    throw newer(place, `has format ${format}; the newest known here is ${registryFormat}`, state);
  try {
    return unpacker.unpack(bytes.subarray(1));
  } catch (error) {
    throw corrupt(place, messageOf(error), error);
  }
}

function refuseUnknownKind(value: unknown, place: string, state: RegistryState): void {
  const kind: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, 'kind') : undefined;
  if (typeof kind === 'string' && !kinds.has(kind)) throw newer(place, `is of the unknown kind '${kind}'`, state);
}

function checked<T>(value: unknown, schema: WireSchema<T>, place: string): T {
  const outcome = schema['~standard'].validate(value);
  if (outcome instanceof Promise) throw new TypeError('a schema that takes time cannot check records');
  if (outcome.issues === undefined) return outcome.value;
  const [issue] = outcome.issues;
  throw corrupt(place, issue === undefined ? 'it is invalid' : `${JSON.stringify(issue.path ?? '')} ${issue.message}`);
}

/** Says which version wrote it, if the newest seal tells. */
function newer(place: string, what: string, state?: RegistryState): ProcessError {
  const writer = state?.master?.version;
  const by = writer === undefined ? '' : ` (${writer})`;
  return new ProcessError(
    'LOG_VERSION',
    `${place} of the registry ${what}: the registry was written by a newer version${by} than this one (${version}); start that one`,
  );
}

function corrupt(place: string, why: string, cause?: unknown): ProcessError {
  return new ProcessError('LOG_CORRUPT', `${place} of the registry cannot be read: ${why}; restore a backup`, {
    cause,
  });
}
