import type { FrameworkID } from '@mezzo/protocol';
import type { AllocatorState } from './allocator-state.ts';
import type { Client } from './client.ts';

/**
 * All clients by role and then by framework, as sorters put them, in one list. While nothing is allocated the order stays,
 * and a run that looks at many agents in vain need not ask the sorters about each.
 */
export class ClientOrder {
  #asked = -1;
  #made = -1;
  #clients: readonly Client[] | undefined;

  /** undefined while it is not worth it, or where sorters draw a new order each time. */
  clients({ order, roleSorter, roles }: AllocatorState): readonly Client[] | undefined {
    if (this.#made === order) return this.#clients;
    // The first to ask after a change may be the cause of the next one.
    if (this.#asked !== order) {
      this.#asked = order;
      return undefined;
    }
    this.#made = order;
    this.#clients = undefined;
    const paths = roleSorter.sort();
    if (paths !== roleSorter.sort()) return undefined;
    const clients: Client[] = [];
    for (const path of paths) {
      const role = roles.get(path);
      if (role?.sorter === undefined) continue;
      const ids = role.sorter.sort();
      if (ids !== role.sorter.sort()) return undefined;
      for (const id of ids) {
        const client = role.clients.get(id as FrameworkID);
        if (client !== undefined) clients.push(client);
      }
    }
    this.#clients = clients;
    return clients;
  }
}
