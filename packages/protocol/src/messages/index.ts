export * as agentMessages from './agent.ts';
export * as allocatorMessages from './allocator.ts';
export * as executorMessages from './executor.ts';
export * as schedulerMessages from './scheduler.ts';
export { decodeLeader, detectTopic, encodeLeader, leaderTopic } from './leader.ts';
export type { Leader } from './leader.ts';
export { compareTerms, defaultFilters, isTerminal, taskStates } from './model.ts';
export type {
  AgentInfo,
  CommandInfo,
  Filters,
  FrameworkInfo,
  Offer,
  Operation,
  StatusSource,
  StatusUpdate,
  Task,
  TaskInfo,
  TaskState,
  TaskStatus,
  Term,
} from './model.ts';
export { wire } from './wire.ts';
