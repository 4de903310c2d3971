import { expect } from 'chai';
import {
  after,
  dispatch,
  Future,
  type LocalPID,
  message,
  type PID,
  Process,
  request,
  type Runtime,
  WaitCycle,
} from '@mezzo/process';
import { intercept, Simulation } from '@mezzo/process/testing';

import { CallChain, chainLimit } from '../src/call-chain.ts';
import { kind } from '../src/node/envelope.ts';
import { decode, encode, type End, protocolVersion } from '../src/node/frame.ts';
import { decodeMeta, encodeMeta } from '../src/node/wire-meta.ts';
import { checked } from './transport/processes.ts';
import { deaf } from './transport/worlds.ts';

const isNumber = (value: unknown): value is number => typeof value === 'number';
const Question = request<number, number>('question', checked(isNumber), checked(isNumber));
const Note = message<number>('note', checked(isNumber));

/** Does with questions what its test gives it to do. */
class Thinker extends Process {
  readonly notes: number[] = [];
  think: (body: number, from: PID) => number | Future<number> | Promise<number> = (body) => body;

  protected override initialize(): void {
    this.install(Note, (body) => void this.notes.push(body));
    this.answer(Question, (body, from) => this.think(body, from));
  }
  asks(to: PID, body = 1): Future<number> {
    return this.ask(to, Question, body, { timeout: '60s' });
  }
  calls<R>(to: LocalPID<Thinker>, method: (other: Thinker) => R): Future<unknown> {
    return this.dispatch(to, method);
  }
  waits(pid: PID): Future<boolean> {
    return this.wait(pid);
  }
  tells(to: PID, body: number): void {
    this.send(to, Note, body);
  }
  idle(): number {
    return 7;
  }
}

describe('a cycle of waiting processes', () => {
  let world: Simulation;
  let runtime: Runtime;

  beforeEach(async () => {
    world = new Simulation({ latency: [1, 5] });
    runtime = await world.start('node', { onError: () => undefined });
  });

  afterEach(async () => {
    await world.stop();
  });

  const spawn = (id: string, at = runtime): { thinker: Thinker; pid: LocalPID<Thinker> } => {
    const thinker = new Thinker(id);
    return { thinker, pid: at.spawn(thinker) };
  };

  /** What went wrong, and that it took no time to find out. */
  async function cycle(future: Future<unknown>, within = 0): Promise<WaitCycle> {
    await world.advance(within);
    expect(future.toString()).to.match(/^Failed/);
    const error = future.failure();
    expect(error).to.be.instanceOf(WaitCycle).with.property('code', 'WAIT_CYCLE');
    return error as WaitCycle;
  }

  /** The outcome of an async handler that awaits what fails: caught there, so that the process lives. */
  const caught = (thinker: Thinker, ask: () => Future<unknown>, failures: unknown[]) => async (): Promise<number> => {
    try {
      await ask();
    } catch (error) {
      failures.push(error);
    }
    return thinker.notes.length;
  };

  describe('is found out at once where', () => {
    it('two async handlers ask each other', async () => {
      const [a, b] = [spawn('a'), spawn('b')];
      const failures: unknown[] = [];
      a.thinker.think = () => Promise.resolve(a.thinker.asks(b.pid));
      b.thinker.think = caught(b.thinker, () => b.thinker.asks(a.pid), failures);
      const asked = runtime.ask(a.pid, Question, 1);
      await world.settle();
      expect(failures).to.have.length(1);
      expect(failures[0]).to.be.instanceOf(WaitCycle);
      expect(asked.get(), 'who was told can still answer').to.equal(0);
    });

    it('an async handler asks its own process, before or after it waited', async () => {
      const { thinker, pid } = spawn('a');
      const failures: unknown[] = [];
      thinker.think = caught(thinker, () => thinker.asks(pid), failures);
      const before = runtime.ask(pid, Question, 1);
      await world.settle();
      thinker.think = async () => {
        await Promise.resolve();
        return caught(thinker, () => thinker.asks(pid), failures)();
      };
      const after = runtime.ask(pid, Question, 1);
      await world.settle();
      expect(failures.map((error) => error instanceof WaitCycle)).to.deep.equal([true, true]);
      expect([before.get(), after.get()]).to.deep.equal([0, 0]);
    });

    it('an async handler dispatches to its own process, or calls a method of it', async () => {
      const { thinker, pid } = spawn('a');
      const failures: unknown[] = [];
      thinker.think = caught(thinker, () => thinker.calls(pid, (self) => self.idle()), failures);
      runtime.ask(pid, Question, 1);
      await world.settle();
      thinker.think = caught(thinker, () => pid.ask.idle(), failures);
      runtime.ask(pid, Question, 1);
      await world.settle();
      expect(failures.map(String)).to.deep.equal([
        'WaitCycle: a dispatch to a@node can never be answered: it waits in a@node -> a@node; ' +
          'return a Future instead of awaiting, or install the handler as interleaved',
        "WaitCycle: a dispatch of 'idle' to a@node can never be answered: it waits in a@node -> a@node; " +
          'return a Future instead of awaiting, or install the handler as interleaved',
      ]);
    });

    it('an async handler reads a generator of its own process', async () => {
      class Lister extends Thinker {
        *numbers(): Generator<number> {
          yield 1;
        }
      }
      const lister = new Lister('a');
      const pid = runtime.spawn(lister);
      const failures: unknown[] = [];
      lister.think = async () => {
        try {
          for await (const number of pid.stream.numbers()) lister.notes.push(number);
        } catch (error) {
          failures.push(error);
        }
        return lister.notes.length;
      };
      const asked = runtime.ask(pid, Question, 1);
      await world.settle();
      expect(failures).to.have.length(1);
      expect(failures[0]).to.be.instanceOf(WaitCycle);
      expect(asked.get()).to.equal(0);
    });

    it('a process waits for itself, or for one that waits for its handler', async () => {
      const [a, b] = [spawn('a'), spawn('b')];
      const self = dispatch(a.pid, (process) => process.waits(a.pid));
      expect((await cycle(self)).message).to.equal('wait for a@node can never end: it waits in a@node');
      a.thinker.think = () => Promise.resolve(a.thinker.asks(b.pid));
      b.thinker.think = () =>
        b.thinker
          .waits(a.pid)
          .repair((failed) => Future.failed(failed.failure()))
          .map(Number);
      const asked = runtime.ask(a.pid, Question, 1);
      asked.onFailed(() => undefined);
      await world.settle();
      // The async handler of `a` rejects with what it was told.
      expect(asked.toString()).to.include('wait for a@node can never end: it waits in a@node -> b@node');
    });

    it('three ask in a ring, and the error names them in order', async () => {
      const ring = ['a', 'b', 'c'].map((id) => spawn(id));
      const failures: unknown[] = [];
      ring.forEach(({ thinker }, index) => {
        const next = ring[(index + 1) % ring.length];
        if (next === undefined) throw new Error('a ring has no end');
        const ask = (): Future<number> => thinker.asks(next.pid);
        thinker.think = index < 2 ? () => Promise.resolve(ask()) : caught(thinker, ask, failures);
      });
      const letters: string[] = [];
      runtime.onDeadLetter(({ reason, name, from, to }) =>
        letters.push(`${reason} ${name} ${from?.id ?? ''} ${to.toString()}`),
      );
      const asked = runtime.ask(ring[0]?.pid ?? runtime.nobody, Question, 1);
      await world.settle();
      expect(failures.map(String)).to.deep.equal([
        "WaitCycle: 'question' to a@node can never be answered: it waits in a@node -> b@node -> c@node -> a@node; " +
          'return a Future instead of awaiting, or install the handler as interleaved',
      ]);
      expect(letters).to.deep.equal(['wait-cycle question ? a@node']);
      expect(asked.get()).to.equal(0);
    });

    it('the way back leads through a sync handler that answers later', async () => {
      const [a, b] = [spawn('a'), spawn('b')];
      a.thinker.think = () => Promise.resolve(a.thinker.asks(b.pid));
      b.thinker.think = () => b.thinker.asks(a.pid);
      const asked = runtime.ask(a.pid, Question, 1);
      await world.settle();
      // `b` was refused, so its answer fails, and with it the async handler of `a`.
      expect(asked.toString()).to.include('failed to answer').and.include('it waits in a@node -> b@node -> a@node');
    });

    it('an async initialize asks somebody who asks back', async () => {
      const b = spawn('b');
      const failures: unknown[] = [];
      class Eager extends Thinker {
        protected override async initialize(): Promise<void> {
          super.initialize();
          await this.asks(b.pid);
        }
      }
      b.thinker.think = (_, from) => {
        b.thinker.asks(eager).onFailed((error) => failures.push(error));
        return from.id.length;
      };
      const eager = runtime.spawn(new Eager('a'));
      await world.settle();
      expect(failures).to.have.length(1);
      expect(failures[0]).to.be.instanceOf(WaitCycle);
    });

    it('it spans two nodes', async () => {
      const other = await world.start('other');
      const [a, b] = [spawn('a'), spawn('b', other)];
      const failures: unknown[] = [];
      a.thinker.think = () => Promise.resolve(a.thinker.asks(other.pid('b@other')));
      b.thinker.think = caught(b.thinker, () => b.thinker.asks(runtime.pid('a@node')), failures);
      const letters: string[] = [];
      runtime.onDeadLetter(({ reason, name }) => letters.push(`${reason} ${name}`));
      const asked = runtime.ask(a.pid, Question, 1);
      await world.advance('1s');
      expect(failures.map(String)).to.deep.equal([
        "WaitCycle: 'question' to a@node can never be answered: it waits in a@node -> b@other -> a@node; " +
          'return a Future instead of awaiting, or install the handler as interleaved',
      ]);
      expect(letters).to.deep.equal(['wait-cycle question']);
      expect(asked.get()).to.equal(0);
    });

    it('a message to one that was not ready yet was kept for it', async () => {
      const other = await world.start('other');
      const a = spawn('a');
      const failures: unknown[] = [];
      class Slow extends Thinker {
        protected override async initialize(): Promise<void> {
          await after('100ms', world.clock);
          super.initialize();
        }
      }
      const slow = new Slow('b');
      other.spawn(slow);
      a.thinker.think = () => Promise.resolve(a.thinker.asks(runtime.pid('b@other')));
      slow.think = caught(slow, () => slow.asks(runtime.pid('a@node')), failures);
      const asked = runtime.ask(a.pid, Question, 1);
      await world.advance('1s');
      expect(failures).to.have.length(1);
      expect(failures[0]).to.be.instanceOf(WaitCycle);
      expect(asked.get()).to.equal(0);
    });

    it('its question was delayed on the way', async () => {
      const [a, b] = [spawn('a'), spawn('b')];
      using interception = intercept(runtime);
      const failures: unknown[] = [];
      a.thinker.think = () => Promise.resolve(a.thinker.asks(b.pid));
      b.thinker.think = caught(b.thinker, () => b.thinker.asks(a.pid), failures);
      void interception.delay('1s').message(Question, { to: b.pid });
      const asked = runtime.ask(a.pid, Question, 1);
      await world.advance('1s');
      expect(failures).to.have.length(1);
      expect(asked.get()).to.equal(0);
    });
  });

  describe('raises no false alarm for', () => {
    it('what a handler asks or dispatches in the name of nobody', async () => {
      const { thinker, pid } = spawn('a');
      let dispatched: Future<unknown> | undefined;
      let asked: Future<unknown> | undefined;
      thinker.think = async (body) => {
        if (body === 0) return 0;
        dispatched = runtime.dispatch(pid, 'idle');
        asked = runtime.ask(pid, Question, 0);
        await Promise.resolve();
        return 1;
      };
      runtime.ask(pid, Question, 1);
      await world.settle();
      expect([dispatched?.get(), asked?.get()]).to.deep.equal([7, 0]);
    });

    it('a hold by another turn than the one that asked', async () => {
      const [a, b] = [spawn('a'), spawn('b')];
      let release = (): void => undefined;
      // Not awaited: the turn that asks `b` is over when `b` asks back.
      const asked = dispatch(a.pid, (process) => process.asks(b.pid));
      b.thinker.think = () => b.thinker.asks(a.pid);
      a.thinker.think = (body) => body + 41;
      void dispatch(a.pid, () => new Promise<void>((resolve) => (release = resolve)));
      await world.settle();
      expect(asked.isPending).to.equal(true);
      release();
      await world.settle();
      expect(asked.get()).to.equal(42);
    });

    it('what initialize asked, once a handler holds', async () => {
      const b = spawn('b');
      let [answered, release] = [0, (): void => undefined];
      class Eager extends Thinker {
        protected override initialize(): void {
          super.initialize();
          this.asks(b.pid).onReady((answer) => (answered = answer));
        }
      }
      const eager = new Eager('a');
      const a = runtime.spawn(eager);
      b.thinker.think = () => b.thinker.asks(a);
      eager.think = () => 3;
      void dispatch(a, () => new Promise<void>((resolve) => (release = resolve)));
      await world.settle();
      expect(answered).to.equal(0);
      release();
      await world.settle();
      expect(answered).to.equal(3);
    });

    it('what a callback of a Future asks, once a handler holds', async () => {
      const [a, b] = [spawn('a'), spawn('b')];
      let [answered, release] = [0, (): void => undefined];
      void dispatch(a.pid, (process) => {
        // Runs when `b` answers, outside the turns of `a`.
        process.asks(b.pid, 1).onReady(() => process.asks(b.pid, 2).onReady((answer) => (answered = answer)));
      });
      b.thinker.think = (body) => (body === 1 ? 0 : b.thinker.asks(a.pid));
      a.thinker.think = () => 5;
      await world.settle();
      expect(answered).to.equal(5);
      answered = 0;
      void dispatch(a.pid, (process) => {
        process.asks(b.pid, 1).onReady(() => process.asks(b.pid, 2).onReady((answer) => (answered = answer)));
        return new Promise<void>((resolve) => (release = resolve));
      });
      await world.settle();
      expect(answered).to.equal(0);
      release();
      await world.settle();
      expect(answered).to.equal(5);
    });

    it('an interleaved handler, also where another handler holds when it asks', async () => {
      let [release, go] = [(): void => undefined, (): void => undefined];
      class Both extends Thinker {
        protected override initialize(): void {
          this.answer(Question, (body) => this.think(body, this.self), { interleaved: true });
        }
      }
      const both = new Both('a');
      const a = runtime.spawn(both);
      const b = spawn('b');
      both.think = async (body) => {
        if (body === 2) return 2;
        await new Promise<void>((resolve) => (go = resolve));
        return both.asks(b.pid);
      };
      b.thinker.think = () => b.thinker.asks(a, 2);
      const asked = runtime.ask(a, Question, 1);
      await world.settle();
      // Nothing of what `a` waits for from now on has to do with the question above.
      void dispatch(a, () => new Promise<void>((resolve) => (release = resolve)));
      await world.settle();
      go();
      await world.settle();
      expect(asked.isPending).to.equal(true);
      release();
      await world.settle();
      expect(asked.get()).to.equal(2);
    });

    it('a sync handler that returns a Future', async () => {
      const [a, b] = [spawn('a'), spawn('b')];
      a.thinker.think = (body) => (body === 0 ? 0 : a.thinker.asks(b.pid, body - 1));
      b.thinker.think = (body) => (body === 0 ? 0 : b.thinker.asks(a.pid, body - 1));
      const asked = runtime.ask(a.pid, Question, 100);
      await world.settle();
      expect(asked.get()).to.equal(0);
    });

    it('an ask in a sync handler that nobody awaits, of itself too', async () => {
      const { thinker, pid } = spawn('a');
      const answers: number[] = [];
      thinker.think = (body) => {
        if (body > 0) thinker.asks(pid, body - 1).onReady((answer) => answers.push(answer));
        return body;
      };
      runtime.ask(pid, Question, 2);
      await world.settle();
      expect(answers).to.deep.equal([1, 0]);
    });

    it('a process that was held before and now is not', async () => {
      const [a, b] = [spawn('a'), spawn('b')];
      let asking: Future<number> | undefined;
      b.thinker.think = (body) => {
        asking = b.thinker.asks(a.pid, body);
        return asking;
      };
      // The handler of `a` gives up waiting for `b`.
      a.thinker.think = async (body) => {
        if (body === 9) return 9;
        void a.thinker.asks(b.pid, 9);
        return 1;
      };
      // Held for a microtask only: `b` asks when it is over.
      const asked = runtime.ask(a.pid, Question, 1);
      await world.settle();
      expect(asked.get()).to.equal(1);
      expect(asking?.get()).to.equal(9);
    });

    it('a later process of the same id', async () => {
      const a = spawn('a');
      const b = spawn('b');
      let release = (): void => undefined;
      a.thinker.think = () => Promise.resolve(a.thinker.asks(b.pid));
      b.thinker.think = () =>
        Future.from(new Promise<void>((resolve) => (release = resolve))).andThen(() =>
          b.thinker.asks(runtime.pid('a')),
        );
      runtime.ask(a.pid, Question, 1).onFailed(() => undefined);
      await world.settle();
      runtime.terminate(a.pid);
      const next = spawn('a');
      void dispatch(next.pid, () => new Promise<void>(() => undefined));
      await world.settle();
      release();
      await world.settle();
      expect(runtime.metrics.deadLetters).to.equal(0);
    });
  });

  it('that begins with two who ask each other at the same moment is not seen: the asks time out', async () => {
    const [a, b] = [spawn('a'), spawn('b')];
    const failures: unknown[] = [];
    void dispatch(
      a.pid,
      caught(a.thinker, () => a.thinker.asks(b.pid), failures),
    );
    void dispatch(
      b.pid,
      caught(b.thinker, () => b.thinker.asks(a.pid), failures),
    );
    await world.advance('59s');
    expect(failures).to.deep.equal([]);
    await world.advance('1s');
    expect(failures.map((error) => (error as Error).name)).to.deep.equal(['AskTimeout', 'AskTimeout']);
  });

  it('is no reason to refuse messages that nobody waits for', async () => {
    const [a, b] = [spawn('a'), spawn('b')];
    a.thinker.think = () => Promise.resolve(a.thinker.asks(b.pid));
    b.thinker.think = () => {
      b.thinker.tells(a.pid, 5);
      return 1;
    };
    const asked = runtime.ask(a.pid, Question, 1);
    await world.settle();
    expect(asked.get()).to.equal(1);
    expect(a.thinker.notes).to.deep.equal([5]);
  });

  it('leaves a refused question no second dead letter when its process ends', async () => {
    const { thinker, pid } = spawn('a');
    const reasons: string[] = [];
    runtime.onDeadLetter(({ reason }) => reasons.push(reason));
    thinker.think = async () => {
      thinker.asks(pid).onFailed(() => undefined);
      await new Promise(() => undefined);
      return 0;
    };
    runtime.ask(pid, Question, 1).onFailed(() => undefined);
    await world.settle();
    runtime.terminate(pid);
    await world.settle();
    expect(reasons).to.deep.equal(['wait-cycle']);
  });

  describe('of more than 32 processes', () => {
    it('is not seen, but every caller is served as ever', async () => {
      const chain = Array.from({ length: 40 }, (_, index) => spawn(`p${index}`));
      chain.forEach(({ thinker }, index) => {
        const next = chain[index + 1];
        if (next !== undefined) thinker.think = (body) => Promise.resolve(thinker.asks(next.pid, body + 1));
      });
      const asked = runtime.ask(chain[0]?.pid ?? runtime.nobody, Question, 0);
      await world.settle();
      expect(asked.get()).to.equal(39);
      // Each asks back the one 31 before it, or 33.
      for (const [distance, seen] of [
        [chainLimit - 1, true],
        [chainLimit, false],
      ] as const) {
        const failures: unknown[] = [];
        const [last, target] = [chain[39], chain[39 - distance]];
        if (last === undefined || target === undefined) throw new Error('too short');
        last.thinker.think = caught(
          last.thinker,
          () => last.thinker.asks(target.pid).after('1s', (late) => late, world.clock),
          failures,
        );
        const whole = runtime.ask(chain[0]?.pid ?? runtime.nobody, Question, 0, { timeout: '100s' });
        await world.settle();
        expect(failures.map((error) => error instanceof WaitCycle)).to.deep.equal(seen ? [true] : []);
        await world.advance('100s');
        expect(whole.isPending).to.equal(false);
      }
    });

    it('names no more than 32 of them, the latest', () => {
      let chain: CallChain | undefined;
      const pids = Array.from({ length: 50 }, (_, index) => spawn(`p${index}`).pid);
      for (const pid of pids) chain = new CallChain(pid, 1, chain);
      expect(chain?.length).to.equal(32);
      expect([...(chain ?? [])].map(({ pid }) => pid.id)).to.deep.equal(
        pids
          .map(({ id }) => id)
          .reverse()
          .slice(0, 32),
      );
    });
  });

  describe('over a hostile wire', () => {
    const caller = ['a', 'node', 1, 1, 1];

    it('is decoded as it was encoded', () => {
      const { pid } = spawn('a');
      const chain = new CallChain(pid, 7, new CallChain(runtime.pid('b@other'), 3, undefined));
      const decoded = decodeMeta(encodeMeta({ chain }, undefined), undefined)?.chain;
      expect(decoded?.toString()).to.equal('b@other -> a@node');
      expect(decoded?.holds(pid, 7)).to.equal(true);
      expect(decoded?.holds(pid, 6)).to.equal(false);
      expect(encodeMeta({}, undefined)).to.equal(undefined);
    });

    const shapes: readonly unknown[] = [
      null,
      'text',
      7,
      {},
      [],
      [7],
      [[]],
      [[caller.slice(1)]],
      [[['a', 'node', '1', 1, 1]]],
      [[[7, 'node', 1, 1, 1]]],
      [[caller, null]],
      [[caller, 'a']],
      [Array.from({ length: 33 }, () => caller)],
      [Array.from({ length: 10_000 }, () => caller)],
      [[['x'.repeat(1_000_000), 'node', 1, 1, 1]]],
      [[['a', 'x'.repeat(1_000_000), 1, 1, 1]]],
      [JSON.parse('{"__proto__":{"length":1},"constructor":{"prototype":{}}}')],
      [{ length: 1, 0: caller }],
      [new Map([[0, caller]])],
    ];
    shapes.forEach((shape, index) => {
      it(`is ignored where it has no proper shape (${index + 1})`, () => {
        expect(decodeMeta(shape, undefined)).to.equal(undefined);
        expect(Object.hasOwn(Object.prototype, 'length')).to.equal(false);
      });
    });

    it('is taken up to 32 callers', () => {
      expect(decodeMeta([Array.from({ length: 32 }, () => caller)], undefined)?.chain?.length).to.equal(32);
    });

    it('is no reason not to serve the message that came with it', async () => {
      const { thinker } = spawn('a');
      const transport = world.network.transport();
      const from: End = { incarnation: 7, epoch: 1 };
      let to: End | undefined;
      await transport.start('intruder', 7, {
        ...deaf,
        frame(_peer, bytes) {
          const frame = decode(bytes);
          if (frame?.kind === 'hello') to = frame.from;
        },
      });
      const nobody: End = { incarnation: 0, epoch: 0 };
      transport.publish(
        'node',
        encode({ kind: 'hello', version: protocolVersion, from, to: nobody, sent: 0, received: 0 }),
      );
      await world.advance('1s');
      const envelopes = shapes
        .filter((shape) => !(shape instanceof Map))
        .map((shape, index) => [kind.messages, 'a', 0, 0, 'x', 1, Note.name, [index], shape]);
      if (to === undefined) throw new Error('no greeting');
      transport.publish('node', encode({ kind: 'batch', from, to, sequence: 1, received: 0, envelopes }));
      await world.advance('1s');
      expect(thinker.notes).to.deep.equal(envelopes.map((_, index) => index));
      expect([runtime.metrics.wireRejected, runtime.metrics.errors]).to.deep.equal([0, 0]);
      expect(({} as Record<string, unknown>)['prototype']).to.equal(undefined);
      await transport.stop();
    });
  });
});
