import type { FrameworkID, ResourceQuantities } from '@mezzo/protocol';
import type { Client } from './client.ts';
import type { Clients } from './clients.ts';

/**
 * All clients by role and then by framework, as sorters put them, in one list. While nothing is allocated the order stays,
 * and a run that looks at many agents in vain need not ask the sorters about each.
 */
export class ClientOrder {
  #asked = -1;
  #made = -1;
  #clients: readonly Client[] | undefined;
  /** By the names of what there is, in this epoch. */
  readonly #withRoom = new Map<string, readonly Client[]>();
  #epoch = -1;

  /** undefined while it is not worth it, or where sorters draw a new order each time. */
  clients({ order, roleSorter, roles }: Clients): readonly Client[] | undefined {
    if (this.#made === order) return this.#clients;
    // The first to ask after a change may be the cause of the next one.
    if (this.#asked !== order) {
      this.#asked = order;
      return undefined;
    }
    this.#made = order;
    this.#clients = undefined;
    this.#withRoom.clear();
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

  /** Of those that `clients` gave for this epoch: who is not at the limits of the role already, of any of these. */
  withRoomFor(quantities: ResourceQuantities, { epoch }: Clients): readonly Client[] {
    if (this.#epoch !== epoch) this.#withRoom.clear();
    this.#epoch = epoch;
    const names = JSON.stringify(quantities.names);
    let clients = this.#withRoom.get(names);
    if (clients === undefined) {
      clients = this.#clients?.filter(({ role }) => role.room.hasRoomFor(quantities)) ?? [];
      this.#withRoom.set(names, clients);
    }
    return clients;
  }
}
