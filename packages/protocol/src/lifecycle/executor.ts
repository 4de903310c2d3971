import { compile, effects, events, type EffectOf, type EventOf, type StateOf } from '@mezzo/process/xstate';
import { setup } from 'xstate';

// Events: REGISTERED is an executor's first word, or its first after its agent was away; IDLE is the first word of one for
// which nothing is left to do; LAUNCH_FAILED comes from the containerizer; SHUTDOWN is the framework's wish, its end, or an
// executor that breaks the protocol; EXITED its container's end, or that it need not be started any more.
//
// Effects: awaitRegistration and stopAwaiting are the timer of executor_registration_timeout; deliverTasks hands over what
// is queued; sendShutdown asks it to end, awaitEnd and stopAwaitingEnd are the timer of its grace period; destroyContainer
// ends it by force; settleTasks gives each of its tasks that goes on its last update; reportExit tells the master;
// removeExecutor leaves it in the history once its tasks are acknowledged.

/** An executor as its agent sees it. */
export const executorMachine = setup({
  types: {
    events: events('REGISTERED', 'REGISTRATION_TIMEOUT', 'LAUNCH_FAILED', 'IDLE', 'SHUTDOWN', 'GRACE_OVER', 'EXITED'),
  },
  actions: effects(
    'awaitRegistration',
    'stopAwaiting',
    'deliverTasks',
    'sendShutdown',
    'awaitEnd',
    'stopAwaitingEnd',
    'destroyContainer',
    'settleTasks',
    'reportExit',
    'removeExecutor',
  ),
}).createMachine({
  id: 'executor',
  initial: 'registering',
  states: {
    registering: {
      entry: 'awaitRegistration',
      exit: 'stopAwaiting',
      on: {
        REGISTERED: { target: 'running', actions: 'deliverTasks' },
        REGISTRATION_TIMEOUT: { target: 'terminating', actions: 'destroyContainer' },
        // It has not said how it could be asked.
        SHUTDOWN: { target: 'terminating', actions: 'destroyContainer' },
        IDLE: { target: 'terminating', actions: 'sendShutdown' },
        LAUNCH_FAILED: { target: 'terminated', actions: ['settleTasks', 'reportExit'] },
        EXITED: { target: 'terminated', actions: ['settleTasks', 'reportExit'] },
      },
    },
    running: {
      on: {
        // Again, after the connection to it broke.
        REGISTERED: { actions: 'deliverTasks' },
        SHUTDOWN: { target: 'terminating', actions: 'sendShutdown' },
        EXITED: { target: 'terminated', actions: ['settleTasks', 'reportExit'] },
      },
    },
    terminating: {
      entry: 'awaitEnd',
      exit: 'stopAwaitingEnd',
      on: {
        GRACE_OVER: { actions: 'destroyContainer' },
        LAUNCH_FAILED: { target: 'terminated', actions: ['settleTasks', 'reportExit'] },
        EXITED: { target: 'terminated', actions: ['settleTasks', 'reportExit'] },
      },
    },
    terminated: { type: 'final', entry: 'removeExecutor' },
  },
});

export type ExecutorState = StateOf<typeof executorMachine>;
export type ExecutorEvent = EventOf<typeof executorMachine>;
export type ExecutorEffect = EffectOf<typeof executorMachine>;

export const executorLifecycle = compile(executorMachine);
