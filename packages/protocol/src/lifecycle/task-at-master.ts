import { compile, effects, events, type EffectOf, type EventOf, type StateOf } from '@mezzo/process/xstate';
import { setup } from 'xstate';
import { LIVE_TASK_STATES, TERMINAL_TASK_STATES } from './task-state.ts';

// Events named by a task state are what the agent reports: `latestState` of a status update, or the state in which it
// brings a task when it registers again. The others are decided by the master. Those that end in _UNAWARE are for
// frameworks without the capability PARTITION_AWARE. AGENT_RETURNED is for a task that its agent reports again: one that the
// master had given up is staging until the event that follows, its agent's report; one that is over stays so.
//
// Effects: forwardUpdate passes on the agent's update; sendUpdate sends one that the master makes (no uuid, needs no
// acknowledgement) unless the framework is disconnected; recoverResources gives them back to the allocator;
// keepUnreachable and completeTask move the task into that list of its framework; restoreTask moves it back from there
// and holds its resources again; reconcile tells the state.

const reports = {
  TASK_STARTING: { target: 'TASK_STARTING', actions: 'forwardUpdate' },
  TASK_RUNNING: { target: 'TASK_RUNNING', actions: 'forwardUpdate' },
  TASK_KILLING: { target: 'TASK_KILLING', actions: 'forwardUpdate' },
  TASK_FINISHED: { target: 'TASK_FINISHED', actions: ['forwardUpdate', 'recoverResources'] },
  TASK_FAILED: { target: 'TASK_FAILED', actions: ['forwardUpdate', 'recoverResources'] },
  TASK_KILLED: { target: 'TASK_KILLED', actions: ['forwardUpdate', 'recoverResources'] },
  TASK_ERROR: { target: 'TASK_ERROR', actions: ['forwardUpdate', 'recoverResources'] },
  TASK_LOST: { target: 'TASK_LOST', actions: ['forwardUpdate', 'recoverResources'] },
  TASK_DROPPED: { target: 'TASK_DROPPED', actions: ['forwardUpdate', 'recoverResources'] },
  TASK_GONE: { target: 'TASK_GONE', actions: ['forwardUpdate', 'recoverResources'] },
  TASK_GONE_BY_OPERATOR: { target: 'TASK_GONE_BY_OPERATOR', actions: ['forwardUpdate', 'recoverResources'] },
} as const;

const live = {
  on: {
    ...reports,
    KILL: { actions: 'sendKill' },
    AGENT_UNREACHABLE: { target: 'TASK_UNREACHABLE', actions: ['recoverResources', 'sendUpdate', 'keepUnreachable'] },
    // The scheduler is told TASK_LOST by these two; here it may come back, as nothing terminal may.
    AGENT_UNREACHABLE_UNAWARE: {
      target: 'TASK_UNREACHABLE',
      actions: ['recoverResources', 'sendUpdate', 'keepUnreachable'],
    },
    AGENT_DISCONNECTED: { target: 'TASK_UNREACHABLE', actions: ['recoverResources', 'sendUpdate', 'keepUnreachable'] },
    AGENT_REMOVED: { target: 'TASK_LOST', actions: ['recoverResources', 'sendUpdate', 'completeTask'] },
    AGENT_GONE: { target: 'TASK_GONE_BY_OPERATOR', actions: ['recoverResources', 'sendUpdate', 'completeTask'] },
    AGENT_GONE_UNAWARE: { target: 'TASK_LOST', actions: ['recoverResources', 'sendUpdate', 'keepUnreachable'] },
    FRAMEWORK_REMOVED: { target: 'TASK_KILLED', actions: ['recoverResources', 'completeTask'] },
  },
} as const;

// The agent sends a terminal update again until it is acknowledged: it is passed on, and the first one stands.
const terminal = {
  on: {
    TASK_STARTING: { actions: 'forwardUpdate' },
    TASK_RUNNING: { actions: 'forwardUpdate' },
    TASK_KILLING: { actions: 'forwardUpdate' },
    TASK_FINISHED: { actions: 'forwardUpdate' },
    TASK_FAILED: { actions: 'forwardUpdate' },
    TASK_KILLED: { actions: 'forwardUpdate' },
    TASK_ERROR: { actions: 'forwardUpdate' },
    TASK_LOST: { actions: 'forwardUpdate' },
    TASK_DROPPED: { actions: 'forwardUpdate' },
    TASK_GONE: { actions: 'forwardUpdate' },
    TASK_GONE_BY_OPERATOR: { actions: 'forwardUpdate' },
    TERMINAL_ACKNOWLEDGED: { actions: 'completeTask' },
    AGENT_UNREACHABLE: { actions: ['sendUpdate', 'keepUnreachable'] },
    AGENT_UNREACHABLE_UNAWARE: { actions: ['sendUpdate', 'keepUnreachable'] },
    AGENT_REMOVED: { actions: ['sendUpdate', 'completeTask'] },
    AGENT_GONE: { actions: ['sendUpdate', 'completeTask'] },
    AGENT_GONE_UNAWARE: { actions: ['sendUpdate', 'completeTask'] },
    AGENT_DISCONNECTED: { actions: ['sendUpdate', 'completeTask'] },
    FRAMEWORK_REMOVED: { actions: 'completeTask' },
    AGENT_RETURNED: { actions: 'restoreTask' },
  },
} as const;

/**
 * A task as the master sees it; its states are those of the wire. A terminal task stays until its last update is
 * acknowledged, so terminal states accept events and none of them is final in xstate's sense: ask
 * `TERMINAL_TASK_STATES`.
 */
export const taskAtMasterMachine = setup({
  types: {
    events: events(
      ...LIVE_TASK_STATES,
      ...TERMINAL_TASK_STATES,
      'KILL',
      'TERMINAL_ACKNOWLEDGED',
      'AGENT_UNREACHABLE',
      'AGENT_UNREACHABLE_UNAWARE',
      'AGENT_REMOVED',
      'AGENT_GONE',
      'AGENT_GONE_UNAWARE',
      'AGENT_DISCONNECTED',
      'AGENT_RETURNED',
      'FRAMEWORK_REMOVED',
    ),
  },
  actions: effects(
    'forwardUpdate',
    'sendUpdate',
    'sendKill',
    'recoverResources',
    'restoreTask',
    'keepUnreachable',
    'completeTask',
    'reconcile',
  ),
}).createMachine({
  id: 'task-at-master',
  initial: 'TASK_STAGING',
  states: {
    TASK_STAGING: { on: { ...live.on, TASK_STAGING: { actions: 'forwardUpdate' } } },
    TASK_STARTING: live,
    TASK_RUNNING: live,
    TASK_KILLING: live,
    TASK_UNREACHABLE: {
      on: {
        AGENT_RETURNED: { target: 'TASK_STAGING', actions: 'restoreTask' },
        // Its agent cannot be told; the scheduler learns the state instead.
        KILL: { actions: 'reconcile' },
        FRAMEWORK_REMOVED: { target: 'TASK_KILLED', actions: 'completeTask' },
        AGENT_GONE: { target: 'TASK_GONE_BY_OPERATOR', actions: ['sendUpdate', 'completeTask'] },
        // Its framework was another one, or less capable, when the agent was lost.
        AGENT_GONE_UNAWARE: { target: 'TASK_LOST', actions: ['sendUpdate', 'completeTask'] },
      },
    },
    TASK_FINISHED: terminal,
    TASK_FAILED: terminal,
    TASK_KILLED: terminal,
    TASK_ERROR: terminal,
    TASK_LOST: terminal,
    TASK_DROPPED: terminal,
    TASK_GONE: terminal,
    TASK_GONE_BY_OPERATOR: terminal,
  },
});

export type TaskAtMasterState = StateOf<typeof taskAtMasterMachine>;
export type TaskAtMasterEvent = EventOf<typeof taskAtMasterMachine>;
export type TaskAtMasterEffect = EffectOf<typeof taskAtMasterMachine>;

export const taskAtMaster = compile(taskAtMasterMachine);
