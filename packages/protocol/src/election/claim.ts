import Type, { type Static } from 'typebox';
import { exactAddress } from '../messages/leader.ts';
import { parts, term } from '../messages/model.ts';
import { wire } from '../messages/wire.ts';

const claim = Type.Object({
  cluster: parts.text,
  /** The exact address of the contender that holds the lease. */
  candidate: exactAddress,
  /** When it wrote this, in milliseconds by its own clock: nobody else can make anything of it. */
  sent: Type.Number(),
  /** Of the reign; without one, this write begins it, and its revision is the term's. */
  term: Type.Optional(term),
  /** The exact address of the master that leads, once there is one. */
  master: Type.Optional(exactAddress),
  /** Where that master's HTTP server is; empty without one. */
  url: parts.text,
});

/** What the holder of the leader's lease writes into it. */
export type Claim = Static<typeof claim>;

const schema = wire(claim);

export function encodeClaim(value: Claim): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** What was written, or undefined for anything else. */
export function decodeClaim(bytes: Uint8Array): Claim | undefined {
  try {
    const outcome = schema['~standard'].validate(JSON.parse(new TextDecoder().decode(bytes)));
    return outcome instanceof Promise || outcome.issues !== undefined ? undefined : outcome.value;
  } catch {
    return undefined;
  }
}
