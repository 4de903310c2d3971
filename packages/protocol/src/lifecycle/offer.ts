import { compile, effects, events, type EffectOf, type EventOf, type StateOf } from '@mezzo/process/xstate';
import { setup } from 'xstate';

// Events: RESCIND takes back what cannot be kept on offer (its time is over, its agent or role is gone, somebody has a
// better claim); DISCARD is the same where there is nobody to tell.
//
// Effects: stopTimer ends the offer's timeout; recoverResources gives them back to the allocator; sendRescind tells the
// framework.

/** An offer at the master: outstanding until the framework answers it or the master takes it back. */
export const offerMachine = setup({
  types: { events: events('ACCEPT', 'DECLINE', 'RESCIND', 'DISCARD') },
  actions: effects('stopTimer', 'recoverResources', 'sendRescind'),
}).createMachine({
  id: 'offer',
  initial: 'outstanding',
  states: {
    outstanding: {
      exit: 'stopTimer',
      on: {
        // What becomes of the resources is up to the operations.
        ACCEPT: 'accepted',
        DECLINE: { target: 'declined', actions: 'recoverResources' },
        RESCIND: { target: 'rescinded', actions: ['recoverResources', 'sendRescind'] },
        DISCARD: { target: 'rescinded', actions: 'recoverResources' },
      },
    },
    accepted: { type: 'final' },
    declined: { type: 'final' },
    rescinded: { type: 'final' },
  },
});

export type OfferState = StateOf<typeof offerMachine>;
export type OfferEvent = EventOf<typeof offerMachine>;
export type OfferEffect = EffectOf<typeof offerMachine>;

export const offerLifecycle = compile(offerMachine);
