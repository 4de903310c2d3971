import type { PID } from '../pid.ts';

/**
 * What a batch carries, as flat arrays whose first element tells the kind. Processes are named by id and generation; their
 * nodes are those of the session, and the transport vouches for the sender's.
 *
 * On the wire (msgpack), `ends` being to, toGeneration, toIncarnation, from, fromGeneration:
 *
 * | kind     | n | elements after n                                                                         |
 * | -------- | - | ---------------------------------------------------------------------------------------- |
 * | messages | 0 | ends, name, [body, …], meta?                                                             |
 * | link     | 1 | linker, linkerGeneration, linkee, linkeeGeneration, incarnation                          |
 * | exited   | 2 | linker, linkerGeneration, linkee, linkeeGeneration, generation, reason, text             |
 * | unlink   | 3 | linker, linkerGeneration, linkee, linkeeGeneration                                       |
 * | refused  | 4 | asker, askerGeneration, code, text                                                       |
 * | chunk    | 5 | last, bytes (part of another envelope, packed)                                           |
 * | returned | 6 | ends, name, reason, count                                                                |
 * | bytes    | 7 | ends, name, size of every body or [size, …], all bodies in one piece, meta?              |
 * | cancel   | 8 | askerGeneration: the answer to the ask of that number is not wanted any more                |
 *
 * `meta` is there only with a single body.
 */
export const kind = {
  messages: 0,
  link: 1,
  exited: 2,
  unlink: 3,
  refused: 4,
  chunk: 5,
  returned: 6,
  bytes: 7,
  cancel: 8,
} as const;

export type Envelope =
  | MessagesEnvelope
  | readonly [
      typeof kind.link,
      linker: string,
      linkerGeneration: number,
      linkee: string,
      linkeeGeneration: number,
      incarnation: number,
    ]
  | readonly [
      typeof kind.exited,
      linker: string,
      linkerGeneration: number,
      linkee: string,
      linkeeGeneration: number,
      generation: number,
      reason: string,
      text: string,
    ]
  | readonly [typeof kind.unlink, linker: string, linkerGeneration: number, linkee: string, linkeeGeneration: number]
  /** No answer will come to an ask. */
  | readonly [typeof kind.refused, asker: string, askerGeneration: number, code: string, text: string]
  | readonly [typeof kind.chunk, last: boolean, bytes: Uint8Array]
  | readonly [typeof kind.cancel, asker: number]
  | ReturnedEnvelope;

/**
 * Messages in a row from one process to another of one kind: naming the ends once is most of what batching saves. Bodies
 * that are bytes themselves are kept apart from others, so that they need not be encoded one by one.
 */
export type MessagesEnvelope = Run<typeof kind.messages, unknown> | Run<typeof kind.bytes, Uint8Array>;

type Run<Kind, Body> = readonly [
  kind: Kind,
  to: string,
  toGeneration: number,
  /** Incarnation the sender meant; 0 for whoever has the id now. */
  toIncarnation: number,
  from: string,
  fromGeneration: number,
  name: string,
  bodies: Body[],
  /** What travels beside the body, if anything does; then it is the only body. */
  meta?: unknown,
];

/** Messages that nobody took, told to their sender's node, as HTTP's 404 was in libprocess. */
export type ReturnedEnvelope = readonly [
  typeof kind.returned,
  to: string,
  toGeneration: number,
  toIncarnation: number,
  from: string,
  fromGeneration: number,
  name: string,
  reason: string,
  count: number,
];

const ends = ['string', 'number', 'number', 'string', 'number'] as const;
const shapes: readonly (readonly string[])[] = [
  [...ends, 'string', 'array'],
  ['string', 'number', 'string', 'number', 'number'],
  ['string', 'number', 'string', 'number', 'number', 'string', 'string'],
  ['string', 'number', 'string', 'number'],
  ['string', 'number', 'string', 'string'],
  ['boolean', 'bytes'],
  [...ends, 'string', 'string', 'number'],
  [...ends, 'string', 'sizes', 'bytes'],
  ['number'],
];

/** The beginning of a run, to which further bodies may be added if there is no meta. */
export function runOf(to: PID, from: PID, name: string, body: unknown, meta: unknown): MessagesEnvelope {
  const { id, generation, incarnation } = to;
  if (body instanceof Uint8Array) {
    return meta === undefined
      ? [kind.bytes, id, generation, incarnation, from.id, from.generation, name, [body]]
      : [kind.bytes, id, generation, incarnation, from.id, from.generation, name, [body], meta];
  }
  return meta === undefined
    ? [kind.messages, id, generation, incarnation, from.id, from.generation, name, [body]]
    : [kind.messages, id, generation, incarnation, from.id, from.generation, name, [body], meta];
}

/** Messages in one envelope at most. */
export const runLimit = 65_536;

/** What goes into a frame for its envelopes, to be encoded at once. */
export function wireOf(envelopes: readonly Envelope[]): (readonly unknown[])[] {
  let at = 0;
  return envelopes.map((envelope) => {
    if (envelope[0] !== kind.bytes) return envelope;
    const [number, to, toGeneration, toIncarnation, from, fromGeneration, name, bodies, ...meta] = envelope;
    const joined = join(bodies, at);
    at += joined.length;
    return [number, to, toGeneration, toIncarnation, from, fromGeneration, name, sizesOf(bodies), joined, ...meta];
  });
}

/** Where bodies of one frame are put together; memory allocated for each frame would be what keeps the collector busy. */
const desk = new Uint8Array(128 * 1024);

function join(bodies: readonly Uint8Array[], start: number): Uint8Array {
  const [only] = bodies;
  if (only !== undefined && bodies.length === 1) return only;
  const total = bytesOf(bodies);
  if (start + total > desk.length) return Buffer.concat(bodies, total);
  let at = start;
  for (const body of bodies) {
    desk.set(body, at);
    at += body.length;
  }
  return desk.subarray(start, at);
}

export function bytesOf(bodies: readonly Uint8Array[]): number {
  let bytes = 0;
  for (const body of bodies) bytes += body.length;
  return bytes;
}

/** The envelope, if the value from the wire has the shape of one. */
export function asEnvelope(value: unknown): Envelope | undefined {
  if (!Array.isArray(value) || typeof value[0] !== 'number') return undefined;
  const shape = shapes[value[0]];
  if (shape === undefined) return undefined;
  for (let index = 0; index < shape.length; index++) if (!isA(shape[index], value[index + 1])) return undefined;
  // Just checked, field by field.
  const envelope = (value[0] === kind.bytes ? withBodiesDivided(value) : value) as unknown as Envelope | undefined;
  const extra = value.length - shape.length - 1;
  if (extra === 0 || envelope === undefined) return envelope;
  return extra === 1 && hasMessages(envelope) && envelope[7].length === 1 ? envelope : undefined;
}

function isA(expected: string | undefined, field: unknown): boolean {
  if (typeof field === expected) return true;
  if (expected === 'array') return Array.isArray(field) && field.length <= runLimit;
  if (expected === 'bytes') return field instanceof Uint8Array;
  return expected === 'sizes' && (typeof field === 'number' || isA('array', field));
}

/** One number if all are of one size, as they are where there are many. */
function sizesOf(bodies: readonly Uint8Array[]): number | number[] {
  const size = bodies[0]?.length ?? 0;
  if (size > 0 && bodies.every((body) => body.length === size)) return size;
  return bodies.map((body) => body.length);
}

function withBodiesDivided(value: readonly unknown[]): unknown {
  const [number, to, toGeneration, toIncarnation, from, fromGeneration, name, sizes, joined, ...meta] = value;
  if (!(joined instanceof Uint8Array)) return undefined;
  const bodies =
    typeof sizes === 'number' ? equalParts(sizes, joined) : Array.isArray(sizes) ? parts(sizes, joined) : undefined;
  return bodies && [number, to, toGeneration, toIncarnation, from, fromGeneration, name, bodies, ...meta];
}

function equalParts(size: number, { buffer, byteOffset, length }: Uint8Array): Uint8Array[] | undefined {
  const count = length / size;
  if (!Number.isSafeInteger(size) || !Number.isInteger(count) || size < 1 || count > runLimit) return undefined;
  const bodies = new Array<Uint8Array>(count);
  // A view costs a tenth of a copy, and a third of a subarray.
  for (let index = 0; index < count; index++) bodies[index] = new Uint8Array(buffer, byteOffset + index * size, size);
  return bodies;
}

function parts(sizes: readonly unknown[], { buffer, byteOffset, length }: Uint8Array): Uint8Array[] | undefined {
  const bodies: Uint8Array[] = [];
  let at = 0;
  for (const size of sizes) {
    if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0 || size > length - at) return undefined;
    bodies.push(new Uint8Array(buffer, byteOffset + at, size));
    at += size;
  }
  return at === length ? bodies : undefined;
}

export function hasMessages(envelope: Envelope): envelope is MessagesEnvelope {
  return envelope[0] === kind.messages || envelope[0] === kind.bytes;
}

/** How many messages it stands for. */
export function weightOf(envelope: Envelope): number {
  return hasMessages(envelope) ? envelope[7].length : 1;
}

/** The same in two parts, in order; undefined for what cannot be divided. */
export function halve(envelopes: readonly Envelope[]): readonly [Envelope[], Envelope[]] | undefined {
  if (envelopes.length > 1) {
    const middle = envelopes.length >> 1;
    return [envelopes.slice(0, middle), envelopes.slice(middle)];
  }
  const [only] = envelopes;
  if (only === undefined || !hasMessages(only) || only[7].length < 2) return undefined;
  const middle = only[7].length >> 1;
  return [[part(only, 0, middle)], [part(only, middle, only[7].length)]];
}

/** Some of the messages of several, which have no meta therefore. */
function part(envelope: MessagesEnvelope, start: number, end: number): MessagesEnvelope {
  const [, to, toGeneration, toIncarnation, from, fromGeneration, name] = envelope;
  return envelope[0] === kind.bytes
    ? [kind.bytes, to, toGeneration, toIncarnation, from, fromGeneration, name, envelope[7].slice(start, end)]
    : [kind.messages, to, toGeneration, toIncarnation, from, fromGeneration, name, envelope[7].slice(start, end)];
}
