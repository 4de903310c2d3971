/**
 * What a batch carries, as flat arrays whose first element tells the kind. Processes are named by id and generation; their
 * nodes are those of the session, and the transport vouches for the sender's.
 */
export const kind = { messages: 0, link: 1, exited: 2, unlink: 3, refused: 4, chunk: 5, returned: 6 } as const;

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
  | ReturnedEnvelope;

/** Messages in a row from one process to another of one kind: naming the ends once is most of what batching saves. */
export type MessagesEnvelope = readonly [
  typeof kind.messages,
  to: string,
  toGeneration: number,
  /** Incarnation the sender meant; 0 for whoever has the id now. */
  toIncarnation: number,
  from: string,
  fromGeneration: number,
  name: string,
  bodies: unknown[],
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

const shapes: readonly (readonly string[])[] = [
  ['string', 'number', 'number', 'string', 'number', 'string', 'array'],
  ['string', 'number', 'string', 'number', 'number'],
  ['string', 'number', 'string', 'number', 'number', 'string', 'string'],
  ['string', 'number', 'string', 'number'],
  ['string', 'number', 'string', 'string'],
  ['boolean', 'bytes'],
  ['string', 'number', 'number', 'string', 'number', 'string', 'string', 'number'],
];

/** The envelope, if the value from the wire has the shape of one. */
export function asEnvelope(value: unknown): Envelope | undefined {
  if (!Array.isArray(value) || typeof value[0] !== 'number') return undefined;
  const shape = shapes[value[0]];
  if (shape === undefined || value.length !== shape.length + 1) return undefined;
  for (let index = 0; index < shape.length; index++) {
    const expected = shape[index];
    const field: unknown = value[index + 1];
    if (typeof field === expected) continue;
    if (expected === 'array' && Array.isArray(field)) continue;
    if (expected === 'bytes' && field instanceof Uint8Array) continue;
    return undefined;
  }
  // Just checked, field by field.
  return value as unknown as Envelope;
}

/** How many messages it stands for. */
export function weightOf(envelope: Envelope): number {
  return envelope[0] === kind.messages ? envelope[7].length : 1;
}

/** The same in two parts, in order; undefined for what cannot be divided. */
export function halve(envelopes: readonly Envelope[]): readonly [Envelope[], Envelope[]] | undefined {
  if (envelopes.length > 1) {
    const middle = envelopes.length >> 1;
    return [envelopes.slice(0, middle), envelopes.slice(middle)];
  }
  const [only] = envelopes;
  if (only === undefined || only[0] !== kind.messages || only[7].length < 2) return undefined;
  const middle = only[7].length >> 1;
  return [[withBodies(only, only[7].slice(0, middle))], [withBodies(only, only[7].slice(middle))]];
}

export function withBodies(envelope: MessagesEnvelope, bodies: unknown[]): MessagesEnvelope {
  const [, to, toGeneration, toIncarnation, from, fromGeneration, name] = envelope;
  return [kind.messages, to, toGeneration, toIncarnation, from, fromGeneration, name, bodies];
}
