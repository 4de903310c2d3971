import { asEnvelope, type Envelope, kind, weightOf } from './envelope.ts';
import { unpack } from './frame.ts';
import type { Batch } from './outbox.ts';

type ChunkEnvelope = Extract<Envelope, readonly [typeof kind.chunk, ...unknown[]]>;

/** Bytes of any part but the last: smaller ones count as much, or a peer could have this node keep parts without end. */
export const smallestPart = 512;

/** A packed envelope that is too large for one frame, as batches of one part each. */
export function partsOf(envelope: Envelope, packed: Uint8Array, size: number): Batch[] {
  const parts: Batch[] = [];
  for (let at = 0; at < packed.length; at += size) {
    const last = at + size >= packed.length;
    parts.push({ envelopes: [[kind.chunk, last, packed.subarray(at, at + size)]], whole: last ? envelope : undefined });
  }
  return parts;
}

/** Puts an envelope together again that came in parts. */
export class Assembly {
  #parts: Uint8Array[] = [];
  #bytes = 0;

  /** The envelope with its last part, undefined before, or why it has to be dropped. */
  take([, last, bytes]: ChunkEnvelope, limit: number): Envelope | string | undefined {
    this.#bytes += last ? bytes.length : Math.max(bytes.length, smallestPart);
    const fits = this.#bytes <= limit;
    // A view keeps all of the buffer it came in.
    if (fits) this.#parts.push(bytes.length * 2 < bytes.buffer.byteLength ? new Uint8Array(bytes) : bytes);
    else this.#parts = [];
    if (!last) return undefined;
    const whole = fits ? this.#whole() : 'a message above the size limit';
    this.clear();
    return whole;
  }

  clear(): void {
    this.#parts = [];
    this.#bytes = 0;
  }

  #whole(): Envelope | string {
    try {
      const envelope = asEnvelope(unpack(Buffer.concat(this.#parts)));
      // A sender divides what holds several messages before it resorts to chunks.
      if (envelope !== undefined && envelope[0] !== kind.chunk && weightOf(envelope) === 1) return envelope;
    } catch {
      // Told below.
    }
    return 'a chunked message that cannot be decoded';
  }
}
