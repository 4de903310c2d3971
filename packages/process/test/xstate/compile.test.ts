import { expect } from 'chai';
import fc from 'fast-check';
import {
  and,
  assign,
  createMachine,
  emit,
  enqueueActions,
  fromPromise,
  log,
  raise,
  sendTo,
  setup,
  spawnChild,
  type AnyStateMachine,
} from 'xstate';
import { compile, effects, events, UncompilableMachineError } from '../../src/xstate/index.ts';
import { anyMachine, EVENTS, runActor } from './machines.ts';

const door = setup({
  types: { events: events('OPEN', 'SHUT', 'KNOCK', 'LOCK', 'BURN') },
  actions: effects('creak', 'greet', 'alarm', 'latch', 'unlatch', 'lightOn', 'lightOff'),
}).createMachine({
  id: 'door',
  initial: 'shut',
  entry: 'greet',
  on: { BURN: { target: '.gone', actions: 'alarm' } },
  states: {
    shut: {
      entry: 'latch',
      exit: 'unlatch',
      initial: 'unlocked',
      states: { unlocked: { on: { LOCK: 'locked' } }, locked: { entry: 'alarm', on: { OPEN: {} } } },
      on: { OPEN: { target: 'open', actions: ['creak', 'greet'] }, KNOCK: { actions: 'greet' } },
    },
    open: { entry: 'lightOn', exit: ['lightOff'], on: { SHUT: 'shut', OPEN: { target: 'open', reenter: true } } },
    gone: { type: 'final' },
  },
});

describe('compile', () => {
  const table = compile(door);

  it('lists leaf states as dotted paths, and the events', () => {
    expect(table.id).to.equal('door');
    expect(table.states).to.deep.equal(['shut.unlocked', 'shut.locked', 'open', 'gone']);
    expect([...table.events].toSorted()).to.deep.equal(['BURN', 'KNOCK', 'LOCK', 'OPEN', 'SHUT']);
  });

  it('starts in the innermost initial state with its entry effects', () => {
    expect(table.initial).to.equal('shut.unlocked');
    expect(table.initialEffects).to.deep.equal(['greet', 'latch']);
  });

  it('gives effects in the order exit, transition, entry', () => {
    expect(table.next('shut.unlocked', 'OPEN')).to.deep.equal({
      state: 'open',
      effects: ['unlatch', 'creak', 'greet', 'lightOn'],
    });
    expect(table.next('open', 'SHUT')).to.deep.equal({ state: 'shut.unlocked', effects: ['lightOff', 'latch'] });
  });

  it('keeps the outer state when moving within it', () => {
    expect(table.next('shut.unlocked', 'LOCK')).to.deep.equal({ state: 'shut.locked', effects: ['alarm'] });
  });

  it('takes transitions of outer states and of the root', () => {
    expect(table.next('shut.locked', 'KNOCK')).to.deep.equal({ state: 'shut.locked', effects: ['greet'] });
    expect(table.next('open', 'BURN')).to.deep.equal({ state: 'gone', effects: ['lightOff', 'alarm'] });
  });

  it('leaves and enters again where the machine says so', () => {
    expect(table.next('open', 'OPEN')).to.deep.equal({ state: 'open', effects: ['lightOff', 'lightOn'] });
  });

  it('accepts nothing that the state does not name, nor what it forbids against its outer state', () => {
    expect(table.next('open', 'LOCK')).to.equal(undefined);
    expect(table.next('shut.locked', 'OPEN')).to.equal(undefined);
  });

  it('accepts nothing once the machine is done, not even what the root names', () => {
    expect(table.states.filter((state) => table.isFinal(state))).to.deep.equal(['gone']);
    for (const event of table.events) expect(table.next('gone', event)).to.equal(undefined);
  });

  it('a final state within another is not the end, and moves on by onDone in the same step', () => {
    const nested = compile(
      createMachine({
        id: 'nested',
        initial: 'work',
        states: {
          work: {
            initial: 'doing',
            states: { doing: { on: { END: 'done' } }, done: { type: 'final', entry: 'tidy' } },
            onDone: { target: 'rest', actions: 'bell' },
          },
          rest: {},
        },
      }),
    );
    expect(nested.next('work.doing', 'END')).to.deep.equal({ state: 'rest', effects: ['tidy', 'bell'] });
    expect(nested.isFinal('work.done')).to.equal(false);
    expect(nested.events).to.deep.equal(['END']);
  });

  it('returns the same frozen object each time', () => {
    const outcome = table.next('open', 'SHUT');
    expect(table.next('open', 'SHUT')).to.equal(outcome);
    expect(Object.isFrozen(outcome) && Object.isFrozen(outcome?.effects)).to.equal(true);
  });

  it('agrees with a running xstate actor on states, effects and their order, for any machine', () => {
    let accepted = 0;
    fc.assert(
      fc.property(anyMachine, ({ machine, sent }) => {
        const compiled = compile<AnyStateMachine>(machine);
        const [start, ...steps] = runActor(machine, sent);
        expect({ state: compiled.initial, effects: compiled.initialEffects }).to.deep.equal({
          state: start?.state,
          effects: start?.effects,
        });
        let state: string = compiled.initial;
        steps.forEach((step, i) => {
          const outcome = compiled.next(state, sent[i] ?? '');
          expect(outcome ?? { state, effects: [] }).to.deep.equal({ state: step.state, effects: step.effects });
          if (outcome !== undefined) accepted += 1;
          state = outcome?.state ?? state;
          expect(compiled.isFinal(state)).to.equal(step.isDone);
        });
        if (compiled.isFinal(state)) {
          for (const event of EVENTS) expect(compiled.next(state, event)).to.equal(undefined);
        }
      }),
      { numRuns: 300 },
    );
    expect(accepted, 'transitions compared').to.be.above(300);
  });
});

describe('compile refuses, naming state and feature:', () => {
  const a = (config: object): AnyStateMachine =>
    createMachine({ id: 'm', initial: 'o', states: { o: { initial: 'a', states: { a: config, b: {} } } } });
  const inner = (action: unknown) => a({ on: { GO: { target: 'b', actions: action } } });

  const refused: [what: string, machine: () => AnyStateMachine, state: string, feature: RegExp][] = [
    ['guards', () => a({ on: { GO: { target: 'b', guard: 'mayGo' } } }), 'o.a', /a guard on "GO"/],
    ['guards as functions', () => a({ on: { GO: { target: 'b', guard: () => true } } }), 'o.a', /a guard on "GO"/],
    ['combined guards', () => a({ on: { GO: { target: 'b', guard: and(['x', 'y']) } } }), 'o.a', /a guard on "GO"/],
    ['delays', () => a({ after: { 100: 'b' } }), 'o.a', /a delayed transition \(after\)/],
    ['invocations', () => a({ invoke: { src: fromPromise(async () => {}) } }), 'o.a', /an invocation \(invoke\)/],
    ['eventless transitions', () => a({ always: 'b' }), 'o.a', /an eventless transition \(always\)/],
    ['parallel states', () => a({ type: 'parallel', states: { x: {}, y: {} } }), 'o.a', /parallel states/],
    [
      'history states',
      () => a({ initial: 'x', states: { x: {}, h: { type: 'history' } } }),
      'o.a.h',
      /a history state/,
    ],
    ['output', () => a({ type: 'final', output: 1 }), 'o.a', /output/],
    ['wildcards', () => a({ on: { '*': 'b' } }), 'o.a', /a wildcard event "\*"/],
    ['partial wildcards', () => a({ on: { 'go.*': 'b' } }), 'o.a', /a wildcard event "go\.\*"/],
    ['inline functions', () => inner(() => {}), 'o.a', /an inline function as action on "GO"/],
    ['inline functions on entry', () => a({ entry: () => {} }), 'o.a', /an inline function as action on entry/],
    ['inline functions on exit', () => a({ exit: () => {} }), 'o.a', /an inline function as action on exit/],
    [
      'inline functions on the initial transition',
      () => a({ initial: { target: 'x', actions: () => {} }, states: { x: {} } }),
      'o.a',
      /an inline function as action on its initial transition/,
    ],
    ['assign', () => inner(assign({})), 'o.a', /the action assign\(\) on "GO"/],
    ['raise', () => inner(raise({ type: 'GO' })), 'o.a', /the action raise\(\)/],
    ['spawn', () => inner(spawnChild('x')), 'o.a', /the action spawnChild\(\)/],
    ['sendTo', () => inner(sendTo('x', { type: 'GO' })), 'o.a', /the action sendTo\(\)/],
    ['emit', () => inner(emit({ type: 'GO' })), 'o.a', /the action emit\(\)/],
    ['log', () => inner(log('x')), 'o.a', /the action log\(\)/],
    ['enqueueActions', () => inner(enqueueActions(() => {})), 'o.a', /the action enqueueActions\(\)/],
    ['parameters', () => inner({ type: 'x', params: { n: 1 } }), 'o.a', /parameters for the action "x"/],
    [
      "xstate's own action behind a name",
      () => inner('x').provide({ actions: { x: assign({}) } }),
      'o.a',
      /the action "x", which is one of xstate's own/,
    ],
    ['a dot in a name', () => a({ initial: 'x.y', states: { 'x.y': {} } }), 'o.a.x.y', /a dot in its name/],
    ['context', () => createMachine({ id: 'm', context: {}, initial: 'a', states: { a: {} } }), '', /context/],
    [
      'a guard at the root',
      () => createMachine({ id: 'm', initial: 'a', states: { a: {} }, on: { GO: { guard: 'x' } } }),
      '',
      /a guard on "GO"/,
    ],
    ['a parallel root', () => createMachine({ id: 'm', type: 'parallel', states: { a: {} } }), '', /parallel states/],
    ['no states', () => createMachine({ id: 'm' }), '', /no states/],
  ];
  for (const [what, machine, state, feature] of refused) {
    it(what, () => {
      try {
        compile(machine());
        expect.fail('compiled');
      } catch (error) {
        if (!(error instanceof UncompilableMachineError)) throw error;
        expect(error.state).to.equal(state);
        expect(error.feature).to.match(feature);
        expect(error.message).to.match(/^Machine "m" cannot be compiled: /);
        expect(error.message).to.include(state === '' ? 'its root' : `state "${state}"`);
        expect(error.message).to.match(/; \w/);
      }
    });
  }
});
