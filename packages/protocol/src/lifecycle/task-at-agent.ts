import { compile, effects, events, type EffectOf, type EventOf, type StateOf } from '@mezzo/process/xstate';
import { setup } from 'xstate';
import { LIVE_TASK_STATES, TERMINAL_TASK_STATES } from './task-state.ts';

// Events named by a task state are status updates, from the executor or made by the agent itself.
//
// Effects: prepareExecutor starts the task's executor or finds the running one; sendTask hands the task to it; sendKill
// asks it to kill; updateKilledDuringLaunch makes the TASK_KILLED update with reason TASK_KILLED_DURING_LAUNCH and
// stores it; storeUpdate gives the update to the status update manager (which acknowledges the executor and delivers
// until the scheduler acknowledges); releaseResources shrinks the container and must come before storing a terminal
// update; acknowledgeExecutor answers an update that is not passed on; shutdownExecutor ends one that breaks the
// protocol; completeTask moves the task into the executor's history.

const ended = {
  TASK_FINISHED: { target: 'terminated', actions: 'storeUpdate' },
  TASK_FAILED: { target: 'terminated', actions: 'storeUpdate' },
  TASK_KILLED: { target: 'terminated', actions: 'storeUpdate' },
  TASK_ERROR: { target: 'terminated', actions: 'storeUpdate' },
  TASK_LOST: { target: 'terminated', actions: 'storeUpdate' },
  TASK_DROPPED: { target: 'terminated', actions: 'storeUpdate' },
  TASK_GONE: { target: 'terminated', actions: 'storeUpdate' },
  TASK_GONE_BY_OPERATOR: { target: 'terminated', actions: 'storeUpdate' },
} as const;

const endedInContainer = {
  TASK_FINISHED: { target: 'terminated', actions: ['releaseResources', 'storeUpdate'] },
  TASK_FAILED: { target: 'terminated', actions: ['releaseResources', 'storeUpdate'] },
  TASK_KILLED: { target: 'terminated', actions: ['releaseResources', 'storeUpdate'] },
  TASK_ERROR: { target: 'terminated', actions: ['releaseResources', 'storeUpdate'] },
  TASK_LOST: { target: 'terminated', actions: ['releaseResources', 'storeUpdate'] },
  TASK_DROPPED: { target: 'terminated', actions: ['releaseResources', 'storeUpdate'] },
  TASK_GONE: { target: 'terminated', actions: ['releaseResources', 'storeUpdate'] },
  TASK_GONE_BY_OPERATOR: { target: 'terminated', actions: ['releaseResources', 'storeUpdate'] },
} as const;

/**
 * A task as its agent sees it: pending while the launch is checked, queued until its executor takes tasks, launched
 * while the executor has it, terminated until its last update is acknowledged, completed.
 */
export const taskAtAgentMachine = setup({
  types: {
    events: events(
      ...LIVE_TASK_STATES,
      ...TERMINAL_TASK_STATES,
      'QUEUE',
      'DELIVER',
      'KILL',
      'TERMINAL_ACKNOWLEDGED',
      'FRAMEWORK_REMOVED',
    ),
  },
  actions: effects(
    'prepareExecutor',
    'sendTask',
    'sendKill',
    'updateKilledDuringLaunch',
    'storeUpdate',
    'releaseResources',
    'acknowledgeExecutor',
    'shutdownExecutor',
    'completeTask',
  ),
}).createMachine({
  id: 'task-at-agent',
  initial: 'pending',
  on: { FRAMEWORK_REMOVED: { target: '.completed', actions: 'completeTask' } },
  states: {
    pending: {
      on: {
        ...ended,
        QUEUE: { target: 'queued', actions: 'prepareExecutor' },
        KILL: { target: 'terminated', actions: 'updateKilledDuringLaunch' },
      },
    },
    queued: {
      on: {
        ...ended,
        DELIVER: { target: 'launched', actions: 'sendTask' },
        KILL: { target: 'terminated', actions: 'updateKilledDuringLaunch' },
      },
    },
    launched: {
      initial: 'TASK_STAGING',
      states: { TASK_STAGING: {}, TASK_STARTING: {}, TASK_RUNNING: {}, TASK_KILLING: {} },
      on: {
        ...endedInContainer,
        TASK_STAGING: { actions: 'shutdownExecutor' },
        TASK_STARTING: { target: '.TASK_STARTING', actions: 'storeUpdate' },
        TASK_RUNNING: { target: '.TASK_RUNNING', actions: 'storeUpdate' },
        TASK_KILLING: { target: '.TASK_KILLING', actions: 'storeUpdate' },
        KILL: { actions: 'sendKill' },
      },
    },
    terminated: {
      on: {
        TASK_STARTING: { actions: 'acknowledgeExecutor' },
        TASK_RUNNING: { actions: 'acknowledgeExecutor' },
        TASK_KILLING: { actions: 'acknowledgeExecutor' },
        TASK_FINISHED: { actions: 'acknowledgeExecutor' },
        TASK_FAILED: { actions: 'acknowledgeExecutor' },
        TASK_KILLED: { actions: 'acknowledgeExecutor' },
        TASK_ERROR: { actions: 'acknowledgeExecutor' },
        TASK_LOST: { actions: 'acknowledgeExecutor' },
        TASK_DROPPED: { actions: 'acknowledgeExecutor' },
        TASK_GONE: { actions: 'acknowledgeExecutor' },
        TASK_GONE_BY_OPERATOR: { actions: 'acknowledgeExecutor' },
        TERMINAL_ACKNOWLEDGED: { target: 'completed', actions: 'completeTask' },
      },
    },
    completed: { type: 'final' },
  },
});

export type TaskAtAgentState = StateOf<typeof taskAtAgentMachine>;
export type TaskAtAgentEvent = EventOf<typeof taskAtAgentMachine>;
export type TaskAtAgentEffect = EffectOf<typeof taskAtAgentMachine>;

export const taskAtAgent = compile(taskAtAgentMachine);
