import { message, request } from '@mezzo/process';
import Type, { type Static } from 'typebox';
import { exactAddress } from './leader.ts';
import {
  agentInfo,
  domain,
  drainConfig,
  drainInfo,
  ids,
  machineId,
  parts,
  quantities,
  term,
  unavailability,
} from './model.ts';
import { wire } from './wire.ts';

// ---- what the registry holds

const masterInfo = Type.Object({
  id: parts.text,
  /** The exact address of the master process. */
  address: exactAddress,
  hostname: parts.text,
  /** Where its HTTP server is; empty without one. */
  url: parts.text,
  version: parts.text,
  /** Mesos's names: AGENT_UPDATE, AGENT_DRAINING, QUOTA_V2. */
  capabilities: parts.texts,
  domain: Type.Optional(domain),
});
export type MasterInfo = Static<typeof masterInfo>;

/** What an operator has decided about an agent; it stays when the agent is lost and comes back. */
const withheld = { drainInfo: Type.Optional(drainInfo), deactivated: Type.Boolean() };

const admittedAgent = Type.Object({ agentId: ids.agentId, info: agentInfo, ...withheld });
export type AdmittedAgent = Static<typeof admittedAgent>;

/** `timestamp` says since when, in milliseconds since the epoch. */
const unreachableAgent = Type.Object({ agentId: ids.agentId, timestamp: parts.time, ...withheld });
export type UnreachableAgent = Static<typeof unreachableAgent>;

const goneAgent = Type.Object({ agentId: ids.agentId, timestamp: parts.time });
export type GoneAgent = Static<typeof goneAgent>;

const machine = Type.Object({
  id: machineId,
  mode: Type.Enum(['UP', 'DRAINING', 'DOWN']),
  unavailability: Type.Optional(unavailability),
});
export type RegisteredMachine = Static<typeof machine>;

/** These machines will be away at the same time. */
const maintenanceWindow = Type.Object({ machines: Type.Array(machineId), unavailability });
export type MaintenanceWindow = Static<typeof maintenanceWindow>;

const roleQuota = Type.Object({
  role: parts.text,
  quota: Type.Object({ guarantees: quantities, limits: quantities }),
});
const roleWeight = Type.Object({ role: parts.text, weight: Type.Number({ exclusiveMinimum: 0 }) });

export const registryContents = Type.Object({
  /** Of the newest reign that wrote here; absent before the first. */
  term: Type.Optional(term),
  /** Who reigned then; absent after a backup was restored. */
  master: Type.Optional(masterInfo),
  agents: Type.Array(admittedAgent),
  /** Longest first, as are those that are gone. */
  unreachable: Type.Array(unreachableAgent),
  gone: Type.Array(goneAgent),
  /** Those in the schedule. */
  machines: Type.Array(machine),
  schedule: Type.Array(maintenanceWindow),
  quotas: Type.Array(roleQuota),
  weights: Type.Array(roleWeight),
  /** What a master must be capable of to understand this registry. */
  minimumCapabilities: parts.texts,
});
/** All that must survive the master, as plain data. */
export type RegistryContents = Static<typeof registryContents>;

// ---- what changes it

const one = { agentId: ids.agentId };
const machines = { machines: Type.Array(machineId) };

/** A change of the registry. Each is done as a whole or, if it makes no sense in what is there, rejected as a whole. */
export const registryOperation = Type.Union([
  /** A new agent. */
  Type.Object({ kind: Type.Literal('ADMIT_AGENT'), ...one, info: agentInfo }),
  /** An admitted agent that has changed. */
  Type.Object({ kind: Type.Literal('UPDATE_AGENT'), ...one, info: agentInfo }),
  Type.Object({ kind: Type.Literal('MARK_AGENT_UNREACHABLE'), ...one, timestamp: parts.time }),
  /** It came back; also one that nobody knows, and one that is admitted already: then nothing changes. */
  Type.Object({ kind: Type.Literal('MARK_AGENT_REACHABLE'), ...one, info: agentInfo }),
  /** An operator says that it will never come back. */
  Type.Object({ kind: Type.Literal('MARK_AGENT_GONE'), ...one, timestamp: parts.time }),
  /** An admitted agent that has left. */
  Type.Object({ kind: Type.Literal('REMOVE_AGENT'), ...one }),
  /** Forgets unreachable agents, and gone ones; those that are none are passed over. */
  Type.Object({
    kind: Type.Literal('PRUNE'),
    unreachable: Type.Array(ids.agentId),
    gone: Type.Array(ids.agentId),
  }),
  Type.Object({ kind: Type.Literal('DRAIN_AGENT'), ...one, config: drainConfig }),
  Type.Object({ kind: Type.Literal('MARK_AGENT_DRAINED'), ...one }),
  Type.Object({ kind: Type.Literal('DEACTIVATE_AGENT'), ...one }),
  /** Also ends its draining. */
  Type.Object({ kind: Type.Literal('REACTIVATE_AGENT'), ...one }),
  /** In place of the schedule of before. */
  Type.Object({ kind: Type.Literal('UPDATE_SCHEDULE'), windows: Type.Array(maintenanceWindow) }),
  Type.Object({ kind: Type.Literal('START_MAINTENANCE'), ...machines }),
  Type.Object({ kind: Type.Literal('STOP_MAINTENANCE'), ...machines }),
  /** Those of other roles stay; a quota without guarantees and limits is none. */
  Type.Object({ kind: Type.Literal('UPDATE_QUOTAS'), quotas: Type.Array(roleQuota) }),
  /** Those of other roles stay. */
  Type.Object({ kind: Type.Literal('UPDATE_WEIGHTS'), weights: Type.Array(roleWeight) }),
]);
export type RegistryOperation = Static<typeof registryOperation>;

/** The first that a reign writes: whoever reigned before can write no more. */
export const registrySeal = Type.Object({ kind: Type.Literal('SEAL'), term, master: masterInfo });
export type RegistrySeal = Static<typeof registrySeal>;

// ---- master to registrar

/** Why a registry could not be recovered. None of it passes by itself, but UNAVAILABLE may. */
export const recoveryRefusals = [
  /** A newer reign, or another master in the same, has written there. */
  'STALE_TERM',
  /** The master lacks a capability that the registry demands. */
  'CAPABILITY_MISSING',
  /** A newer version wrote it. */
  'NEWER_VERSION',
  'CORRUPT',
  /** It could not be read or written within the timeouts. */
  'UNAVAILABLE',
  /** The registrar serves another master, or has lost the registry. */
  'LOST',
] as const;
export type RecoveryRefusal = (typeof recoveryRefusals)[number];

const reigning = { term, master: masterInfo };

/**
 * The first question of a reign: what is there? It is answered when nobody who reigned before can write any more. Only the
 * node of the master may ask. It takes as long as registry_fetch_timeout and registry_store_timeout together.
 */
export const RecoverRegistry = request(
  'registrar.recover',
  wire(Type.Object(reigning)),
  wire(
    Type.Union([
      Type.Object({ outcome: Type.Literal('RECOVERED'), registry: registryContents }),
      Type.Object({
        outcome: Type.Literal('REFUSED'),
        reason: Type.Enum([...recoveryRefusals]),
        message: parts.text,
      }),
    ]),
  ),
);

/**
 * Changes the registry; answered when it is stored, in the order of the questions. REJECTED: nothing was changed. LOST: this
 * master reigns no more, or cannot know whether it was stored; no later operation is stored either.
 */
export const ChangeRegistry = request(
  'registrar.change',
  wire(Type.Object({ term, operation: registryOperation })),
  wire(
    Type.Union([
      Type.Object({ outcome: Type.Literal('STORED') }),
      Type.Object({ outcome: Type.Enum(['REJECTED', 'LOST']), message: parts.text }),
    ]),
  ),
);

// ---- registrar to master

/** The registry is out of reach, or somebody else's: the master must end. Said once, to the master that recovered it. */
export const RegistrarLost = message('registrar.lost', wire(Type.Object({ term, message: parts.text })));
