import { AgentID, Resources } from '@mezzo/protocol';
import { SeededRandom } from '@mezzo/process/testing';
import { ClusterTotals } from '../../src/allocator/cluster-totals.ts';
import { DrfSorter } from '../../src/allocator/drf-sorter.ts';

export const s1 = AgentID('s1');
export const s2 = AgentID('s2');
export const r = (text: string): Resources => Resources.parse(text);

/** A persistent volume that several tasks may use at once. */
export function shared(id: string, size = 10): Resources {
  return Resources.of([
    {
      name: 'disk',
      type: 'SCALAR',
      scalar: size,
      reservations: [{ type: 'DYNAMIC', role: 'x' }],
      disk: { persistence: { id }, volume: { containerPath: 'data', mode: 'RW' } },
      shared: true,
    },
  ]);
}

export function sorterOver(
  total: string,
  excluded: readonly string[] = [],
): { sorter: DrfSorter; totals: ClusterTotals } {
  const totals = new ClusterTotals();
  totals.add(r(total));
  const sorter = new DrfSorter({ totals, excluded: new Set(excluded), random: new SeededRandom('unused') });
  return { totals, sorter };
}

export function addActive(sorter: DrfSorter, ...clients: string[]): void {
  for (const client of clients) {
    sorter.add(client);
    sorter.activate(client);
  }
}

/** Adds active clients that hold so many cpus. */
export function addWithCpus(sorter: DrfSorter, cpus: Readonly<Record<string, number>>): void {
  for (const [client, amount] of Object.entries(cpus)) {
    addActive(sorter, client);
    sorter.allocated(client, s1, r(`cpus:${amount}`));
  }
}
