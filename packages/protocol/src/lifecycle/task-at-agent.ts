import { compile, effects, events, type EffectOf, type EventOf, type StateOf } from '@mezzo/process/xstate';
import { setup } from 'xstate';

// Events named by a task state are status updates, from the executor or made by the agent itself. An executor's update
// that the task does not take in its state is dropped; the agent acknowledges it all the same, so that the executor
// stops repeating it.
//
// Effects: sendTask hands the task to its executor; sendKill asks it to kill; updateKilledDuringLaunch makes the
// TASK_KILLED update with reason TASK_KILLED_DURING_LAUNCH and stores it; storeUpdate gives the update to the status
// update manager (which acknowledges the executor and delivers until the scheduler acknowledges); shutdownExecutor ends
// one that breaks the protocol; completeTask moves the task into the executor's history.

/**
 * A task as its agent sees it: queued until its executor takes tasks, launched while the executor has it, terminated
 * until its last update is acknowledged, completed. Which of its states an executor reported last changes nothing here.
 */
export const taskAtAgentMachine = setup({
  types: {
    events: events(
      'DELIVER',
      'KILL',
      'TASK_STAGING',
      'TASK_STARTING',
      'TASK_RUNNING',
      'TASK_KILLING',
      'TASK_FINISHED',
      'TASK_FAILED',
      'TASK_KILLED',
      'TASK_ERROR',
      'TASK_LOST',
      'TASK_DROPPED',
      'TASK_GONE',
      'TASK_GONE_BY_OPERATOR',
      'TERMINAL_ACKNOWLEDGED',
      'FRAMEWORK_REMOVED',
    ),
  },
  actions: effects(
    'sendTask',
    'sendKill',
    'updateKilledDuringLaunch',
    'storeUpdate',
    'shutdownExecutor',
    'completeTask',
  ),
}).createMachine({
  id: 'task-at-agent',
  initial: 'queued',
  on: { FRAMEWORK_REMOVED: { target: '.completed', actions: 'completeTask' } },
  states: {
    queued: {
      on: {
        DELIVER: { target: 'launched', actions: 'sendTask' },
        KILL: { target: 'terminated', actions: 'updateKilledDuringLaunch' },
        // The executor ended, or never began.
        TASK_FAILED: { target: 'terminated', actions: 'storeUpdate' },
        TASK_LOST: { target: 'terminated', actions: 'storeUpdate' },
        TASK_DROPPED: { target: 'terminated', actions: 'storeUpdate' },
        TASK_GONE: { target: 'terminated', actions: 'storeUpdate' },
      },
    },
    launched: {
      on: {
        KILL: { actions: 'sendKill' },
        TASK_STAGING: { actions: 'shutdownExecutor' },
        TASK_STARTING: { actions: 'storeUpdate' },
        TASK_RUNNING: { actions: 'storeUpdate' },
        TASK_KILLING: { actions: 'storeUpdate' },
        TASK_FINISHED: { target: 'terminated', actions: 'storeUpdate' },
        TASK_FAILED: { target: 'terminated', actions: 'storeUpdate' },
        TASK_KILLED: { target: 'terminated', actions: 'storeUpdate' },
        TASK_ERROR: { target: 'terminated', actions: 'storeUpdate' },
        TASK_LOST: { target: 'terminated', actions: 'storeUpdate' },
        TASK_DROPPED: { target: 'terminated', actions: 'storeUpdate' },
        TASK_GONE: { target: 'terminated', actions: 'storeUpdate' },
        TASK_GONE_BY_OPERATOR: { target: 'terminated', actions: 'storeUpdate' },
      },
    },
    terminated: {
      on: { TERMINAL_ACKNOWLEDGED: { target: 'completed', actions: 'completeTask' } },
    },
    completed: { type: 'final' },
  },
});

export type TaskAtAgentState = StateOf<typeof taskAtAgentMachine>;
export type TaskAtAgentEvent = EventOf<typeof taskAtAgentMachine>;
export type TaskAtAgentEffect = EffectOf<typeof taskAtAgentMachine>;

export const taskAtAgent = compile(taskAtAgentMachine);
