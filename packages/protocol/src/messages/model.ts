import Type, { type Static } from 'typebox';
import { AgentID, type ContainerID, ExecutorID, FrameworkID, OfferID, TaskID, UpdateUUID } from '../ids.ts';
import { LIVE_TASK_STATES, TERMINAL_TASK_STATES } from '../lifecycle/task-state.ts';
import type { Resource } from '../resources/index.ts';

// ---- ids and small parts

const frameworkId = Type.Refine(Type.Unsafe<FrameworkID>(Type.String()), FrameworkID.is);
const agentId = Type.Refine(Type.Unsafe<AgentID>(Type.String()), AgentID.is);
const offerId = Type.Refine(Type.Unsafe<OfferID>(Type.String()), OfferID.is);
const taskId = Type.Refine(Type.Unsafe<TaskID>(Type.String()), TaskID.is);
const executorId = Type.Refine(Type.Unsafe<ExecutorID>(Type.String()), ExecutorID.is);
const uuid = Type.Refine(Type.Unsafe<UpdateUUID>(Type.String()), UpdateUUID.is);
/** A task id as a framework wrote it: the master judges it, so that a bad one gets TASK_ERROR and not silence. */
const givenTaskId = Type.Unsafe<TaskID>(Type.String());
const bytes = Type.Refine(Type.Unsafe<Uint8Array>(Type.Unknown()), (value) => value instanceof Uint8Array);
const text = Type.String({ maxLength: 65_536 });
/** Milliseconds since the epoch. */
const time = Type.Number();
/** Milliseconds. */
const duration = Type.Number({ minimum: 0 });
const texts = Type.Array(text);
const textMap = Type.Record(Type.String(), text);
/** The exact address of a process, as `PID.address` writes it. */
const address = Type.String({ maxLength: 1024 });

export const ids = { frameworkId, agentId, offerId, taskId, executorId, uuid };
export const parts = { bytes, text, time, duration, texts, textMap, address, givenTaskId };

const labels = Type.Array(Type.Object({ key: text, value: Type.Optional(text) }));

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
  failoverTimeout: duration,
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
  domain: Type.Optional(domain),
});
export type AgentInfo = Static<typeof agentInfo>;

// ---- offers

export const offer = Type.Object({
  id: offerId,
  frameworkId,
  agentId,
  hostname: text,
  /** The role that the resources are allocated to. */
  role: text,
  resources,
  attributes: textMap,
  /** The agent's HTTP address. */
  url: text,
});
export type Offer = Static<typeof offer>;

/** What a framework does not want to be offered again for a while. */
export const filters = Type.Object({
  /** Seconds. Mesos's default is 5. */
  refuseSeconds: Type.Number(),
});
export type Filters = Static<typeof filters>;

/** Mesos's default Filters: 5 s. */
export const defaultFilters: Filters = { refuseSeconds: 5 };

// ---- tasks

export const taskStates = [...LIVE_TASK_STATES, ...TERMINAL_TASK_STATES, 'TASK_UNREACHABLE', 'TASK_UNKNOWN'] as const;
export type TaskState = (typeof taskStates)[number];
export const taskState = Type.Unsafe<TaskState>(Type.Enum([...taskStates]));

const terminalStates: ReadonlySet<TaskState> = new Set(TERMINAL_TASK_STATES);

/** True for the states that a task never leaves. */
export function isTerminal(state: TaskState): boolean {
  return terminalStates.has(state);
}

export type StatusSource = 'SOURCE_MASTER' | 'SOURCE_AGENT' | 'SOURCE_EXECUTOR';

export const commandInfo = Type.Object({
  /** A line for `/bin/sh -c`, or the program if `shell` is false. */
  value: text,
  shell: Type.Boolean(),
  /** The program's argv, its own name first, as in Mesos and execvp; not looked at if `shell` is true. */
  arguments: texts,
  environment: textMap,
  user: Type.Optional(text),
});
export type CommandInfo = Static<typeof commandInfo>;

export const taskInfo = Type.Object({
  taskId: givenTaskId,
  name: text,
  agentId,
  resources,
  command: commandInfo,
  /** How long, in milliseconds, a task may go on after TERM. Mesos's default is 3 s. */
  killGracePeriod: Type.Optional(duration),
  labels: Type.Optional(textMap),
  data: Type.Optional(bytes),
});
export type TaskInfo = Static<typeof taskInfo>;

export const taskStatus = Type.Object({
  taskId: givenTaskId,
  state: taskState,
  source: Type.Unsafe<StatusSource>(Type.Enum(['SOURCE_MASTER', 'SOURCE_AGENT', 'SOURCE_EXECUTOR'])),
  /** Mesos's v1 name, such as REASON_AGENT_REMOVED. */
  reason: Type.Optional(text),
  message: Type.Optional(text),
  agentId: Type.Optional(agentId),
  executorId: Type.Optional(executorId),
  timestamp: time,
  /** Present when the update must be acknowledged. */
  uuid: Type.Optional(uuid),
  data: Type.Optional(bytes),
  healthy: Type.Optional(Type.Boolean()),
});
export type TaskStatus = Static<typeof taskStatus>;

/** A task as master and agent remember it, and as an agent reports it when it registers again. */
export const task = Type.Object({
  taskId,
  frameworkId,
  agentId,
  name: text,
  state: taskState,
  resources,
  /** One per state entered, oldest first, without data. */
  statuses: Type.Array(taskStatus),
});
export type Task = Static<typeof task>;

export const statusUpdate = Type.Object({
  frameworkId,
  agentId,
  status: taskStatus,
  /** The newest state the agent knows, which the head of the update stream may lag behind. */
  latestState: taskState,
});
export type StatusUpdate = Static<typeof statusUpdate>;

/** What a framework does with the resources it accepted. */
export const operation = Type.Union([Type.Object({ type: Type.Literal('LAUNCH'), tasks: Type.Array(taskInfo) })]);
export type Operation = Static<typeof operation>;

export type { ContainerID };
