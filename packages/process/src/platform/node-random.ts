import { randomBytes, randomUUID } from 'node:crypto';
import type { Random } from './platform.ts';

/** Node's random. */
export function nodeRandom(): Random {
  return { next: Math.random, uuid: () => randomUUID(), bytes: (length) => new Uint8Array(randomBytes(length)) };
}
