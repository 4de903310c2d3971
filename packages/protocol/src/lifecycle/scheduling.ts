import { compile, effects, events, type EffectOf, type EventOf, type StateOf } from '@mezzo/process/xstate';
import { setup } from 'xstate';

// Every event is raised once the registry has it; EMPTY when the last task and operation of a draining agent is over and
// the registry has that.
//
// Effects: deactivate takes the agent from the allocator's offering and its offers back, activate undoes it; sendDrain
// tells the agent; markGone ends it for ever where the drain asked for that.

/** Whether an agent is offered, as operators decide it, beside what is in `agent-at-master`. */
export const schedulingMachine = setup({
  types: { events: events('DRAIN', 'EMPTY', 'DEACTIVATE', 'REACTIVATE', 'RETURNED') },
  actions: effects('deactivate', 'activate', 'sendDrain', 'markGone'),
}).createMachine({
  id: 'scheduling',
  initial: 'active',
  states: {
    active: {
      on: {
        DRAIN: { target: 'draining', actions: ['deactivate', 'sendDrain'] },
        DEACTIVATE: { target: 'deactivated', actions: 'deactivate' },
      },
    },
    deactivated: {
      on: {
        DRAIN: { target: 'draining', actions: 'sendDrain' },
        REACTIVATE: { target: 'active', actions: 'activate' },
        RETURNED: { actions: 'deactivate' },
      },
    },
    draining: {
      on: {
        EMPTY: { target: 'drained', actions: 'markGone' },
        RETURNED: { actions: ['deactivate', 'sendDrain'] },
      },
    },
    drained: {
      on: {
        DRAIN: { target: 'draining', actions: 'sendDrain' },
        REACTIVATE: { target: 'active', actions: 'activate' },
        RETURNED: { actions: 'deactivate' },
      },
    },
  },
});

export type SchedulingState = StateOf<typeof schedulingMachine>;
export type SchedulingEvent = EventOf<typeof schedulingMachine>;
export type SchedulingEffect = EffectOf<typeof schedulingMachine>;

export const schedulingLifecycle = compile(schedulingMachine);
