import { type PID, type WireSchema } from '@mezzo/process';
import { machineEvents } from '@mezzo/process/xstate';
import { assign, setup } from 'xstate';

// Two machines that call each other: what one sends is an event of the other.

export type PhoneEvent =
  | { readonly type: 'DIAL'; readonly number: string }
  | { readonly type: 'RING' }
  | { readonly type: 'ANSWER' }
  | { readonly type: 'HANG_UP' };

const types = ['DIAL', 'RING', 'ANSWER', 'HANG_UP'];

/** Refuses what is no event of a phone. */
const phoneEvent: WireSchema<PhoneEvent> = {
  '~standard': {
    version: 1,
    vendor: 'test',
    validate: (value) =>
      typeof value === 'object' && value !== null && 'type' in value && types.includes(String(value.type))
        ? { value: value as PhoneEvent }
        : { issues: [{ message: 'no event of a phone' }] },
  },
};

/** Rings for a minute, then gives up; the one that is called takes 1 to 5 s to answer and talks for `patience`. */
export const phoneMachine = setup({
  types: {
    context: {} as { readonly patience: number; readonly talks: number; readonly peer: PID | undefined },
    input: {} as { readonly patience: number },
    events: {} as PhoneEvent,
  },
  actions: {
    rememberCaller: () => {},
    ring: (_args, _params: { readonly number: string }) => {},
    answer: () => {},
    hangUp: () => {},
  },
  delays: {
    reaction: () => 1000,
    patience: ({ context }) => context.patience,
  },
}).createMachine({
  id: 'phone',
  context: ({ input }) => ({ patience: input.patience, talks: 0, peer: undefined }),
  initial: 'idle',
  states: {
    idle: {
      on: {
        DIAL: { target: 'calling', actions: { type: 'ring', params: ({ event }) => ({ number: event.number }) } },
        RING: { target: 'ringing', actions: 'rememberCaller' },
      },
    },
    calling: {
      after: { 60_000: 'idle' },
      on: { ANSWER: 'talking', RING: { actions: [] } },
    },
    ringing: { after: { reaction: { target: 'talking', actions: 'answer' } } },
    talking: {
      tags: 'busy',
      entry: assign({ talks: ({ context }) => context.talks + 1 }),
      after: { patience: { target: 'idle', actions: 'hangUp' } },
      on: { HANG_UP: 'idle' },
    },
  },
});

export const Phone = machineEvents<typeof phoneMachine>('phone', phoneEvent);
