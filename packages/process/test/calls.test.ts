import { getEventListeners } from 'node:events';

import { expect } from 'chai';
import {
  after,
  AskTimeout,
  Deferred,
  Future,
  FutureDiscarded,
  type LocalPID,
  Process,
  ProcessGone,
  StreamFailed,
  type Runtime,
} from '@mezzo/process';
import { intercept, Simulation } from '@mezzo/process/testing';

class Library extends Process {
  readonly log: string[] = [];
  readonly pending: Deferred<string>[] = [];

  add(a: number, b: number): number {
    this.log.push(`add ${a} ${b}`);
    return a + b;
  }
  async later(text: string): Promise<string> {
    return text;
  }
  whenever(): Future<string> {
    const outcome = new Deferred<string>();
    this.pending.push(outcome);
    return outcome.future;
  }
  /** Takes so many milliseconds, wanted or not. */
  async slow(duration: number): Promise<string> {
    await after(duration, this.clock);
    this.log.push('slow is done');
    return 'done';
  }
  /** Gives what there is as soon as it is asked to give up. */
  heeding(given: string): Future<string> {
    const outcome = new Deferred<string>();
    outcome.future.onDiscard(() => {
      this.log.push('asked to give up');
      outcome.set(given);
    });
    return outcome.future;
  }
  never(): Promise<void> {
    return new Promise(() => undefined);
  }
  fails(): void {
    throw new Error('boom');
  }
  async failsLater(): Promise<void> {
    this.fails();
  }
  *lines(count: number): Generator<string> {
    try {
      for (let index = 0; index < count; index++) {
        this.log.push(`line ${index}`);
        yield `line ${index}`;
      }
    } finally {
      this.log.push('closed');
    }
  }
  async *ticks(): AsyncGenerator<number> {
    try {
      for (let index = 0; ; index++) yield index;
    } finally {
      this.log.push('closed');
    }
  }
  async *stuck(): AsyncGenerator<number> {
    yield 1;
    await new Promise(() => undefined);
  }
  *broken(): Generator<number> {
    yield 1;
    throw new Error('no more');
  }
  *careless(): Generator<number> {
    try {
      for (;;) yield 1;
    } finally {
      this.fails();
    }
  }
  quit(): void {
    this.terminate();
  }
}

describe('calls of methods', () => {
  let world: Simulation;
  let runtime: Runtime;
  let library: Library;
  let pid: LocalPID<Library>;
  const errors: string[] = [];

  beforeEach(async () => {
    errors.length = 0;
    world = new Simulation();
    runtime = await world.start('node', { onError: (error) => errors.push(String(error)) });
    library = new Library('library');
    pid = runtime.spawn(library);
  });

  afterEach(async () => {
    await world.stop();
  });

  describe('by ask', () => {
    it('give what the method gives, with Futures and promises flattened', async () => {
      const answers = [pid.ask.add(1, 2), pid.ask.later('x'), pid.ask.whenever()];
      await world.settle();
      library.pending[0]?.set('y');
      expect(answers.map((answer) => answer.get())).to.deep.equal([3, 'x', 'y']);
      expect(world.clock.nextDue(), 'no timer is left').to.equal(undefined);
    });

    it('fail with AskTimeout after 5 s, which discards what the method returned', async () => {
      const answer = pid.ask.whenever();
      await world.advance(4999);
      expect(answer.isPending).to.equal(true);
      await world.advance(1);
      expect(answer.failure()).to.be.instanceOf(AskTimeout);
      expect(String(answer.failure())).to.include("library@node did not answer 'whenever' within 5000 ms");
      expect(library.pending[0]?.future.hasDiscard).to.equal(true);
    });

    it('may have another limit', async () => {
      const answer = pid.asking({ timeout: '1mins' }).never();
      await world.advance('59s');
      expect(answer.isPending).to.equal(true);
      await world.advance('1s');
      expect(answer.failure()).to.be.instanceOf(AskTimeout);
      expect(() => pid.asking({ timeout: 'soon' as never })).to.throw('soon');
    });

    it('fail with AskTimeout also where the method gives up at once, or answers late', async () => {
      const answers = [pid.asking({ timeout: 20 }).heeding('partly'), pid.asking({ timeout: 20 }).slow(300)];
      await world.advance(20);
      for (const answer of answers) expect(answer.failure()).to.be.instanceOf(AskTimeout);
      await world.advance(280);
      expect(library.log).to.deep.equal(['asked to give up', 'slow is done']);
      for (const answer of answers) expect(answer.failure()).to.be.instanceOf(AskTimeout);
      expect(errors).to.deep.equal([]);
    });

    for (const way of ['discard', 'signal'] as const) {
      const calledOff = <T>(call: (asking: LocalPID<Library>['ask']) => Future<T>): [Future<T>, () => void] => {
        const controller = new AbortController();
        const answer = call(way === 'signal' ? pid.asking({ signal: controller.signal }) : pid.ask);
        return [
          answer,
          () => {
            if (way === 'signal') controller.abort();
            else answer.discard();
            expect(getEventListeners(controller.signal, 'abort')).to.have.length(0);
          },
        ];
      };

      it(`are DISCARDED at once by a ${way}, and what an async method gives later is dropped`, async () => {
        const [answer, callOff] = calledOff((asked) => asked.slow(300));
        await world.advance(20);
        expect(answer.isPending).to.equal(true);
        callOff();
        expect(answer.isDiscarded).to.equal(true);
        await world.advance(280);
        expect([library.log, answer.isDiscarded]).to.deep.equal([['slow is done'], true]);
        expect([errors, runtime.processes]).to.deep.equal([[], ['library']]);
        expect(world.clock.nextDue(), 'no timer is left').to.equal(undefined);
      });

      it(`are DISCARDED at once by a ${way}, of which a method that returned a Future hears`, async () => {
        const [ignored, ignore] = calledOff((asked) => asked.whenever());
        const [heeded, heed] = calledOff((asked) => asked.heeding('partly'));
        await world.settle();
        ignore();
        heed();
        expect([ignored.isDiscarded, heeded.isDiscarded]).to.deep.equal([true, true]);
        expect([library.pending[0]?.future.hasDiscard, library.log]).to.deep.equal([true, ['asked to give up']]);
        library.pending[0]?.set('late');
        await world.settle();
        expect([ignored.isDiscarded, heeded.isDiscarded]).to.deep.equal([true, true]);
        expect(world.clock.nextDue(), 'no timer is left').to.equal(undefined);
      });

      it(`tell a method that has not begun when a ${way} calls it off`, async () => {
        const [answer, callOff] = calledOff((asked) => asked.heeding('partly'));
        callOff();
        expect(answer.isDiscarded).to.equal(true);
        await world.settle();
        expect(library.log).to.deep.equal(['asked to give up']);
      });
    }

    it('do not call the method where the signal has aborted before', async () => {
      const answer = pid.asking({ signal: AbortSignal.abort() }).add(1, 1);
      await world.settle();
      expect([answer.isDiscarded, library.log.length]).to.deep.equal([true, 0]);
    });

    it('fail with what the method throws, which ends the process, in a sync or an async method', async () => {
      for (const name of ['fails', 'failsLater'] as const) {
        const failing = runtime.spawn(new Library(name));
        const answers = [failing.ask[name](), runtime.dispatch(failing, name)];
        await world.settle();
        expect(String(answers[0]?.failure())).to.equal('Error: boom');
        expect(answers[1]?.isAbandoned).to.equal(true);
        const dispatched = runtime.dispatch(runtime.spawn(new Library(name)), (it) => it[name]());
        await world.settle();
        expect(String(dispatched.failure())).to.equal('Error: boom');
      }
      expect(runtime.processes).to.deep.equal(['library']);
    });

    it('fail with ProcessGone at once where the process has ended, or ends meanwhile', async () => {
      const answers = [pid.ask.never(), pid.ask.add(1, 1)];
      await world.settle();
      runtime.terminate(pid);
      answers.push(pid.ask.add(2, 2));
      await world.settle();
      for (const answer of answers) {
        expect(answer.failure()).to.be.instanceOf(ProcessGone).with.property('code', 'PROCESS_ENDED');
      }
      expect(world.clock.nextDue()).to.equal(undefined);
      expect(await rejection(answers[2])).to.be.instanceOf(ProcessGone);
    });

    it('are no trap for await, nor for those who look into what they are given', async () => {
      const { ask, tell, stream } = pid;
      const given: readonly object[] = [ask, tell, stream];
      for (const one of given) expect(await Promise.resolve(one)).to.equal(one);
      const add = ask.add;
      const answer = add(2, 3);
      await world.settle();
      expect(answer.get()).to.equal(5);
      expect(() => JSON.stringify(ask)).to.not.throw();
      await world.settle();
      expect(runtime.processes).to.deep.equal(['library']);
    });

    it('of no method are the mistake of the caller: a dead letter and FAILED, and the process lives', async () => {
      const letters: string[] = [];
      runtime.onDeadLetter(({ reason, name, to }) => letters.push(`${reason} ${name} ${to.toString()}`));
      const untyped = pid as unknown as LocalPID<{ nothing(): void; log(): void }>;
      const answer = untyped.ask.nothing();
      untyped.tell.log();
      const streamed = rejection(untyped.stream as unknown as AsyncIterable<unknown>, 'nothing');
      await world.settle();
      expect(String(answer.failure())).to.equal("TypeError: Process 'library' has no method 'nothing'");
      const { cause } = (await streamed) as StreamFailed;
      expect(String(cause)).to.equal("TypeError: Process 'library' has no method 'nothing'");
      expect(letters.sort()).to.deep.equal([
        'unhandled log library@node',
        'unhandled nothing library@node',
        'unhandled nothing library@node',
      ]);
      expect([errors.length, runtime.processes]).to.deep.equal([0, ['library']]);
    });

    it('need an address that spawn returned', () => {
      const remote = Object.create(pid, { receiver: { value: undefined } }) as LocalPID<Library>;
      expect(() => remote.ask.add(1, 1)).to.throw(ProcessGone, 'only an address that spawn returned');
    });

    it('can be intercepted by name', async () => {
      using interception = intercept(runtime);
      const seen = interception.observe.dispatch(pid, 'add');
      const dropped = interception.drop.dispatch(pid, 'later');
      const told = interception.observe.dispatch(pid, 'quit');
      const answers = [pid.ask.add(1, 2), pid.ask.later('x')];
      pid.tell.quit();
      await world.settle();
      expect([seen, dropped, told].map(({ isReady }) => isReady)).to.deep.equal([true, true, true]);
      expect(answers[0]?.get()).to.equal(3);
      expect(answers[1]?.failure()).to.be.instanceOf(ProcessGone);
    });
  });

  describe('by tell', () => {
    it('give nothing, and run in order', async () => {
      expect(pid.tell.add(1, 2)).to.equal(undefined);
      pid.tell.add(3, 4);
      await world.settle();
      expect(library.log).to.deep.equal(['add 1 2', 'add 3 4']);
    });

    it('to a process that has ended do nothing', async () => {
      pid.tell.quit();
      pid.tell.add(1, 2);
      await world.settle();
      pid.tell.add(1, 2);
      await world.settle();
      expect([library.log.length, errors.length]).to.deep.equal([0, 0]);
    });
  });

  describe('by stream', () => {
    /** Lets the world turn until the reader is done. */
    async function read<T>(reading: Promise<T>): Promise<T> {
      let over = false;
      const done = (): void => {
        over = true;
      };
      reading.then(done, done);
      // A reader is no process: each of its steps is a turn of the event loop.
      for (let turns = 0; !over && turns < 1000; turns++) await world.settle();
      if (!over) throw new Error('the reader still waits');
      return reading;
    }
    async function collected<T>(items: AsyncIterable<T>, limit = Number.POSITIVE_INFINITY): Promise<T[]> {
      const all: T[] = [];
      for await (const item of items) {
        all.push(item);
        if (all.length === limit) break;
      }
      return all;
    }
    const belongings = (): number => library.cell.extras.belongings?.size ?? 0;

    it('give item after item, each made in a turn of the process', async () => {
      const reading = collected(pid.stream.lines(3));
      expect(library.log).to.deep.equal([]);
      expect(await read(reading)).to.deep.equal(['line 0', 'line 1', 'line 2']);
      expect(library.log).to.deep.equal(['line 0', 'line 1', 'line 2', 'closed']);
      expect(belongings()).to.equal(0);
    });

    it('close the generator where the reader leaves, sync or async', async () => {
      expect(await read(collected(pid.stream.lines(1000), 2))).to.deep.equal(['line 0', 'line 1']);
      await world.settle();
      expect(library.log.at(-1)).to.equal('closed');
      // It was ahead of the reader by a window at most.
      expect(library.log.length).to.be.at.most(2 + 64 + 1);
      expect(await read(collected(pid.stream.ticks(), 3))).to.deep.equal([0, 1, 2]);
      await world.settle();
      expect(library.log.at(-1)).to.equal('closed');
      expect(belongings()).to.equal(0);
    });

    it('throw StreamFailed where the generator throws, with what it threw as its cause, and the process lives', async () => {
      const items = pid.stream.broken();
      expect(await read(items.next())).to.deep.equal({ done: false, value: 1 });
      const failure = await read(rejection(items.next()));
      expect(failure).to.be.instanceOf(StreamFailed);
      expect(String((failure as StreamFailed).cause)).to.equal('Error: no more');
      expect(await read(items.next())).to.deep.equal({ done: true, value: undefined });
      expect([errors.length, runtime.processes, belongings()]).to.deep.equal([0, ['library'], 0]);
    });

    it('leave the mailbox to others between the items and while one is made', async () => {
      const items = pid.stream.stuck();
      await read(items.next());
      const next = items.next();
      const answer = pid.ask.add(1, 1);
      await world.settle();
      expect(answer.get()).to.equal(2);
      runtime.terminate(pid);
      await read(rejection(next));
    });

    it('throw ProcessGone where the process ends while an item is made, once, and are over then', async () => {
      const items = pid.stream.stuck();
      await read(items.next());
      const next = rejection(items.next());
      await world.settle();
      runtime.terminate(pid);
      expect(await read(next))
        .to.be.instanceOf(ProcessGone)
        .with.property('message', "The stream of 'stuck.item' from library@node broke off: the process has ended");
      expect(await read(items.next())).to.deep.equal({ done: true, value: undefined });
    });

    it('throw ProcessGone where the process ends between two items, after its generators were closed', async () => {
      const items = pid.stream.lines(1000);
      await read(items.next());
      runtime.terminate(pid);
      await world.settle();
      expect(library.log.at(-1)).to.equal('closed');
      expect(await read(rejection(collected(items)))).to.be.instanceOf(ProcessGone);
      expect(await read(items.next())).to.deep.equal({ done: true, value: undefined });
    });

    it('report what a generator throws when the end of the process closes it', async () => {
      await read(pid.stream.careless().next());
      pid.tell.quit();
      await world.settle();
      expect(errors).to.deep.equal(['Error: boom']);
      expect(runtime.processes).to.deep.equal([]);
    });

    it('are over once the reader has left, begun or not', async () => {
      const unread = pid.stream.lines(3);
      expect(await read(unread.return?.() ?? missing())).to.deep.equal({ done: true, value: undefined });
      expect(await read(unread.next())).to.deep.equal({ done: true, value: undefined });
      const early = pid.stream.lines(3);
      const first = early.next();
      void early.return?.();
      expect(await read(first)).to.deep.equal({ done: true, value: undefined });
      expect(library.log).to.deep.equal([]);
      const items = pid.stream.lines(3);
      await read(items.next());
      runtime.terminate(pid);
      expect(await read(items.return?.() ?? missing())).to.deep.equal({ done: true, value: undefined });
    });

    it('serve many readers, and one that asks for several at once', async () => {
      const [a, b] = [collected(pid.stream.lines(2)), collected(pid.stream.lines(3))];
      expect((await read(Promise.all([a, b]))).map(({ length }) => length)).to.deep.equal([2, 3]);
      const ticks = pid.stream.ticks();
      const ahead = await read(Promise.all([ticks.next(), ticks.next(), ticks.next()]));
      expect(ahead.map(({ value }) => value as number)).to.deep.equal([0, 1, 2]);
      await read(ticks.return?.() ?? missing());
    });

    it('need a method that gives items', async () => {
      const untyped = pid as unknown as LocalPID<{ add(): Generator<number> }>;
      const streamed = rejection(untyped.stream.add().next());
      await world.settle();
      expect(String(((await streamed) as StreamFailed).cause)).to.equal(
        "TypeError: Method 'add' gives no items: expected a generator or another iterable",
      );
    });
  });

  it('in a turn of a process belong to it: what its continuation throws ends it', async () => {
    const caller = runtime.spawn(new Library('caller'));
    void caller.ask.add(1, 1).onReady(() => undefined);
    void runtime.dispatch(caller, 'add', 1, 1);
    class Careless extends Process {
      protected override initialize(): void {
        pid.ask.add(1, 1).onReady(() => {
          throw new Error('careless');
        });
      }
    }
    runtime.spawn(new Careless('careless'));
    await world.settle();
    expect(errors).to.deep.equal(['Error: careless']);
    expect(runtime.processes).to.deep.equal(['library', 'caller']);
  });

  it('FutureDiscarded is what an awaited call that was called off throws', async () => {
    const answer = pid.ask.whenever();
    await world.settle();
    answer.discard();
    library.pending[0]?.discard();
    expect(await rejection(answer)).to.be.instanceOf(FutureDiscarded);
    expect(Future.discarded().toString()).to.equal('Discarded (with discard)');
  });
});

/** What it is rejected with; given a name, the first item of that method's stream. */
async function rejection(
  outcome: PromiseLike<unknown> | AsyncIterable<unknown> | undefined,
  name?: string,
): Promise<unknown> {
  try {
    if (name === undefined) await outcome;
    else {
      const method = Reflect.get(outcome ?? {}, name) as () => AsyncIterator<unknown>;
      await method().next();
    }
  } catch (error) {
    return error;
  }
  throw new Error('it did not fail');
}

function missing(): never {
  throw new Error('no return method');
}
