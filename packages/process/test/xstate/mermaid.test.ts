import { expect } from 'chai';
import { setup } from 'xstate';
import { compile, effects, events, toMermaid } from '../../src/xstate/index.ts';

const machine = setup({
  types: { events: events('SUBSCRIBE', 'PAUSE', 'CLOSE', 'ABORT') },
  actions: effects('greet', 'ring', 'start'),
}).createMachine({
  id: 'link',
  initial: 'idle',
  states: {
    idle: { entry: 'start', on: { SUBSCRIBE: { target: 'open', actions: ['greet', 'ring'] } } },
    open: {
      initial: 'busy',
      states: { busy: { on: { PAUSE: 'paused' } }, paused: {} },
      on: { CLOSE: 'closed', ABORT: 'closed' },
    },
    closed: { type: 'final' },
  },
});

const picture = `stateDiagram-v2
  state "idle" as idle
  state "open" as open {
    state "busy" as open__busy
    state "paused" as open__paused
  }
  state "closed" as closed
  [*] --> idle : start
  idle --> open__busy : SUBSCRIBE / greet, ring
  open --> closed : CLOSE, ABORT
  open__busy --> open__paused : PAUSE
  closed --> [*]
`;

describe('toMermaid', () => {
  it('draws nested states, labels with event and effects, and once what is alike', () => {
    expect(toMermaid(machine)).to.equal(picture);
  });

  it('draws a table as its machine', () => {
    expect(toMermaid(compile(machine))).to.equal(picture);
  });
});
