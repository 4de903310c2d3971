import { PID } from '@mezzo/process';
import Type, { type Static } from 'typebox';
import { parts, term } from './model.ts';
import { wire } from './wire.ts';

/** The topic on which the leading master announces itself. */
export const leaderTopic = 'leader';
/** The topic on which anybody asks the leader to announce itself. */
export const detectTopic = 'detect';

/** A bare address may be another process tomorrow, and what is no address would throw at whoever follows it. */
function isExactAddress(text: string): boolean {
  try {
    return PID.parse(text).isExact;
  } catch {
    return false;
  }
}

export const exactAddress = Type.Refine(parts.address, isExactAddress);

export const leaderSchema = Type.Object({
  cluster: parts.text,
  /** The exact address of the master process. */
  address: exactAddress,
  term,
  /** Where its HTTP server is; empty without one. */
  url: parts.text,
});

/** Who leads: what agents, schedulers and pages follow. */
export type Leader = Static<typeof leaderSchema>;

const schema = wire(leaderSchema);

/** The bytes that are announced. */
export function encodeLeader(leader: Leader): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(leader));
}

/** What was announced, or undefined for anything else. */
export function decodeLeader(data: Uint8Array): Leader | undefined {
  try {
    return leaderOf(JSON.parse(new TextDecoder().decode(data)));
  } catch {
    return undefined;
  }
}

/** The value if it names a leader. */
export function leaderOf(value: unknown): Leader | undefined {
  const outcome = schema['~standard'].validate(value);
  return outcome instanceof Promise || outcome.issues !== undefined ? undefined : outcome.value;
}
