export * as agentMessages from './agent.ts';
export * as allocatorMessages from './allocator.ts';
export * as executorMessages from './executor.ts';
export * as registrarMessages from './registrar.ts';
export * as schedulerMessages from './scheduler.ts';
export { decodeLeader, detectTopic, encodeLeader, leaderOf, leaderTopic } from './leader.ts';
export type { Leader } from './leader.ts';
export type { Quota } from './allocator.ts';
export { compareTerms, term as termSchema } from './model.ts';
export type {
  AgentInfo,
  AttributeConstraint,
  Domain,
  DrainConfig,
  DrainInfo,
  FrameworkInfo,
  MachineID,
  OfferConstraints,
  Term,
  Unavailability,
} from './model.ts';
export { defaultFilters } from './offer.ts';
export type { Filters, InverseOffer, Offer } from './offer.ts';
export { isTerminalOperation, operationStates } from './operation.ts';
export type { AgentOperation, Operation, OperationRecord, OperationState, OperationStatus } from './operation.ts';
export { recoveryRefusals } from './registrar.ts';
export type {
  AdmittedAgent,
  GoneAgent,
  MaintenanceWindow,
  MasterInfo,
  RecoveryRefusal,
  RegisteredMachine,
  RegistryContents,
  RegistryOperation,
  RegistrySeal,
  UnreachableAgent,
} from './registrar.ts';
export { isTerminal, taskStates } from './task.ts';
export type {
  CommandInfo,
  ExecutorInfo,
  StatusSource,
  StatusUpdate,
  Task,
  TaskInfo,
  TaskState,
  TaskStatus,
} from './task.ts';
export { wire } from './wire.ts';
