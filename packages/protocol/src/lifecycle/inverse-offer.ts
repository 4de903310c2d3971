import { compile, effects, events, type EffectOf, type EventOf, type StateOf } from '@mezzo/process/xstate';
import { setup } from 'xstate';

// Effects: stopTimer ends its timeout; recordAccept, recordDecline and recordNothing tell the allocator how the framework
// answered; sendRescind tells the framework.

/** An inverse offer at the master: a framework is asked to leave an agent whose machine will be away. */
export const inverseOfferMachine = setup({
  types: { events: events('ACCEPT', 'DECLINE', 'RESCIND', 'DISCARD') },
  actions: effects('stopTimer', 'recordAccept', 'recordDecline', 'recordNothing', 'sendRescind'),
}).createMachine({
  id: 'inverse-offer',
  initial: 'outstanding',
  states: {
    outstanding: {
      exit: 'stopTimer',
      on: {
        ACCEPT: { target: 'accepted', actions: 'recordAccept' },
        DECLINE: { target: 'declined', actions: 'recordDecline' },
        RESCIND: { target: 'rescinded', actions: ['recordNothing', 'sendRescind'] },
        DISCARD: { target: 'rescinded', actions: 'recordNothing' },
      },
    },
    accepted: { type: 'final' },
    declined: { type: 'final' },
    rescinded: { type: 'final' },
  },
});

export type InverseOfferState = StateOf<typeof inverseOfferMachine>;
export type InverseOfferEvent = EventOf<typeof inverseOfferMachine>;
export type InverseOfferEffect = EffectOf<typeof inverseOfferMachine>;

export const inverseOfferLifecycle = compile(inverseOfferMachine);
