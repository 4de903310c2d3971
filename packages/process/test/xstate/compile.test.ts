import { expect } from 'chai';
import fc from 'fast-check';
import {
  and,
  assign,
  createMachine,
  emit,
  enqueueActions,
  fromPromise,
  initialTransition,
  log,
  raise,
  sendTo,
  setup,
  spawnChild,
  transition,
  type AnyStateMachine,
  type StateValue,
} from 'xstate';
import { compile, effects, events, type TransitionTable, UncompilableMachineError } from '../../src/xstate/index.ts';
import { anyMachine, EVENTS, machineWith, type Misfit, runActor } from './machines.ts';

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
    const seen = { accepted: 0, forbidden: 0, done: 0, moved: 0, within: 0, endless: 0 };
    fc.assert(
      fc.property(anyMachine, ({ config, sent }) => {
        const machine: AnyStateMachine = createMachine(config);
        const compiled = compileUnlessEndless(machine);
        if (compiled === undefined) return void seen.endless++;
        const [start, ...steps] = runActor(machine, sent);
        expect({ state: compiled.initial, effects: compiled.initialEffects }).to.deep.equal({
          state: start?.state,
          effects: start?.effects,
        });
        let state: string = compiled.initial;
        steps.forEach((step, i) => {
          const outcome = compiled.next(state, sent[i] ?? '');
          expect(outcome ?? { state, effects: [] }).to.deep.equal({ state: step.state, effects: step.effects });
          if (step.isForbidden) {
            expect(outcome).to.equal(undefined);
            seen.forbidden++;
          }
          if (outcome !== undefined) seen.accepted++;
          if (step.effects.some((effect) => effect.endsWith('.done'))) seen.moved++;
          state = outcome?.state ?? state;
          if (state.split('.').length > 2) seen.within++;
          expect(compiled.isFinal(state)).to.equal(step.isDone);
        });
        if (compiled.isFinal(state)) {
          seen.done++;
          for (const event of EVENTS) expect(compiled.next(state, event)).to.equal(undefined);
        }
      }),
      { numRuns: 200 },
    );
    // The machines must be worth it.
    expect(seen.accepted, 'accepted').to.be.above(400);
    expect(seen.forbidden, 'forbidden').to.be.above(80);
    expect(seen.done, 'done').to.be.above(5);
    expect(seen.moved, 'moved on by onDone').to.be.above(20);
    expect(seen.within, 'at the third level or below').to.be.above(150);
    expect(seen.endless, 'endless').to.be.below(110);
  });

  /** Undefined where xstate itself finds no end. */
  function compileUnlessEndless(machine: AnyStateMachine): TransitionTable<string, string, string> | undefined {
    try {
      return compile<AnyStateMachine>(machine);
    } catch (error) {
      if (!(error instanceof UncompilableMachineError)) throw error;
      const [, event] = /^onDone transitions without end (?:on "(\w)"|at the start)$/.exec(error.feature) ?? [];
      const value = error.state.split('.').reduceRight<StateValue>((inner, key) => ({ [key]: inner }), {});
      const step = () =>
        event === undefined
          ? initialTransition(machine)[0]
          : transition(machine, machine.resolveState({ value, context: {} }), { type: event })[0];
      if (event === undefined) expect(step()).to.have.property('status', 'error');
      else expect(step).to.throw(/Infinite loop/);
      return undefined;
    }
  }
});

describe('compile refuses, naming state and feature:', () => {
  const a = (config: object): AnyStateMachine =>
    createMachine({ id: 'm', initial: 'o', states: { o: { initial: 'a', states: { a: config, b: {} } } } });
  const nested = (onDone: object) => ({
    initial: 'x',
    states: { x: { on: { END: 'y' } }, y: { type: 'final' as const } },
    onDone,
  });
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
    [
      'several targets',
      () => a({ initial: 'x', states: { x: {}, y: {} }, on: { GO: ['b', { target: ['.x', '.y'] }] } }),
      'o.a',
      /several targets on "GO"/,
    ],
    ['routes', () => a({ id: 'here', route: {} }), 'o.a', /a route/],
    [
      'a guard on the way out of a final state',
      () => a(nested({ guard: 'x' })),
      'o.a',
      /a guard on "xstate\.done\.state/,
    ],
    ['final states in a circle', () => a(nested({ target: '.y', reenter: true })), 'o.a.x', /onDone .* on "END"/],
    [
      'final states in a circle at the start',
      () =>
        createMachine({
          id: 'm',
          initial: 'a',
          states: { a: { ...nested({ target: 'a', reenter: true }), initial: 'y' } },
        }),
      '',
      /onDone .* at the start/,
    ],
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

  const misfits: Record<string, Misfit> = {
    guards: { feature: /a guard on "GO"/, config: { on: { GO: [{ actions: 'x' }, { guard: 'y', actions: 'x' }] } } },
    delays: { feature: /a delayed transition/, config: { after: { 10: {} } } },
    invocations: { feature: /an invocation/, config: { invoke: { src: 'x' } } },
    'eventless transitions': { feature: /an eventless transition/, config: { always: { actions: 'x' } } },
    wildcards: { feature: /a wildcard event/, config: { on: { '*': { actions: 'x' } } } },
    'functions on entry': { feature: /an inline function as action on entry/, config: { entry: () => {} } },
    'assignments on exit': { feature: /the action assign\(\) on exit/, config: { exit: ['x', assign({})] } },
    'several targets': { feature: /several targets on "GO"/, config: { on: { GO: { target: ['#m', '#m_0'] } } } },
    'parallel states': { feature: /parallel states/, config: { type: 'parallel' }, compound: true },
    'history states': { feature: /a history state/, config: {}, compound: true, states: { h: { type: 'history' } } },
  };
  for (const [what, misfit] of Object.entries(misfits)) {
    it(`${what}, in whatever state of whatever machine`, () => {
      fc.assert(
        fc.property(machineWith(misfit), ({ config, at }) => {
          try {
            compile(createMachine(config));
          } catch (error) {
            if (!(error instanceof UncompilableMachineError)) throw error;
            expect(error.feature).to.match(misfit.feature);
            const state = misfit.states === undefined ? at : [at, 'h'].filter((part) => part !== '').join('.');
            expect(error.state).to.equal(state);
            return;
          }
          expect.fail('compiled');
        }),
      );
    });
  }
});
