import { expect } from 'chai';
import {
  type DeadLetter,
  dispatch,
  type ExitReason,
  type LocalPID,
  message,
  type PID,
  Process,
  Runtime,
} from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';
import { fromMachine, machineEvents, type MachineProcess } from '@mezzo/process/xstate';
import {
  type AnyStateMachine,
  assign,
  createMachine,
  fromCallback,
  fromPromise,
  log,
  raise,
  sendTo,
  setup,
} from 'xstate';
import { currentOwner } from '../../src/turn.ts';

const days = 86_400_000;
const Ping = message<{ readonly n: number }>('ping');
const Pong = message<{ readonly n: number }>('pong');

/** Answers pings, and writes down which of those it links to end how. */
class Observer extends Process {
  readonly exits: string[] = [];
  protected override initialize(): void {
    this.install(Ping, ({ n }) => void this.reply(Pong, { n: n + 1 }));
  }
  protected override exited(pid: PID, reason: ExitReason): void {
    this.exits.push(`${pid.id} ${reason.kind}${reason.kind === 'crashed' ? `: ${reason.message}` : ''}`);
  }
  linkTo(pid: PID): void {
    this.link(pid);
  }
}

describe('fromMachine', () => {
  const errors: { error: unknown; context: string }[] = [];
  const unhandled: unknown[] = [];
  const letters: DeadLetter[] = [];
  const onUnhandled = (error: unknown): void => void unhandled.push(error);
  let world: Simulation;
  let runtime: Runtime;
  let observer: Observer;

  beforeEach(async () => {
    errors.length = unhandled.length = letters.length = 0;
    process.on('unhandledRejection', onUnhandled);
    world = new Simulation();
    runtime = await world.start('node', { onError: (error, context) => errors.push({ error, context }) });
    runtime.onDeadLetter((letter) => letters.push(letter));
    observer = new Observer('observer');
    runtime.spawn(observer);
  });

  afterEach(async () => {
    await world.stop();
    process.off('unhandledRejection', onUnhandled);
    expect(unhandled).to.deep.equal([]);
  });

  /** Spawns with a link from the observer. */
  const run = <Machine extends AnyStateMachine>(
    process: MachineProcess<Machine>,
  ): LocalPID<MachineProcess<Machine>> => {
    const pid = runtime.spawn(process);
    observer.linkTo(pid);
    return pid;
  };

  const valueOf = async (pid: LocalPID<MachineProcess<AnyStateMachine>>): Promise<unknown> =>
    dispatch(pid, (self) => self.snapshot.value as unknown);

  describe('events', () => {
    const lamp = setup({
      types: {
        context: {} as { readonly brightness: number },
        events: {} as { type: 'PRESS' } | { type: 'DIM'; to: number },
      },
    }).createMachine({
      id: 'lamp',
      context: { brightness: 100 },
      initial: 'off',
      states: {
        off: { on: { PRESS: 'on' } },
        on: {
          on: { PRESS: 'off', DIM: { actions: assign({ brightness: ({ event }) => event.to }) } },
        },
      },
    });
    const Lamp = machineEvents<typeof lamp>('lamp');

    it('come from the mailbox, in order', async () => {
      const pid = run(fromMachine(lamp, { id: 'lamp', events: Lamp }));
      runtime.send(pid, Lamp, { type: 'PRESS' });
      runtime.send(pid, Lamp, { type: 'DIM', to: 20 });
      await world.settle();
      const snapshot = await dispatch(pid, (self) => self.snapshot);
      expect(snapshot.value).to.equal('on');
      expect(snapshot.context.brightness).to.equal(20);
    });

    it('may be given by dispatch', async () => {
      const pid = run(fromMachine(lamp));
      await dispatch(pid, (self) => self.transition({ type: 'PRESS' }));
      expect(await valueOf(pid)).to.equal('on');
    });

    it('given within an action wait until its step is over', async () => {
      const order: string[] = [];
      const chain = setup({
        types: { events: {} as { type: 'GO' } | { type: 'ON' } | { type: 'END' } },
        actions: { go: () => {}, note: ({ event }) => void order.push(event.type) },
      }).createMachine({
        initial: 'a',
        states: {
          a: { on: { GO: { target: 'b', actions: ['go', 'note'] } } },
          b: { on: { ON: { target: 'c', actions: 'note' } } },
          c: { on: { END: 'd' } },
          d: {},
        },
      });
      const process: MachineProcess<typeof chain> = fromMachine(chain, {
        provide: () => ({
          actions: {
            go: ({ self }) => {
              process.transition({ type: 'ON' });
              self.send({ type: 'END' });
            },
          },
        }),
      });
      const value = dispatch(run(process), (self) => {
        self.transition({ type: 'GO' });
        return self.snapshot.value;
      });
      await world.settle();
      expect(value.get()).to.equal('d');
      expect(order).to.deep.equal(['GO', 'ON']);
    });

    it('of other protocols are made of their messages', async () => {
      const pid = run(
        fromMachine(lamp, {
          receive: (install) =>
            install(Ping, ({ n }) => (n === 0 ? undefined : n === 1 ? { type: 'PRESS' } : { type: 'DIM', to: n })),
        }),
      );
      for (const n of [0, 1, 7]) runtime.send(pid, Ping, { n });
      await world.settle();
      expect((await dispatch(pid, (self) => self.snapshot)).context.brightness).to.equal(7);
    });

    it("are refused where their type is xstate's own: they would reach into the machine", async () => {
      const pid = run(fromMachine(lamp, { id: 'lamp', events: Lamp }));
      const Loose = message<unknown>('lamp');
      for (const body of [{ type: 'xstate.stop' }, { type: 7 }, {}, null, 'PRESS']) runtime.send(pid, Loose, body);
      runtime.send(pid, Lamp, { type: 'PRESS' });
      await world.settle();
      expect(await valueOf(pid)).to.equal('on');
      expect(letters.map(({ reason, name }) => `${reason} ${name}`)).to.deep.equal(Array(5).fill('unhandled lamp'));
    });
  });

  describe('delays', () => {
    /** `after` in a machine and its child, and a delayed raise and sendTo without ids, which xstate would draw. */
    const timed = setup({
      types: { events: {} as { type: 'TICK' } | { type: 'LEAVE' } | { type: 'BACK' } },
      actors: {
        child: createMachine({
          initial: 'young',
          states: { young: { after: { [5 * days]: 'old' }, on: { AGE: 'old' } }, old: { type: 'final' } },
        }),
      },
    }).createMachine({
      id: 'timed',
      initial: 'a',
      states: {
        a: { after: { [3 * days]: 'b' }, on: { LEAVE: 'gone' } },
        b: { entry: raise({ type: 'TICK' }, { delay: 2 * days }), on: { TICK: 'c' } },
        c: {
          entry: sendTo('aging', { type: 'AGE' }, { delay: 1000 }),
          invoke: { src: 'child', id: 'aging', onDone: 'd' },
        },
        d: { invoke: { src: 'child', onDone: 'e' } },
        e: {},
        gone: { on: { BACK: 'a' } },
      },
    });

    it('run on virtual time, each in a turn of the process, and touch nothing outside the seam', async () => {
      const pid = run(fromMachine(timed, { id: 'timed' }));
      const turns: string[] = [];
      const start = world.clock.now();
      await world.settle();
      runtime.interceptor = (event, to) => {
        if (to.id === 'timed') turns.push(`${event.kind} ${(world.clock.now() - start) / days}`);
        return 'serve';
      };
      await world.advance(20 * days);
      runtime.interceptor = undefined;
      expect(await valueOf(pid)).to.equal('e');
      expect(turns).to.deep.equal([
        'dispatch 3',
        'dispatch 5',
        `dispatch ${5 + 1000 / days}`,
        `dispatch ${10 + 1000 / days}`,
      ]);
      expect(errors).to.deep.equal([]);
    });

    it('end with the state that armed them', async () => {
      const pid = run(fromMachine(timed));
      await world.settle();
      expect(world.clock.nextDue()).to.equal(world.clock.now() + 3 * days);
      await dispatch(pid, (self) => self.transition({ type: 'LEAVE' }));
      expect(world.clock.nextDue()).to.equal(undefined);
    });

    it('are void if they fire while an event that ends them is waiting', async () => {
      const Timed = machineEvents<typeof timed>('timed');
      runtime.clock.timer(3 * days, () => {
        runtime.send(runtime.pid('timed'), Timed, { type: 'LEAVE' });
        runtime.send(runtime.pid('timed'), Timed, { type: 'BACK' });
      });
      const pid = run(fromMachine(timed, { id: 'timed', events: Timed }));
      await world.advance(4 * days);
      expect(await valueOf(pid)).to.equal('a');
      await world.advance(2 * days);
      expect(await valueOf(pid)).to.equal('b');
    });

    it('run on the real clock of a real runtime', async () => {
      await using real = await Runtime.start();
      const short = createMachine({
        initial: 'a',
        states: {
          a: { after: { 5: 'b' } },
          b: { invoke: { src: fromPromise(async () => 1), onDone: 'c' } },
          c: { type: 'final' },
        },
      });
      expect(await real.wait(real.spawn(fromMachine(short)))).to.equal(true);
    });

    it('below 0 are none, and NaN crashes', async () => {
      const late = (delay: number) =>
        setup({ delays: { late: () => delay } }).createMachine({
          id: 'late',
          initial: 'a',
          states: { a: { after: { late: 'b' } }, b: {} },
        });
      const pid = run(fromMachine(late(-5)));
      run(fromMachine(late(Number.NaN), { id: 'never' }));
      await world.settle();
      expect(await valueOf(pid)).to.equal('b');
      expect(observer.exits.join()).to.match(/^never crashed: Invalid duration 'NaN'/);
    });
  });

  describe('invoked actors', () => {
    it('promises come back in a turn of the process', async () => {
      const owners: unknown[] = [];
      const asker = setup({
        types: { context: {} as { readonly answer: number } },
        actors: { ask: fromPromise<number, number>(() => Promise.reject(new Error('needs a process'))) },
        actions: { note: () => void owners.push(currentOwner()) },
      }).createMachine({
        context: { answer: 0 },
        initial: 'asking',
        states: {
          asking: {
            invoke: {
              src: 'ask',
              input: 41,
              onDone: { target: 'told', actions: ['note', assign({ answer: ({ event }) => event.output })] },
            },
          },
          told: {},
        },
      });
      const asking = fromMachine(asker, {
        id: 'asker',
        provide: (self) => ({
          actors: {
            ask: fromPromise(async ({ input }) => {
              const { n } = await self.ask(self.runtime.pid('observer'), Ping, { n: input }, { reply: Pong });
              return n;
            }),
          },
        }),
      });
      const pid = run(asking);
      await world.settle();
      expect((await dispatch(pid, (self) => self.snapshot)).context.answer).to.equal(42);
      expect(owners).to.deep.equal([asking.cell]);
    });

    it('callbacks come back in a turn, hear events, and are disposed of', async () => {
      const heard: string[] = [];
      const ticking = setup({
        types: { events: {} as { type: 'TICK' } | { type: 'STOP' } },
        actors: {
          ticker: fromCallback<{ type: 'HELLO' }>(({ sendBack, receive }) => {
            receive(({ type }) => void heard.push(type));
            // In nobody's turn.
            const timer = runtime.clock.timer(1000, () => sendBack({ type: 'TICK' }));
            return () => {
              heard.push('disposed');
              timer.cancel();
            };
          }),
        },
        actions: { note: () => void heard.push(currentOwner() === process.cell ? 'in turn' : 'outside') },
      }).createMachine({
        initial: 'on',
        states: {
          on: {
            invoke: { src: 'ticker', id: 'ticker' },
            entry: sendTo('ticker', { type: 'HELLO' }),
            on: { TICK: { actions: 'note' }, STOP: 'off' },
          },
          off: {},
        },
      });
      const process = fromMachine(ticking);
      const pid = run(process);
      await world.advance('1s');
      expect(heard).to.deep.equal(['HELLO', 'in turn']);
      await dispatch(pid, (self) => self.transition({ type: 'STOP' }));
      expect(heard.at(-1)).to.equal('disposed');
    });

    it('without an id get one that repeats from run to run', async () => {
      const nest = setup({
        types: { context: {} as { readonly eggs: readonly string[] } },
        actors: { egg: createMachine({}) },
      }).createMachine({
        context: ({ spawn }) => ({ eggs: [spawn('egg').id, spawn('egg').id] }),
      });
      for (let i = 0; i < 2; i++) {
        const pid = run(fromMachine(nest));
        expect((await dispatch(pid, (self) => self.snapshot)).context.eggs).to.deep.equal(['child:1', 'child:2']);
      }
    });
  });

  describe('crashes the process, and nothing else,', () => {
    const boom = (): never => {
      throw new Error('boom');
    };
    const failing = fromPromise(async () => boom());
    const states = (states: object, more: object = {}): AnyStateMachine =>
      createMachine({ id: 'm', initial: 'a', states: { a: {}, b: {}, ...states }, ...more });
    const faults: Record<string, AnyStateMachine> = {
      'if an entry action throws at the start': states({ a: { entry: boom } }),
      'if the context cannot be made': createMachine({ context: boom }),
      'if an action of a transition throws': states({ a: { on: { GO: { target: 'b', actions: boom } } } }),
      'if a guard throws': states({ a: { on: { GO: { target: 'b', guard: boom } } } }),
      'if an action of a delayed transition throws': states({ a: { after: { 1000: { target: 'b', actions: boom } } } }),
      'if a delay cannot be computed': states({ a: { entry: raise({ type: 'GO' }, { delay: boom }) } }),
      'if an invoked promise rejects and nobody minds': states({ a: { invoke: { src: failing } } }),
      'if an action after an invoked promise throws': states({
        a: { invoke: { src: fromPromise(async () => 1), onDone: { target: 'b', actions: boom } } },
      }),
      'if a callback throws at its start': states({ a: { invoke: { src: fromCallback(boom) } } }),
      'if a callback throws when it hears an event': states({
        a: {
          invoke: { src: fromCallback(({ receive }) => receive(boom)), id: 'c' },
          entry: sendTo('c', { type: 'X' }),
        },
      }),
      'if an action of an invoked machine throws': states({
        a: { invoke: { src: createMachine({ after: { 10: { actions: boom } } }) } },
      }),
      'if an async action rejects': states({ a: { on: { GO: { target: 'b', actions: async () => boom() } } } }),
      'if an async action of an invoked machine rejects': states({
        a: { invoke: { src: createMachine({ entry: async () => boom() }) } },
      }),
    };
    for (const [what, machine] of Object.entries(faults)) {
      it(what, async () => {
        const pid = run(fromMachine(machine, { id: 'faulty', events: Faulty }));
        runtime.send(pid, Faulty, { type: 'GO' });
        await world.advance('1mins');
        expect(observer.exits).to.have.length(1);
        expect(observer.exits[0]).to.match(/^faulty crashed: (Unable to evaluate guard[^]*)?boom$/);
        expect(errors.map(({ context }) => context)).to.deep.equal(['process faulty@node crashed']);
        expect(world.clock.nextDue()).to.equal(undefined);
      });
    }
    const Faulty = message<{ readonly type: 'GO' }>('faulty');

    it('unless the machine takes the error', async () => {
      const careful = states({ a: { invoke: { src: failing, onError: 'b' } } });
      const pid = run(fromMachine(careful));
      await world.settle();
      expect(await valueOf(pid)).to.equal('b');
      expect(errors).to.deep.equal([]);
    });

    it('and whoever asked for what crashed it is told', async () => {
      const pid = run(fromMachine(faults['if an action of a transition throws'] ?? states({}), { events: Faulty }));
      const asked = runtime.ask(pid, Faulty, { type: 'GO' }, { reply: Pong });
      await world.settle();
      expect(String(asked.failure())).to.match(/crashed while handling it: boom/);
    });
  });

  describe('ends', () => {
    const Stop = message<{ readonly type: 'STOP' }>('stop');
    const log: string[] = [];
    beforeEach(() => {
      log.length = 0;
    });
    const holder = (name: string) =>
      fromCallback(() => {
        log.push(`${name} starts`);
        const timer = runtime.clock.timer(days, () => log.push(`${name} ticks`));
        return () => {
          timer.cancel();
          log.push(`${name} stops`);
        };
      });
    const pending = fromPromise(
      ({ signal }) => new Promise(() => signal.addEventListener('abort', () => log.push('promise aborted'))),
    );
    const inner = createMachine({ after: { 7000: {} }, invoke: { src: holder('inner') } });
    const outer = createMachine({
      initial: 'on',
      states: {
        on: {
          invoke: [{ src: holder('outer') }, { src: pending }, { src: inner }],
          after: { 5000: {} },
          on: {
            STOP: 'off',
            CRASH: {
              actions: () => {
                throw new Error('boom');
              },
            },
          },
        },
        off: { type: 'final', entry: () => log.push('off') },
      },
    });
    const started = ['outer starts', 'inner starts'];
    const stopped = ['inner stops', 'outer stops', 'promise aborted'];

    it('the process in the final state of its machine, with all actors and delays', async () => {
      const pid = run(fromMachine(outer, { id: 'outer', events: Stop }));
      await world.settle();
      runtime.send(pid, Stop, { type: 'STOP' });
      runtime.send(pid, Stop, { type: 'STOP' });
      await world.settle();
      expect(observer.exits).to.deep.equal(['outer terminated']);
      expect(log.slice(0, 3)).to.deep.equal([...started, 'off']);
      expect(log.slice(3).toSorted()).to.deep.equal(stopped);
      expect(letters.map(({ reason }) => reason)).to.deep.equal(['ended']);
      expect(world.clock.nextDue()).to.equal(undefined);
    });

    it('at once if the machine begins in its final state', async () => {
      run(fromMachine(createMachine({ initial: 'a', states: { a: { type: 'final' } } }), { id: 'short' }));
      await world.settle();
      expect(observer.exits).to.deep.equal(['short terminated']);
    });

    it('the actors and delays of a process that is terminated', async () => {
      const pid = run(fromMachine(outer));
      await world.settle();
      expect(world.clock.nextDue()).to.equal(world.clock.now() + 5000);
      runtime.terminate(pid);
      await world.settle();
      expect(log.slice(0, 2)).to.deep.equal(started);
      expect(log.slice(2).toSorted()).to.deep.equal(stopped);
      expect(world.clock.nextDue()).to.equal(undefined);
      expect(errors).to.deep.equal([]);
    });

    it('the actors and delays of a process that crashes', async () => {
      const pid = run(fromMachine(outer, { id: 'outer' }));
      await world.settle();
      dispatch(pid, (self) => self.transition({ type: 'CRASH' }));
      await world.settle();
      expect(observer.exits).to.deep.equal(['outer crashed: boom']);
      expect(log.slice(2).toSorted()).to.deep.equal(stopped);
      expect(world.clock.nextDue()).to.equal(undefined);
    });

    it('what an invoked machine left behind that failed', async () => {
      const boss = createMachine({
        invoke: {
          src: createMachine({
            invoke: { src: holder('orphan') },
            after: {
              10: {
                actions: () => {
                  throw new Error('boom');
                },
              },
            },
          }),
          onError: { actions: () => log.push('failed') },
        },
      });
      const pid = run(fromMachine(boss));
      await world.advance('1s');
      expect(log).to.deep.equal(['orphan starts', 'failed']);
      runtime.terminate(pid);
      await world.settle();
      expect(log.slice(2)).to.deep.equal(['orphan stops']);
    });

    it('even if an actor fails to stop, which is reported', async () => {
      const stubborn = fromCallback(() => () => {
        throw new Error('stuck');
      });
      const pid = run(
        fromMachine(createMachine({ invoke: [{ src: stubborn }, { src: holder('good') }] }), { id: 'm' }),
      );
      await world.settle();
      runtime.terminate(pid);
      await world.settle();
      expect(observer.exits).to.deep.equal(['m terminated']);
      expect(log).to.deep.equal(['good starts', 'good stops']);
      expect(errors.map(({ error, context }) => `${context}: ${String(error)}`)).to.deep.equal([
        'finalize of process m@node threw: Error: stuck',
      ]);
    });
  });

  describe('the handle for implementations', () => {
    it('sends, replies, asks and links; exits of what was linked become events', async () => {
      const heard: string[] = [];
      const broker = setup({
        types: {
          context: {} as { readonly last: number },
          events: {} as
            | { type: 'QUESTION'; n: number }
            | { type: 'ANSWER'; n: number }
            | { type: 'LOST'; who: string }
            | { type: 'CHECK' },
        },
        actions: { forward: () => {}, answer: () => {}, depend: () => {}, look: () => {}, note: () => {} },
      }).createMachine({
        context: { last: 0 },
        initial: 'idle',
        entry: 'depend',
        on: { LOST: '.orphaned', CHECK: { actions: 'look' } },
        states: {
          idle: { on: { QUESTION: { target: 'asking', actions: ['look', 'forward', 'answer'] } } },
          asking: {
            on: { ANSWER: { target: 'idle', actions: ['look', assign({ last: ({ event }) => event.n })] } },
          },
          orphaned: { entry: 'note' },
        },
      });
      const pid = run(
        fromMachine(broker, {
          id: 'broker',
          receive: (install) => install(Ping, ({ n }) => ({ type: 'QUESTION', n })),
          exited: (gone, reason) => ({ type: 'LOST', who: `${gone.id} ${reason.kind}` }),
          provide: (self) => ({
            actions: {
              depend: () => void self.link(self.runtime.pid('helper')),
              // An answer that comes outside a turn is an event in one.
              forward: ({ event, self: actor }) => {
                if (event.type !== 'QUESTION') return;
                self
                  .ask(self.runtime.pid('helper'), Ping, { n: event.n }, { reply: Pong })
                  .onReady(({ n }) => actor.send({ type: 'ANSWER', n }));
              },
              answer: ({ event }) => {
                if (event.type === 'QUESTION') self.reply(Pong, { n: -event.n });
              },
              look: ({ event }) => void heard.push(`${event.type} from ${self.sender?.id ?? 'nobody'}`),
              note: ({ event }) => void heard.push(event.type === 'LOST' ? event.who : ''),
            },
          }),
        }),
      );
      const helper = runtime.spawn(new Observer('helper'));
      await world.settle();
      const answer = runtime.ask(pid, Ping, { n: 5 }, { reply: Pong });
      await world.settle();
      expect(answer.get()).to.deep.equal({ n: -5 });
      expect((await dispatch(pid, (self) => self.snapshot)).context.last).to.equal(6);
      expect(heard).to.deep.equal(['QUESTION from ?', 'ANSWER from nobody']);
      runtime.terminate(helper);
      await world.settle();
      expect(heard.at(-1)).to.equal('helper terminated');
    });

    it('log() writes to the log of the runtime', async () => {
      const lines: unknown[] = [];
      const silent = { debug() {}, warn() {}, error() {} };
      const own = await world.start('logging', { log: { ...silent, info: (fields) => void lines.push(fields) } });
      own.spawn(fromMachine(createMachine({ entry: log('hello') }), { id: 'm' }));
      await world.settle();
      expect(lines).to.deep.equal([{ process: 'm@logging', logged: ['hello'] }]);
    });
  });
});
