/**
 * What a batch carries, as flat arrays whose first element tells the kind. Processes are named by id and generation; their
 * nodes are those of the session, and the transport vouches for the sender's.
 */
export const kind = { message: 0, link: 1, exited: 2, unlink: 3, refused: 4, chunk: 5 } as const;

export type Envelope =
  | MessageEnvelope
  | readonly [typeof kind.link, linker: string, linkerGeneration: number, linkee: string, linkeeGeneration: number, incarnation: number]
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
  | readonly [typeof kind.refused, asker: string, askerGeneration: number, code: string, text: string]
  | readonly [typeof kind.chunk, last: boolean, bytes: Uint8Array];

export type MessageEnvelope = readonly [
  typeof kind.message,
  to: string,
  toGeneration: number,
  /** Incarnation the sender meant; 0 for whoever has the id now. */
  toIncarnation: number,
  from: string,
  fromGeneration: number,
  name: string,
  body: unknown,
];

const shapes: Readonly<Record<number, readonly string[]>> = {
  [kind.message]: ['string', 'number', 'number', 'string', 'number', 'string', 'any'],
  [kind.link]: ['string', 'number', 'string', 'number', 'number'],
  [kind.exited]: ['string', 'number', 'string', 'number', 'number', 'string', 'string'],
  [kind.unlink]: ['string', 'number', 'string', 'number'],
  [kind.refused]: ['string', 'number', 'string', 'string'],
  [kind.chunk]: ['boolean', 'bytes'],
};

/** The envelope, if the value from the wire has the shape of one. */
export function asEnvelope(value: unknown): Envelope | undefined {
  if (!Array.isArray(value)) return undefined;
  const shape = shapes[value[0] as number];
  if (shape === undefined || value.length !== shape.length + 1) return undefined;
  for (let index = 0; index < shape.length; index++) {
    const expected = shape[index];
    const field: unknown = value[index + 1];
    if (expected === 'any' || typeof field === expected) continue;
    if (expected === 'bytes' && field instanceof Uint8Array) continue;
    return undefined;
  }
  return value as unknown as Envelope;
}
