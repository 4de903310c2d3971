/** Tells whether a run with these parts only still fails as it did, and with which of them; undefined if not. */
export type Attempt = (parts: ReadonlyMap<string, number>) => Promise<ReadonlyMap<string, number> | undefined>;

/** Fractions of its time that a fault is tried with, the shortest first. */
const fractions = [1 / 16, 1 / 4];

/**
 * The fewest parts that still fail, found by delta debugging (Zeller and Hildebrandt's ddmin): leave out all, then halves,
 * then smaller pieces, until no single part can be left out; then each fault is made as short as can be.
 * @param runs how many attempts there may be.
 */
export async function shrink(
  failing: ReadonlyMap<string, number>,
  attempt: Attempt,
  runs: number,
): Promise<ReadonlyMap<string, number>> {
  let left = runs;
  let parts = failing;
  const fails = async (tried: ReadonlyMap<string, number>): Promise<boolean> => {
    if (left-- <= 0) return false;
    const taken = await attempt(tried);
    if (taken !== undefined) parts = taken;
    return taken !== undefined;
  };
  for (let pieces = 1; parts.size > 0 && left > 0;) {
    if (await leaveOutOne(parts, pieces, fails)) pieces = Math.max(pieces - 1, 1);
    else if (pieces >= parts.size) break;
    else pieces = Math.min(pieces * 2, parts.size);
  }
  for (const name of parts.keys()) {
    if (name.startsWith('act.')) continue;
    for (const fraction of fractions) if (await fails(new Map(parts).set(name, fraction))) break;
  }
  return parts;
}

/** True if it still fails without one of so many pieces. */
async function leaveOutOne(
  parts: ReadonlyMap<string, number>,
  pieces: number,
  fails: (parts: ReadonlyMap<string, number>) => Promise<boolean>,
): Promise<boolean> {
  const entries = [...parts];
  const size = Math.ceil(entries.length / pieces);
  for (let at = 0; at < entries.length; at += size) {
    if (await fails(new Map([...entries.slice(0, at), ...entries.slice(at + size)]))) return true;
  }
  return false;
}
