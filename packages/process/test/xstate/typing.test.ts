import { expect } from 'chai';
import { setup } from 'xstate';
import { compile, effects, events, type EffectOf, type EventOf, type StateOf } from '../../src/xstate/index.ts';

const machine = setup({
  types: { events: events('CONNECT', 'PAUSE', 'CLOSE') },
  actions: effects('greet', 'bid'),
}).createMachine({
  id: 'link',
  initial: 'idle',
  states: {
    idle: { on: { CONNECT: { target: 'open', actions: ['greet'] } } },
    open: {
      initial: 'busy',
      states: { busy: { on: { PAUSE: 'paused' } }, paused: {} },
      on: { CLOSE: { target: 'closed', actions: 'bid' } },
    },
    closed: { type: 'final' },
  },
});

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

// These fail in the type check, not when run.
const statesAreInferred: Equal<StateOf<typeof machine>, 'idle' | 'open.busy' | 'open.paused' | 'closed'> = true;
const eventsAreInferred: Equal<EventOf<typeof machine>, 'CONNECT' | 'PAUSE' | 'CLOSE'> = true;
const effectsAreInferred: Equal<EffectOf<typeof machine>, 'greet' | 'bid'> = true;

describe('compile: names in types', () => {
  const table = compile(machine);

  it('infers unions of the names of states, events and effects', () => {
    expect([statesAreInferred, eventsAreInferred, effectsAreInferred]).to.not.include(false);
    const outcome = table.next('idle', 'CONNECT');
    const state: 'idle' | 'open.busy' | 'open.paused' | 'closed' | undefined = outcome?.state;
    expect(state).to.equal('open.busy');
    const effect: 'greet' | 'bid' | undefined = outcome?.effects[0];
    expect(effect).to.equal('greet');
  });

  it('refuses unknown names at compile time and does not accept them at run time', () => {
    // @ts-expect-error there is no such state
    expect(table.next('asleep', 'CONNECT')).to.equal(undefined);
    // @ts-expect-error there is no such event
    expect(table.next('idle', 'SHUT')).to.equal(undefined);
  });

  it('narrows texts from outside', () => {
    const text: string = 'open.busy';
    expect(table.isState(text) && table.next(text, 'CLOSE')?.state).to.equal('closed');
    expect(table.isState('open')).to.equal(false);
    expect(table.isEvent('PAUSE')).to.equal(true);
    expect(table.isEvent('xstate.init')).to.equal(false);
  });
});
