import { expect } from 'chai';
import {
  type BodyOf,
  dispatch,
  type ExitReason,
  type LocalPID,
  message,
  type PID,
  Process,
  type Runtime,
} from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';
import {
  fromMachine,
  type MachineProcess,
  machineEvents,
  type MachineState,
  type PersistedMachine,
  StateChanged,
  WatchState,
} from '@mezzo/process/xstate';
import { type ActorRefFrom, assign, createMachine, fromCallback, fromPromise, raise, setup, stopChild } from 'xstate';
import { HelpProcess } from '../../src/builtin/help.ts';

const hours = 3_600_000;

/** A dish that cooks for two hours and is done; STIR gives it context, KEEP keeps it warm. */
const dish = setup({
  types: {
    context: {} as { readonly stirred: number; readonly cook: string },
    input: {} as { readonly cook: string },
    events: {} as { type: 'STIR' } | { type: 'KEEP' } | { type: 'LOOK' },
    output: {} as { readonly stirred: number },
    tags: {} as 'hot',
  },
}).createMachine({
  id: 'dish',
  context: ({ input }) => ({ stirred: 0, cook: input.cook }),
  initial: 'cooking',
  on: { STIR: { actions: assign({ stirred: ({ context }) => context.stirred + 1 }) } },
  output: ({ context }) => ({ stirred: context.stirred }),
  states: {
    cooking: {
      tags: 'hot',
      initial: 'raw',
      after: { [2 * hours]: 'eaten' },
      states: { raw: { after: { [hours]: 'soft' } }, soft: {} },
      on: { KEEP: 'warm' },
    },
    warm: { tags: 'hot' },
    eaten: { type: 'final' },
  },
});
const Dish = machineEvents<typeof dish>('dish');

describe('fromMachine: where the machine stands', () => {
  let world: Simulation;
  let runtime: Runtime;
  const errors: unknown[] = [];

  beforeEach(async () => {
    errors.length = 0;
    world = new Simulation();
    runtime = await world.start('node', { onError: (error) => errors.push(error) });
  });
  afterEach(() => world.stop());

  const get = async (path: string, method = 'GET') => {
    const answer = runtime.http({ path, method });
    await world.settle();
    const { status, headers, body } = answer.get();
    return { status, headers, text: typeof body === 'string' ? body : '' };
  };

  const cook = (options: { save?: (state: PersistedMachine) => void; snapshot?: PersistedMachine | undefined } = {}) =>
    runtime.spawn(fromMachine(dish, { id: 'dish', input: { cook: 'Ann' }, events: Dish, ...options }));

  const look = async (on = runtime): Promise<MachineState> => {
    const answer = on.ask(on.pid('dish@node'), WatchState, { watch: false });
    await world.advance('10ms');
    return answer.get();
  };

  describe('over HTTP', () => {
    it('GET /<id>/state shows value, status, tags and context', async () => {
      const pid = cook();
      runtime.send(pid, Dish, { type: 'STIR' });
      await world.advance(hours);
      const { status, text, headers } = await get('/dish/state');
      expect(status).to.equal(200);
      expect(headers?.['content-type']).to.equal('application/json');
      expect(JSON.parse(text)).to.deep.equal({
        value: { cooking: 'soft' },
        status: 'active',
        tags: ['hot'],
        context: { stirred: 1, cook: 'Ann' },
      });
    });

    it('other methods are refused', async () => {
      cook();
      const { status, headers } = await get('/dish/state', 'POST');
      expect(status).to.equal(405);
      expect(headers?.['allow']).to.equal('GET, HEAD');
    });

    it('a context that is no JSON is an error of the request only', async () => {
      const pid = runtime.spawn(fromMachine(createMachine({ context: { big: 1n } }), { id: 'big' }));
      expect((await get('/big/state')).status).to.equal(500);
      expect(await dispatch(pid, (self) => self.snapshot.status)).to.equal('active');
    });

    it('the route has its line of help', async () => {
      runtime.spawn(new HelpProcess());
      cook();
      await world.settle();
      expect((await get('/help/dish')).text).to.match(/\/dish\/state.*State of the machine 'dish' as JSON/);
    });
  });

  describe('by messages', () => {
    class Watcher extends Process {
      readonly heard: string[] = [];
      protected override initialize(): void {
        this.install(StateChanged, ({ value, status, tags, event, output }) => {
          this.heard.push(
            `${JSON.stringify(value)} ${status} ${tags.join()} by ${event}${output === undefined ? '' : JSON.stringify(output)}`,
          );
        });
      }
      protected override exited(pid: PID, reason: ExitReason): void {
        this.heard.push(`${pid.id} ${reason.kind}`);
      }
      linkTo(to: PID, watch = true): void {
        this.link(to);
        this.send(to, WatchState, { watch });
      }
    }

    it('tells who asks where it stands', async () => {
      cook();
      expect(await look()).to.deep.equal({
        value: { cooking: 'raw' },
        status: 'active',
        tags: ['hot'],
        event: 'xstate.init',
      });
    });

    it('tells watchers of every transition, also on another node, and of nothing else', async () => {
      const other = await world.start('other');
      const pid = cook();
      const near = runtime.spawn(new Watcher('near'));
      const far = other.spawn(new Watcher('far'));
      for (const watcher of [near, far]) dispatch(watcher, (self) => self.linkTo(runtime.pid('dish@node')));
      await world.settle();
      runtime.send(pid, Dish, { type: 'STIR' });
      runtime.send(pid, Dish, { type: 'LOOK' });
      await world.advance(3 * hours);
      const expected = [
        '{"cooking":"raw"} active hot by xstate.init',
        '{"cooking":"raw"} active hot by STIR',
        '{"cooking":"soft"} active hot by xstate.after.3600000.dish.cooking.raw',
        '"eaten" done  by xstate.after.7200000.dish.cooking{"stirred":1}',
        'dish terminated',
      ];
      expect(await dispatch(near, (self) => self.heard)).to.deep.equal(expected);
      expect(await dispatch(far, (self) => self.heard)).to.deep.equal(expected);
    });

    it('stops to tell who does not want it any more, and who has ended', async () => {
      const pid = cook();
      const [leaver, dying] = [runtime.spawn(new Watcher('leaver')), runtime.spawn(new Watcher('dying'))];
      for (const watcher of [leaver, dying]) dispatch(watcher, (self) => self.linkTo(pid));
      await world.settle();
      dispatch(leaver, (self) => self.linkTo(pid, false));
      runtime.terminate(dying);
      await world.settle();
      const letters: string[] = [];
      runtime.onDeadLetter(({ name, to }) => letters.push(`${name} to ${to.id}`));
      runtime.send(pid, Dish, { type: 'KEEP' });
      await world.settle();
      // One at the start, one as the answer to the leave.
      expect(await dispatch(leaver, (self) => self.heard)).to.have.length(2);
      expect(letters).to.deep.equal([]);
    });

    it('tells nobody of a transition that fails', async () => {
      const failing = createMachine({
        id: 'failing',
        initial: 'a',
        states: { a: { after: { 10: 'b' } }, b: { entry: raise({ type: 'X' }, { delay: Number.NaN }) } },
      });
      const pid = runtime.spawn(fromMachine(failing, { id: 'failing' }));
      const watcher = runtime.spawn(new Watcher('w'));
      dispatch(watcher, (self) => self.linkTo(pid));
      await world.advance('1s');
      expect(await dispatch(watcher, (self) => self.heard)).to.deep.equal([
        '"a" active  by xstate.init',
        'failing crashed',
      ]);
    });

    it('tells nobody of what only an actor of the machine did', async () => {
      const child = createMachine({ initial: 'a', states: { a: { after: { 10: 'b' } }, b: {} } });
      const Any = message<{ readonly type: string }>('any');
      const pid = runtime.spawn(fromMachine(createMachine({ invoke: { src: child } }), { events: Any }));
      const watcher = runtime.spawn(new Watcher('w'));
      dispatch(watcher, (self) => self.linkTo(pid));
      await world.advance('1s');
      runtime.send(pid, Any, { type: 'IGNORED' });
      await world.settle();
      expect(await dispatch(watcher, (self) => self.heard)).to.have.length(1);
    });

    it('the exit of a watcher is no event of the machine', async () => {
      const lost = createMachine({ initial: 'a', states: { a: { on: { LOST: 'b' } }, b: {} } });
      const pid = runtime.spawn(fromMachine(lost, { exited: () => ({ type: 'LOST' }) }));
      const watcher = runtime.spawn(new Watcher('w'));
      dispatch(watcher, (self) => self.linkTo(pid));
      await world.settle();
      runtime.terminate(watcher);
      await world.settle();
      expect(await dispatch(pid, (self) => self.snapshot.value)).to.equal('a');
    });

    it('refuses from the wire what is no state', () => {
      const good: BodyOf<typeof StateChanged> = {
        value: { a: { b: 'c', d: 'e' } },
        status: 'done',
        tags: ['t'],
        event: 'X',
      };
      const accepts = (value: unknown): boolean => {
        const outcome = StateChanged.schema?.['~standard'].validate(value);
        return outcome !== undefined && 'value' in outcome;
      };
      expect(accepts(good)).to.equal(true);
      for (const fault of [
        { value: 1 },
        { value: { a: 1 } },
        { status: 'error' },
        { tags: [1] },
        { tags: 't' },
        { event: 1 },
      ])
        expect(accepts({ ...good, ...fault }), JSON.stringify(fault)).to.equal(false);
      for (const body of [null, 'x', [], undefined]) expect(accepts(body)).to.equal(false);
    });
  });

  describe('persisted', () => {
    /** What a disk would give back. */
    const viaJson = (state: PersistedMachine): PersistedMachine =>
      JSON.parse(JSON.stringify(state)) as PersistedMachine;

    it('goes on from there in a new process, with the rest of its delays and without repeating entry actions', async () => {
      const first = cook();
      runtime.send(first, Dish, { type: 'STIR' });
      await world.advance(1.5 * hours);
      const persisted = viaJson(await dispatch(first, (self) => self.persisted()));
      runtime.terminate(first);
      await world.settle();
      cook({ snapshot: persisted });
      expect((await look()).value).to.deep.equal({ cooking: 'soft' });
      const over = runtime.wait(runtime.pid('dish'));
      await world.advance(0.4 * hours);
      expect(over.isPending).to.equal(true);
      await world.advance(0.11 * hours);
      expect(over.isReady).to.equal(true);
    });

    it('fires at once, in their order, delays that were due meanwhile', async () => {
      const first = cook();
      await world.settle();
      const persisted = viaJson(await dispatch(first, (self) => self.persisted()));
      runtime.terminate(first);
      await world.advance(10 * hours);
      const seen: unknown[] = [];
      cook({ snapshot: persisted, save: ({ snapshot }) => seen.push((snapshot as { value?: unknown }).value) });
      await world.settle();
      expect(seen).to.deep.equal([{ cooking: 'raw' }, { cooking: 'soft' }, 'eaten']);
      expect(runtime.processes).to.not.include('dish');
    });

    it('an exit from the state cancels restored delays', async () => {
      const first = cook();
      await world.settle();
      const persisted = await dispatch(first, (self) => self.persisted());
      runtime.terminate(first);
      await world.settle();
      const second = cook({ snapshot: persisted });
      runtime.send(second, Dish, { type: 'KEEP' });
      await world.settle();
      expect(world.clock.nextDue()).to.equal(undefined);
    });

    it('is given to `save` after each turn that did something, and to no other', async () => {
      const saved: PersistedMachine[] = [];
      const pid = cook({ save: (state) => saved.push(state) });
      await world.settle();
      expect(saved).to.have.length(1);
      runtime.send(pid, Dish, { type: 'LOOK' });
      await look();
      expect(saved).to.have.length(1);
      runtime.send(pid, Dish, { type: 'STIR' });
      await world.settle();
      expect(saved).to.have.length(2);
      await world.advance(hours);
      expect(saved).to.have.length(3);
      expect(saved.at(-1)?.delays.map(({ id }) => id)).to.deep.equal(['xstate.after.7200000.dish.cooking']);
    });

    it('a crash goes back to what was saved last: another process restarts it from there', async () => {
      const careless = setup({
        types: { context: {} as { readonly sum: number }, events: {} as { type: 'ADD'; n: number } },
      }).createMachine({
        context: { sum: 0 },
        on: {
          ADD: {
            actions: assign({
              sum: ({ context, event }) => {
                if (event.n < 0) throw new RangeError(`cannot add ${event.n}`);
                return context.sum + event.n;
              },
            }),
          },
        },
      });
      const Add = machineEvents<typeof careless>('add');
      class Restarter extends Process {
        starts = 0;
        #last: PersistedMachine | undefined;
        protected override initialize(): void {
          this.#start();
        }
        protected override exited(): void {
          this.#start();
        }
        #start(): void {
          this.starts++;
          const save = (state: PersistedMachine): void => void (this.#last = state);
          this.link(this.runtime.spawn(fromMachine(careless, { id: 'sum', events: Add, snapshot: this.#last, save })));
        }
      }
      const restarter = runtime.spawn(new Restarter('restarter'));
      await world.settle();
      for (const n of [1, 2, -1]) {
        runtime.send(runtime.pid('sum'), Add, { type: 'ADD', n });
        await world.settle();
      }
      runtime.send(runtime.pid('sum'), Add, { type: 'ADD', n: 4 });
      await world.settle();
      expect(JSON.parse((await get('/sum/state')).text)).to.have.deep.property('context', { sum: 7 });
      expect(await dispatch(restarter, (self) => self.starts)).to.equal(2);
      expect(errors).to.have.length(1);
    });

    describe('with actors', () => {
      const timer = createMachine({
        id: 'timer',
        initial: 'on',
        states: { on: { after: { [hours]: 'over' } }, over: { type: 'final' } },
      });
      const kitchen = setup({
        types: {
          context: {} as { readonly timers: readonly ActorRefFrom<typeof timer>[]; readonly rung: number },
          events: {} as { type: 'SET' } | { type: 'CLEAR' } | { type: `xstate.done.actor.${string}` },
        },
        actors: { timer, radio: fromPromise<string>(() => new Promise(() => {})) },
      }).createMachine({
        context: { timers: [], rung: 0 },
        invoke: { src: 'radio' },
        on: {
          SET: { actions: assign({ timers: ({ context, spawn }) => [...context.timers, spawn('timer')] }) },
          CLEAR: { actions: stopChild(({ context }) => context.timers[0] ?? 'none') },
          'xstate.done.actor.*': { actions: assign({ rung: ({ context }) => context.rung + 1 }) },
        },
      });
      type Kitchen = MachineProcess<typeof kitchen>;

      const rungAfter = async (pid: LocalPID<Kitchen>, duration: number): Promise<number> => {
        await world.advance(duration);
        return (await dispatch(pid, (self) => self.snapshot)).context.rung;
      };

      it('their delays go on too, ids do not repeat, and the state can be used twice', async () => {
        const first = runtime.spawn(fromMachine(kitchen));
        dispatch(first, (self) => self.transition({ type: 'SET' }));
        await world.advance(0.5 * hours);
        const inMemory = await dispatch(first, (self) => self.persisted());
        const onDisk = viaJson(inMemory);
        runtime.terminate(first);
        for (const snapshot of [inMemory, inMemory, onDisk]) {
          const pid = runtime.spawn(fromMachine(kitchen, { snapshot }));
          dispatch(pid, (self) => self.transition({ type: 'SET' }));
          const timers = (await dispatch(pid, (self) => self.snapshot)).context.timers;
          expect(timers.map(({ id }) => id)).to.deep.equal(['child:2', 'child:5']);
          expect(timers.every((each) => each.getSnapshot().status === 'active')).to.equal(true);
          runtime.terminate(pid);
        }
        const again = runtime.spawn(fromMachine(kitchen, { snapshot: onDisk }));
        expect(await rungAfter(again, 0.49 * hours)).to.equal(0);
        expect(await rungAfter(again, 0.02 * hours)).to.equal(1);
      });

      it('a delay that ends leaves those of other actors of the same machine', async () => {
        const pid = runtime.spawn(fromMachine(kitchen));
        for (const start of [1, 2]) {
          await dispatch(pid, (self) => self.transition({ type: 'SET' }));
          expect(await rungAfter(pid, 0.4 * hours), `start ${start}`).to.equal(0);
        }
        expect(await rungAfter(pid, 0.3 * hours)).to.equal(1);
        expect(await rungAfter(pid, 0.5 * hours)).to.equal(2);
      });

      it('a delay of an actor that is gone is not kept', async () => {
        const pid = runtime.spawn(fromMachine(kitchen));
        await dispatch(pid, (self) => self.transition({ type: 'SET' }));
        expect((await dispatch(pid, (self) => self.persisted())).delays).to.have.length(1);
        await dispatch(pid, (self) => self.transition({ type: 'CLEAR' }));
        expect((await dispatch(pid, (self) => self.persisted())).delays).to.deep.equal([]);
        expect(world.clock.nextDue()).to.equal(undefined);
        expect(await rungAfter(pid, 2 * hours)).to.equal(0);
      });
    });

    it('what only an actor did is saved, too', async () => {
      const saved: string[] = [];
      const machine = createMachine({ invoke: { id: 'one', src: fromPromise(async () => 1) } });
      runtime.spawn(fromMachine(machine, { save: ({ snapshot }) => saved.push(JSON.stringify(snapshot)) }));
      await world.settle();
      expect(saved).to.have.length(2);
      expect(saved[1]).to.include('"output":1');
    });

    it('an actor that starts again and ends the state at once ends its restored delays', async () => {
      let starts = 0;
      const machine = createMachine({
        initial: 'a',
        states: {
          a: {
            invoke: { src: fromCallback(({ sendBack }) => (starts++ > 0 ? sendBack({ type: 'LEAVE' }) : undefined)) },
            after: { [hours]: 'late' },
            on: { LEAVE: 'left' },
          },
          left: {},
          late: {},
        },
      });
      const first = runtime.spawn(fromMachine(machine));
      const snapshot = await dispatch(first, (self) => self.persisted());
      runtime.terminate(first);
      const second = runtime.spawn(fromMachine(machine, { snapshot }));
      expect(await dispatch(second, (self) => self.snapshot.value)).to.equal('left');
      expect(world.clock.nextDue()).to.equal(undefined);
    });

    it('a delayed event that changes no state is saved with its turn', async () => {
      const saved: PersistedMachine[] = [];
      const alarm = createMachine({
        on: { SET: { actions: raise({ type: 'RING' }, { delay: 1000 }) }, RING: { actions: () => {} } },
      });
      const pid = runtime.spawn(fromMachine(alarm, { save: (state) => saved.push(state) }));
      await dispatch(pid, (self) => self.transition({ type: 'SET' }));
      expect(saved.at(-1)?.delays.map(({ event }) => event.type)).to.deep.equal(['RING']);
      await world.advance('1s');
      expect(saved.at(-1)?.delays).to.deep.equal([]);
    });

    it('a state of another machine crashes the process with what does not fit', async () => {
      const pid = cook();
      const persisted = await dispatch(pid, (self) => self.persisted());
      const stranger = createMachine({ id: 'stranger', initial: 'a', states: { a: {} } });
      runtime.spawn(fromMachine(stranger, { id: 'stranger', snapshot: persisted }));
      await world.settle();
      expect(errors.map(String)).to.have.length(1);
      expect(String(errors[0])).to.include("'cooking' does not exist on 'stranger'");
    });
  });
});
