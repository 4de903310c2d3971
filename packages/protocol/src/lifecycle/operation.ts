import { compile, effects, events, type EffectOf, type EventOf, type StateOf } from '@mezzo/process/xstate';
import { setup } from 'xstate';

// Events named by an operation state are what the agent reports; the others are decided by the master. FORGET is for an
// agent that was removed or is unreachable, and for a terminal operation that nobody has to hear of.
//
// Effects: forwardUpdate passes on the agent's update, or acknowledges it where there is nobody to hear; sendUpdate sends one
// that the master makes; removeOperation forgets it. What operations make of the agent's resources counts from the moment
// the agent is told; undo takes that back, as it has not come to pass.

// The agent sends a terminal update again until it is acknowledged: it is passed on, and the first one stands.
const terminal = {
  on: {
    OPERATION_FINISHED: { actions: 'forwardUpdate' },
    OPERATION_FAILED: { actions: 'forwardUpdate' },
    OPERATION_ERROR: { actions: 'forwardUpdate' },
    OPERATION_DROPPED: { actions: 'forwardUpdate' },
    ACKNOWLEDGED: { target: 'forgotten', actions: 'removeOperation' },
    AGENT_UNREACHABLE: { target: 'forgotten', actions: ['sendUpdate', 'removeOperation'] },
    AGENT_GONE: { target: 'forgotten', actions: ['sendUpdate', 'removeOperation'] },
    FORGET: { target: 'forgotten', actions: 'removeOperation' },
  },
} as const;

/** An operation on an agent's resources, as the master sees it; its states are those of the wire until it is forgotten. */
export const operationMachine = setup({
  types: {
    events: events(
      'OPERATION_FINISHED',
      'OPERATION_FAILED',
      'OPERATION_ERROR',
      'OPERATION_DROPPED',
      'ACKNOWLEDGED',
      'AGENT_UNREACHABLE',
      'AGENT_GONE',
      'FORGET',
    ),
  },
  actions: effects('forwardUpdate', 'sendUpdate', 'removeOperation', 'undo'),
}).createMachine({
  id: 'operation',
  initial: 'OPERATION_PENDING',
  states: {
    OPERATION_PENDING: {
      on: {
        OPERATION_FINISHED: { target: 'OPERATION_FINISHED', actions: 'forwardUpdate' },
        OPERATION_FAILED: { target: 'OPERATION_FAILED', actions: ['undo', 'forwardUpdate'] },
        OPERATION_ERROR: { target: 'OPERATION_ERROR', actions: ['undo', 'forwardUpdate'] },
        OPERATION_DROPPED: { target: 'OPERATION_DROPPED', actions: ['undo', 'forwardUpdate'] },
        AGENT_UNREACHABLE: { target: 'forgotten', actions: ['sendUpdate', 'removeOperation'] },
        AGENT_GONE: { target: 'forgotten', actions: ['sendUpdate', 'removeOperation'] },
        FORGET: { target: 'forgotten', actions: 'removeOperation' },
      },
    },
    OPERATION_FINISHED: terminal,
    OPERATION_FAILED: terminal,
    OPERATION_ERROR: terminal,
    OPERATION_DROPPED: terminal,
    forgotten: { type: 'final' },
  },
});

export type OperationAtMasterState = StateOf<typeof operationMachine>;
export type OperationAtMasterEvent = EventOf<typeof operationMachine>;
export type OperationAtMasterEffect = EffectOf<typeof operationMachine>;

export const operationLifecycle = compile(operationMachine);
