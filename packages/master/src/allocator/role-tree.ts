import {
  type AgentID,
  type FrameworkID,
  type Resource,
  ResourceLimits,
  ResourceQuantities,
  Resources,
} from '@mezzo/protocol';
import type { Client } from './client.ts';
import { TrackedQuantities } from './tracked-quantities.ts';
import type { Sorter } from './sorter.ts';

export interface RoleQuota {
  readonly guarantees: ResourceQuantities;
  readonly limits: ResourceLimits;
}

/** What a role has, beside its quota, as long as neither changes. */
interface Reckoning {
  readonly held: ResourceQuantities;
  readonly reservations: ResourceQuantities;
  readonly quota: RoleQuota;
  readonly consumed: ResourceQuantities;
  readonly missing: ResourceQuantities;
  readonly room: ResourceLimits;
}

export const noQuota: RoleQuota = { guarantees: ResourceQuantities.empty, limits: ResourceLimits.empty };

/** A role, with what it and the roles below it have. The one at the top has the empty path. */
export class RoleNode {
  readonly path: string;
  readonly parent: RoleNode | undefined;
  readonly children = new Map<string, RoleNode>();
  quota: RoleQuota = noQuota;
  weight = 1;
  /** Frameworks that are subscribed to it, or still hold something in it. */
  readonly clients = new Map<FrameworkID, Client>();
  /** Orders its clients, while there are some. */
  sorter: Sorter | undefined;
  /** Scalars of the agents that are reserved to it, held by somebody or not. */
  reservations = ResourceQuantities.empty;
  /** Held or on offer, of what is reserved. */
  readonly heldReserved = new TrackedQuantities();
  /** Held or on offer, of what is neither reserved nor revocable: what quota counts. */
  readonly heldUnreserved = new TrackedQuantities();
  /** The part of `heldUnreserved` that is in use, not only on offer. */
  readonly usedUnreserved = new TrackedQuantities();
  #reckoning: Reckoning | undefined;

  constructor(path: string, parent: RoleNode | undefined) {
    this.path = path;
    this.parent = parent;
  }

  /** Below another role. */
  get isNested(): boolean {
    return this.parent?.parent !== undefined;
  }

  get hasQuota(): boolean {
    return this.quota !== noQuota;
  }

  /** What counts against its quota: also reservations that nobody holds. */
  get offeredOrConsumed(): ResourceQuantities {
    return this.#reckoned().consumed;
  }

  /** Guaranteed and not had, not even as an offer. */
  get missing(): ResourceQuantities {
    return this.#reckoned().missing;
  }

  /** What its limits leave, offers counted. */
  get room(): ResourceLimits {
    return this.#reckoned().room;
  }

  /** The same without what is only on offer. */
  get consumed(): ResourceQuantities {
    return this.usedUnreserved.quantities.plus(this.reservations);
  }

  get isNeeded(): boolean {
    return (
      this.children.size > 0 ||
      this.clients.size > 0 ||
      !this.reservations.isEmpty ||
      this.hasQuota ||
      this.weight !== 1 ||
      this.parent === undefined
    );
  }

  /** Runs ask about every role on every agent. */
  #reckoned(): Reckoning {
    const { quota, reservations } = this;
    const held = this.heldUnreserved.quantities;
    const known = this.#reckoning;
    if (known?.held === held && known.reservations === reservations && known.quota === quota) return known;
    const consumed = held.plus(reservations);
    const { guarantees, limits } = quota;
    const reckoning = { held, reservations, quota, consumed, missing: guarantees.minus(consumed) };
    return (this.#reckoning = { ...reckoning, room: limits.minus(consumed) });
  }
}

/** All roles that mean something: with frameworks, reservations, a quota or a weight, and the roles above those. */
export class RoleTree {
  readonly root = new RoleNode('', undefined);
  readonly #nodes = new Map<string, RoleNode>();
  #quotas = 0;

  get hasQuotas(): boolean {
    return this.#quotas > 0;
  }

  get(path: string): RoleNode | undefined {
    return this.#nodes.get(path);
  }

  get nodes(): Iterable<RoleNode> {
    return this.#nodes.values();
  }

  get topLevel(): Iterable<RoleNode> {
    return this.root.children.values();
  }

  /** Makes it and the roles above it if they are not there. Whoever gives it no meaning has to `prune` it. */
  ensure(path: string): RoleNode {
    const known = this.#nodes.get(path);
    if (known !== undefined) return known;
    const slash = path.lastIndexOf('/');
    const parent = slash === -1 ? this.root : this.ensure(path.slice(0, slash));
    const node = new RoleNode(path, parent);
    parent.children.set(path, node);
    this.#nodes.set(path, node);
    return node;
  }

  /** Forgets it, and the roles above it, as far as nothing is left in them. */
  prune(node: RoleNode): void {
    let at = node;
    while (at.parent !== undefined && !at.isNeeded) {
      at.parent.children.delete(at.path);
      this.#nodes.delete(at.path);
      at = at.parent;
    }
  }

  setQuota(path: string, guarantees: ResourceQuantities, limits: ResourceLimits): void {
    const node = this.ensure(path);
    if (node.hasQuota) this.#quotas--;
    node.quota = guarantees.isEmpty && limits.isEmpty ? noQuota : { guarantees, limits };
    if (node.hasQuota) this.#quotas++;
    this.prune(node);
  }

  /** An agent with these resources is there. */
  addReservations(total: Resources): void {
    if (total.hasReservations) for (const resource of total.reserved()) this.#changeReservations(resource, true);
  }

  removeReservations(total: Resources): void {
    if (total.hasReservations) for (const resource of total.reserved()) this.#changeReservations(resource, false);
  }

  /** Somebody of the role has them from now on. */
  hold(role: RoleNode, agentId: AgentID, resources: Resources): void {
    const [reserved, unreserved] = counted(resources);
    for (let node: RoleNode | undefined = role; node !== undefined; node = node.parent) {
      node.heldReserved.add(agentId, reserved);
      node.heldUnreserved.add(agentId, unreserved);
    }
  }

  release(role: RoleNode, agentId: AgentID, resources: Resources): void {
    const [reserved, unreserved] = counted(resources);
    for (let node: RoleNode | undefined = role; node !== undefined; node = node.parent) {
      node.heldReserved.subtract(agentId, reserved);
      node.heldUnreserved.subtract(agentId, unreserved);
    }
  }

  /** Of what is held, this is in use from now on. */
  use(role: RoleNode, agentId: AgentID, resources: Resources): void {
    const [, unreserved] = counted(resources);
    for (let node: RoleNode | undefined = role; node !== undefined; node = node.parent)
      node.usedUnreserved.add(agentId, unreserved);
  }

  disuse(role: RoleNode, agentId: AgentID, resources: Resources): void {
    const [, unreserved] = counted(resources);
    for (let node: RoleNode | undefined = role; node !== undefined; node = node.parent)
      node.usedUnreserved.subtract(agentId, unreserved);
  }

  #changeReservations(resource: Resource, add: boolean): void {
    const path = resource.reservations?.at(-1)?.role;
    const { quantities } = Resources.of([resource]);
    if (path === undefined || quantities.isEmpty) return;
    const role = this.ensure(path);
    for (let node: RoleNode | undefined = role; node !== undefined; node = node.parent)
      node.reservations = add ? node.reservations.plus(quantities) : node.reservations.minus(quantities);
    this.prune(role);
  }
}

/** What is reserved, and what is neither reserved nor revocable. */
function counted(resources: Resources): readonly [Resources, Resources] {
  const unreserved = resources.hasReservations ? resources.unreserved() : resources;
  return [
    resources.hasReservations ? resources.reserved() : Resources.empty,
    unreserved.hasRevocable ? unreserved.nonRevocable() : unreserved,
  ];
}
