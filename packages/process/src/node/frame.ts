import { Packr, Unpackr } from 'msgpackr';

/** Grows when frames change in a way that older nodes cannot read; HELLO carries it. */
export const protocolVersion = 1;

/** One end of a session: the node's incarnation, and which of its sessions to the peer this is. */
export interface End {
  readonly incarnation: number;
  readonly epoch: number;
}

/**
 * What nodes send each other. Every frame names both ends of its session, so that nothing of an earlier
 * session or incarnation is taken for the present one; an unknown other end is 0.0.
 */
export type Frame =
  | {
      readonly kind: 'hello';
      readonly version: number;
      readonly from: End;
      readonly to: End;
      readonly sent: number;
      readonly received: number;
    }
  | {
      readonly kind: 'batch';
      readonly from: End;
      readonly to: End;
      readonly sequence: number;
      readonly received: number;
      readonly envelopes: readonly unknown[];
    }
  | {
      readonly kind: 'heartbeat';
      readonly from: End;
      readonly to: End;
      readonly sent: number;
      readonly received: number;
      /** The sender wants a heartbeat back. */
      readonly answer: boolean;
      /** The sender missed what follows `received`. */
      readonly missed: boolean;
    }
  /** The sender's node stops; everything it had to say has been acknowledged, or it gave up on that. */
  | { readonly kind: 'bye'; readonly from: End; readonly to: End };

const kinds = { hello: 1, batch: 2, heartbeat: 3, bye: 4 } as const;

// Inline records: a frame describes its own record shapes, so peers share no dictionary that could drift or be poisoned.
class StrictPackr extends Packr {
  /** Left to itself the codec would send a function as undefined. */
  writeFunction(): never {
    throw new TypeError('a function cannot be sent');
  }
}
const packer = new StrictPackr({ maxSharedStructures: 0 });
// int64 of other languages would otherwise arrive as bigint. Bytes are views of the frame: copying each would halve the rate
// of small messages, so whoever keeps them copies them. References to what came before would make graphs of a few bytes
// that take for ever to walk.
const unpacker = new Unpackr({ int64AsType: 'number', structuredClone: false });

/** Bytes of a value by the codec that frames use. Throws for what cannot be encoded (functions, symbols, cycles). */
export function pack(value: unknown): Uint8Array {
  return packer.pack(value);
}

/** Throws for anything that is not exactly one well-formed value. */
export function unpack(bytes: Uint8Array): unknown {
  let value: unknown;
  let end = -1;
  // Its plain `unpack` writes out the whole value as text if bytes are left over, which takes seconds for some.
  unpacker.unpackMultiple(bytes, (first: unknown, _start, position = -1) => {
    value = first;
    end = position;
    return false;
  });
  if (end !== bytes.length) throw new RangeError(`${bytes.length - end} bytes are left over`);
  return value;
}

export function encode(frame: Frame): Uint8Array {
  switch (frame.kind) {
    case 'hello':
      return pack([kinds.hello, frame.version, ...endOf(frame.from), ...endOf(frame.to), frame.sent, frame.received]);
    case 'batch':
      return pack([
        kinds.batch,
        ...endOf(frame.from),
        ...endOf(frame.to),
        frame.sequence,
        frame.received,
        frame.envelopes,
      ]);
    case 'heartbeat':
      return pack([
        kinds.heartbeat,
        ...endOf(frame.from),
        ...endOf(frame.to),
        frame.sent,
        frame.received,
        frame.answer,
        frame.missed,
      ]);
    case 'bye':
      return pack([kinds.bye, ...endOf(frame.from), ...endOf(frame.to)]);
  }
}

/** Undefined for anything that is not a frame of this protocol. Throws only what the codec throws. */
export function decode(bytes: Uint8Array): Frame | undefined {
  const fields = unpack(bytes);
  if (!Array.isArray(fields)) return undefined;
  const [kind, a, b, c, d, e, f, g, h]: unknown[] = fields;
  switch (kind) {
    case kinds.hello:
      if (!numbers(a, b, c, d, e, f, g)) return undefined;
      return {
        kind: 'hello',
        version: a as number,
        from: end(b, c),
        to: end(d, e),
        sent: f as number,
        received: g as number,
      };
    case kinds.batch:
      if (!numbers(a, b, c, d, e, f) || !Array.isArray(g)) return undefined;
      return {
        kind: 'batch',
        from: end(a, b),
        to: end(c, d),
        sequence: e as number,
        received: f as number,
        envelopes: g,
      };
    case kinds.heartbeat:
      if (!numbers(a, b, c, d, e, f) || typeof g !== 'boolean' || typeof h !== 'boolean') return undefined;
      return {
        kind: 'heartbeat',
        from: end(a, b),
        to: end(c, d),
        sent: e as number,
        received: f as number,
        answer: g,
        missed: h,
      };
    case kinds.bye:
      if (!numbers(a, b, c, d)) return undefined;
      return { kind: 'bye', from: end(a, b), to: end(c, d) };
    default:
      return undefined;
  }
}

export function sameEnd(a: End, b: End): boolean {
  return a.incarnation === b.incarnation && a.epoch === b.epoch;
}

export function isLater(a: End, b: End): boolean {
  return a.incarnation > b.incarnation || (a.incarnation === b.incarnation && a.epoch > b.epoch);
}

export const unknownEnd: End = { incarnation: 0, epoch: 0 };

function endOf(end: End): [number, number] {
  return [end.incarnation, end.epoch];
}

function end(incarnation: unknown, epoch: unknown): End {
  return { incarnation: incarnation as number, epoch: epoch as number };
}

function numbers(...values: unknown[]): boolean {
  return values.every((value) => Number.isSafeInteger(value));
}
