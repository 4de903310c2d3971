import Type, { type Static } from 'typebox';
import { ids, parts, resources, unavailability } from './model.ts';

/** Resources of one agent for one role of one framework. */
export const offer = Type.Object({
  id: ids.offerId,
  frameworkId: ids.frameworkId,
  agentId: ids.agentId,
  hostname: parts.text,
  /** The role that the resources are allocated to. */
  role: parts.text,
  resources,
  attributes: parts.textMap,
  /** The agent's HTTP address. */
  url: parts.text,
  /** Executors of the framework that run on the agent. */
  executorIds: Type.Optional(Type.Array(ids.executorId)),
  /** When the agent's machine will be away. */
  unavailability: Type.Optional(unavailability),
});
export type Offer = Static<typeof offer>;

/** Asks a framework to give back what it has on an agent whose machine will be away. */
export const inverseOffer = Type.Object({
  id: ids.offerId,
  frameworkId: ids.frameworkId,
  agentId: ids.agentId,
  unavailability,
});
export type InverseOffer = Static<typeof inverseOffer>;

/** What a framework does not want to be offered again for a while. */
export const filters = Type.Object({
  /** Seconds. Mesos's default is 5. */
  refuseSeconds: Type.Number(),
});
export type Filters = Static<typeof filters>;

/** Mesos's default Filters: 5 s. */
export const defaultFilters: Filters = { refuseSeconds: 5 };
