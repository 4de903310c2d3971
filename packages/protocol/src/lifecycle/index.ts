export { agentLifecycle, agentMachine, type AgentEffect, type AgentEvent, type AgentState } from './agent.ts';
export {
  agentAtMaster,
  agentAtMasterMachine,
  type AgentAtMasterEffect,
  type AgentAtMasterEvent,
  type AgentAtMasterState,
} from './agent-at-master.ts';
export {
  frameworkLifecycle,
  frameworkMachine,
  type FrameworkEffect,
  type FrameworkEvent,
  type FrameworkState,
} from './framework.ts';
export {
  taskAtAgent,
  taskAtAgentMachine,
  type TaskAtAgentEffect,
  type TaskAtAgentEvent,
  type TaskAtAgentState,
} from './task-at-agent.ts';
export {
  taskAtMaster,
  taskAtMasterMachine,
  type TaskAtMasterEffect,
  type TaskAtMasterEvent,
  type TaskAtMasterState,
} from './task-at-master.ts';
export { LIVE_TASK_STATES, TERMINAL_TASK_STATES, type LiveTaskState, type TerminalTaskState } from './task-state.ts';
