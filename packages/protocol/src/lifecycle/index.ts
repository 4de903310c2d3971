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
export {
  executorLifecycle,
  executorMachine,
  type ExecutorEffect,
  type ExecutorEvent,
  type ExecutorState,
} from './executor.ts';
export {
  inverseOfferLifecycle,
  inverseOfferMachine,
  type InverseOfferEffect,
  type InverseOfferEvent,
  type InverseOfferState,
} from './inverse-offer.ts';
export {
  machineLifecycle,
  machineMachine,
  type MachineEffect,
  type MachineEvent,
  type MachineMode,
} from './machine.ts';
export { offerLifecycle, offerMachine, type OfferEffect, type OfferEvent, type OfferState } from './offer.ts';
export {
  operationLifecycle,
  operationMachine,
  type OperationAtMasterEffect,
  type OperationAtMasterEvent,
  type OperationAtMasterState,
} from './operation.ts';
export {
  schedulingLifecycle,
  schedulingMachine,
  type SchedulingEffect,
  type SchedulingEvent,
  type SchedulingState,
} from './scheduling.ts';
