import type { Ledger } from './ledger.ts';
import type { Quantities } from './quantities.ts';

/**
 * For each resource the part of what is free, 0 to 1, that lies on agents where the mean waiting task does not fit. 0 without
 * a waiting task, or when nothing is free.
 */
export function fragmentation(ledger: Ledger): number[] {
  const { names, wanted, queued } = ledger;
  const count = names.names.length;
  const free = names.zero();
  const wasted = names.zero();
  if (queued === 0) return free;
  const mean = wanted.map((sum) => sum / queued);
  for (const agent of ledger.agents.values()) {
    if (!agent.isPresent) continue;
    let tooFull = false;
    for (let i = 0; i < count; i++) if (freeOf(agent, i) < (mean[i] ?? 0)) tooFull = true;
    for (let i = 0; i < count; i++) {
      const part = freeOf(agent, i);
      free[i] = (free[i] ?? 0) + part;
      if (tooFull) wasted[i] = (wasted[i] ?? 0) + part;
    }
  }
  return free.map((all, i) => (all === 0 ? 0 : (wasted[i] ?? 0) / all));
}

interface Partly {
  readonly total: Quantities;
  readonly used: Quantities;
  readonly offered: Quantities;
}

/** Where latencies differ, an agent's next holder can hear of it before the last one has heard of the end: then less than 0. */
function freeOf({ total, used, offered }: Partly, index: number): number {
  return Math.max(0, (total[index] ?? 0) - (used[index] ?? 0) - (offered[index] ?? 0));
}
