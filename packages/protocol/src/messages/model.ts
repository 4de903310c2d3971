import Type, { type Static } from 'typebox';
import { AgentID, ContainerID, ExecutorID, FrameworkID, OfferID, OperationUUID, TaskID, UpdateUUID } from '../ids.ts';
import type { Resource } from '../resources/index.ts';

// ---- ids and small parts

const frameworkId = Type.Refine(Type.Unsafe<FrameworkID>(Type.String()), FrameworkID.is);
const agentId = Type.Refine(Type.Unsafe<AgentID>(Type.String()), AgentID.is);
const offerId = Type.Refine(Type.Unsafe<OfferID>(Type.String()), OfferID.is);
const taskId = Type.Refine(Type.Unsafe<TaskID>(Type.String()), TaskID.is);
const executorId = Type.Refine(Type.Unsafe<ExecutorID>(Type.String()), ExecutorID.is);
const containerId = Type.Refine(Type.Unsafe<ContainerID>(Type.String()), ContainerID.is);
const uuid = Type.Refine(Type.Unsafe<UpdateUUID>(Type.String()), UpdateUUID.is);
const operationUuid = Type.Refine(Type.Unsafe<OperationUUID>(Type.String()), OperationUUID.is);
/** A task id as a framework wrote it: the master judges it, so that a bad one gets TASK_ERROR and not silence. */
const givenTaskId = Type.Unsafe<TaskID>(Type.String());
const bytes = Type.Refine(Type.Unsafe<Uint8Array>(Type.Unknown()), (value) => value instanceof Uint8Array);
const text = Type.String({ maxLength: 65_536 });
/** Milliseconds since the epoch. */
const time = Type.Number();
/** Milliseconds. */
const duration = Type.Number({ minimum: 0 });
/** The same as a framework wrote it: the master judges it, so that a bad one is refused and not passed over. */
const givenDuration = Type.Refine(Type.Unsafe<number>(Type.Unknown()), (value) => typeof value === 'number');
const texts = Type.Array(text);
const textMap = Type.Record(Type.String(), text);
/** The exact address of a process, as `PID.address` writes it. */
const address = Type.String({ maxLength: 1024 });

export const ids = { frameworkId, agentId, offerId, taskId, executorId, containerId, uuid, operationUuid };
export const parts = { bytes, text, time, duration, texts, textMap, address, givenTaskId };

/** Key and value pairs in order; a key may come again. */
export const labels = Type.Array(Type.Object({ key: text, value: Type.Optional(text) }));

const reservation = Type.Object({
  type: Type.Enum(['STATIC', 'DYNAMIC']),
  role: text,
  principal: Type.Optional(text),
  labels: Type.Optional(labels),
});

const disk = Type.Object({
  persistence: Type.Optional(Type.Object({ id: text, principal: Type.Optional(text) })),
  volume: Type.Optional(
    Type.Object({ containerPath: text, mode: Type.Enum(['RW', 'RO']), hostPath: Type.Optional(text) }),
  ),
  source: Type.Optional(
    Type.Object({
      type: Type.Enum(['PATH', 'MOUNT', 'BLOCK', 'RAW']),
      root: Type.Optional(text),
      id: Type.Optional(text),
      profile: Type.Optional(text),
      vendor: Type.Optional(text),
      metadata: Type.Optional(labels),
    }),
  ),
});

const metadata = {
  name: Type.String(),
  reservations: Type.Optional(Type.Array(reservation)),
  allocationRole: Type.Optional(Type.String()),
  disk: Type.Optional(disk),
  revocable: Type.Optional(Type.Literal(true)),
  providerId: Type.Optional(text),
  shared: Type.Optional(Type.Literal(true)),
};

export const resource = Type.Unsafe<Resource>(
  Type.Union([
    Type.Object({ type: Type.Literal('SCALAR'), scalar: Type.Number(), ...metadata }),
    Type.Object({
      type: Type.Literal('RANGES'),
      ranges: Type.Array(Type.Object({ begin: Type.Number(), end: Type.Number() })),
      ...metadata,
    }),
    Type.Object({ type: Type.Literal('SET'), set: Type.Array(Type.String()), ...metadata }),
  ]),
);
export const resources = Type.Array(resource);

// ---- the leader's reign

/**
 * Which reign a message of a leader belongs to: the creation time of the lease's stream (or the standalone master's start)
 * and the revision of the write that won it. Compared in that order.
 */
export const term = Type.Object({ created: Type.Number(), revision: Type.Number() });
export type Term = Static<typeof term>;

/** Negative if `a` is the older reign. */
export function compareTerms(a: Term, b: Term): number {
  return a.created - b.created || a.revision - b.revision;
}

// ---- frameworks

/** Amounts of scalars by name, such as `{ cpus: 0.5, mem: 128 }`. */
export const quantities = Type.Record(Type.String(), Type.Number());

/**
 * One condition on an agent: on the first attribute of a name, or on its host name or fault domain. An attribute that is no
 * text satisfies every comparison; one that is not there only the negated ones.
 */
export const attributeConstraint = Type.Object({
  selector: Type.Union([
    Type.Object({ attribute: text }),
    Type.Object({ pseudoattribute: Type.Enum(['HOSTNAME', 'REGION', 'ZONE']) }),
  ]),
  predicate: Type.Union([
    Type.Object({ type: Type.Enum(['EXISTS', 'NOT_EXISTS']) }),
    Type.Object({ type: Type.Enum(['TEXT_EQUALS', 'TEXT_NOT_EQUALS']), value: text }),
    /** RE2 syntax; the whole text must match. */
    Type.Object({ type: Type.Enum(['TEXT_MATCHES', 'TEXT_NOT_MATCHES']), regex: text }),
  ]),
});
export type AttributeConstraint = Static<typeof attributeConstraint>;

/** By role: an agent is offered if it satisfies all constraints of one group. A role without groups takes any agent. */
export const offerConstraints = Type.Record(Type.String(), Type.Array(Type.Array(attributeConstraint)));
export type OfferConstraints = Static<typeof offerConstraints>;

export const frameworkInfo = Type.Object({
  /** Absent at the first subscription; the master gives one. */
  id: Type.Optional(frameworkId),
  name: text,
  /** Whom tasks run as; empty means the agent's own user. */
  user: Type.Optional(text),
  roles: texts,
  /** Milliseconds that a disconnected framework's tasks are kept. Default 0. */
  failoverTimeout: givenDuration,
  /** Tasks survive the agent's restart and a broken connection of the agent. */
  checkpoint: Type.Boolean(),
  /** Mesos's names: PARTITION_AWARE, TASK_KILLING_STATE, MULTI_ROLE, … */
  capabilities: texts,
  principal: Type.Optional(text),
  hostname: Type.Optional(text),
  webuiUrl: Type.Optional(text),
  labels: Type.Optional(textMap),
  /**
   * By role, alternatives of what an offer must at least hold (offer_filters.min_allocatable_resources); they replace the
   * cluster's own for that role. None in the list: anything will do.
   */
  offerFilters: Type.Optional(Type.Record(Type.String(), Type.Array(quantities))),
  offerConstraints: Type.Optional(offerConstraints),
});
export type FrameworkInfo = Static<typeof frameworkInfo>;

// ---- agents

/** Where a machine stands: frameworks without REGION_AWARE get no agents of other regions than the master's. */
export const domain = Type.Object({ region: text, zone: text });
export type Domain = Static<typeof domain>;

/** When a machine will be away for maintenance, in milliseconds since the epoch; without a duration for ever. */
export const unavailability = Type.Object({ start: time, duration: Type.Optional(duration) });
export type Unavailability = Static<typeof unavailability>;

export const agentInfo = Type.Object({
  id: Type.Optional(agentId),
  hostname: text,
  resources,
  attributes: textMap,
  /** Where the agent's own HTTP server is; empty without one. */
  url: text,
  /** Its address, which with the host name tells which machine it runs on. */
  ip: Type.Optional(text),
  domain: Type.Optional(domain),
});
export type AgentInfo = Static<typeof agentInfo>;

/** A machine in the maintenance schedule. Host names are compared without regard to case. */
export const machineId = Type.Object({ hostname: Type.Optional(text), ip: Type.Optional(text) });
export type MachineID = Static<typeof machineId>;

/** How an agent is drained: its tasks are killed, and it is marked gone after that if `markGone` is true. */
export const drainConfig = Type.Object({
  /** Milliseconds that tasks may go on after TERM, at most; without it as long as they say themselves. */
  maxGracePeriod: Type.Optional(duration),
  markGone: Type.Boolean(),
});
export type DrainConfig = Static<typeof drainConfig>;

export const drainInfo = Type.Object({ state: Type.Enum(['DRAINING', 'DRAINED']), config: drainConfig });
export type DrainInfo = Static<typeof drainInfo>;
