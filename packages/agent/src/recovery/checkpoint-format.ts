import { RecoveryError } from './recovery-error.ts';

/** Of the files that this program writes. One that it does not know is of a newer program. */
const currentVersion = 1;

/** A value as a checkpoint: a line of JSON that also holds bytes, and numbers that are not finite. */
export function encodeCheckpoint(content: unknown): string {
  return `${JSON.stringify({ version: currentVersion, content: toJSON(content) })}\n`;
}

/**
 * The value in a checkpoint, still to be checked.
 *
 * @param path for messages
 * @throws {RecoveryError} CHECKPOINT_NEWER; any other error means that the file is corrupt
 */
export function decodeCheckpoint(bytes: Uint8Array, path: string): unknown {
  const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  if (typeof value !== 'object' || value === null || !('version' in value) || !('content' in value))
    throw new Error('expected an object with a version and a content');
  const { version, content } = value;
  if (typeof version !== 'number' || !Number.isSafeInteger(version) || version < 1)
    throw new Error(`expected a version of 1 or more, found ${JSON.stringify(version)}`);
  if (version > currentVersion) {
    const message = `Checkpoint '${path}' has version ${version}, this agent reads up to ${currentVersion}: start the newer agent that wrote it`;
    throw new RecoveryError('CHECKPOINT_NEWER', message);
  }
  return fromJSON(content);
}

/** Objects whose only key begins with a dollar sign are ours; others that look so are wrapped. */
function toJSON(value: unknown): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? value : { $number: String(value) };
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Uint8Array) {
    return { $bytes: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64') };
  }
  if (Array.isArray(value)) return value.map(toJSON);
  const plain = Object.fromEntries(Object.entries(value).map(([key, part]) => [key, toJSON(part)]));
  return markOf(plain) === undefined ? plain : { $object: plain };
}

function fromJSON(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(fromJSON);
  const mark = markOf(value);
  if (mark === undefined) return contentOf(value);
  const [[, marked] = []] = Object.entries(value);
  if (mark === '$number' && typeof marked === 'string') return Number(marked);
  if (mark === '$bytes' && typeof marked === 'string') return new Uint8Array(Buffer.from(marked, 'base64'));
  if (mark === '$object' && typeof marked === 'object' && marked !== null) return contentOf(marked);
  throw new Error(`${JSON.stringify(mark)} is no kind of value`);
}

function contentOf(value: object): object {
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, fromJSON(part)]));
}

function markOf(value: object): string | undefined {
  const [key, ...others] = Object.keys(value);
  return others.length === 0 && key?.startsWith('$') === true ? key : undefined;
}
