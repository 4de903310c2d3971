export * as agentMessages from './agent.ts';
export * as allocatorMessages from './allocator.ts';
export * as executorMessages from './executor.ts';
export * as schedulerMessages from './scheduler.ts';
export { decodeLeader, detectTopic, encodeLeader, leaderTopic } from './leader.ts';
export type { Leader } from './leader.ts';
export type { Quota } from './allocator.ts';
export { compareTerms, defaultFilters, isTerminal, taskStates } from './model.ts';
export type {
  AgentInfo,
  AttributeConstraint,
  CommandInfo,
  Domain,
  Filters,
  FrameworkInfo,
  Offer,
  OfferConstraints,
  Operation,
  StatusSource,
  StatusUpdate,
  Task,
  TaskInfo,
  TaskState,
  TaskStatus,
  Term,
  Unavailability,
} from './model.ts';
export { wire } from './wire.ts';
