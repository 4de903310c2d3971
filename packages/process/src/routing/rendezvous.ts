/**
 * Highest random weight hashing (Thaler and Ravishankar 1998): every key belongs to the candidate that it gets the largest
 * weight with. A candidate that comes takes its share from all others alike, one that goes gives back its own, and no other
 * key moves. Costs one multiplication per candidate; there is no ring to keep.
 */
export function rendezvous<C extends { readonly seed: number }>(key: string, candidates: readonly C[]): C | undefined {
  const hashed = hash(key);
  let best: C | undefined;
  let most = -1;
  for (const candidate of candidates) {
    const weight = mix(hashed ^ candidate.seed);
    if (weight < most || (weight === most && best !== undefined && candidate.seed >= best.seed)) continue;
    best = candidate;
    most = weight;
  }
  return best;
}

/** What a candidate of this name is known by. */
export function seedOf(name: string): number {
  return mix(hash(name));
}

/** FNV-1a, 32 bits. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) value = Math.imul(value ^ text.charCodeAt(index), 0x01000193);
  return value >>> 0;
}

/** The finalizer of MurmurHash3: every bit of the input reaches every bit of the result. */
function mix(input: number): number {
  let value = Math.imul(input ^ (input >>> 16), 0x85ebca6b);
  value = Math.imul(value ^ (value >>> 13), 0xc2b2ae35);
  return (value ^ (value >>> 16)) >>> 0;
}
