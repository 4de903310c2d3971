import { expect } from 'chai';
import {
  type AnswerHandler,
  AnswerFailed,
  type Call,
  Deferred,
  dispatch,
  Future,
  message,
  type PID,
  Process,
  ProcessError,
  ProcessGone,
  request,
  type Runtime,
  Runtime as RealRuntime,
} from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';

import { RemoteCalls } from '../src/node/remote-calls.ts';
import { checked } from './transport/processes.ts';

const isNumber = (value: unknown): value is number => typeof value === 'number';
const Double = request<number, number>('double', checked(isNumber), checked(isNumber));
const Ping = request('ping');

class Server extends Process {
  readonly calls: Call[] = [];
  readonly outcomes: Deferred<number>[] = [];
  readonly #handler: AnswerHandler<number, number>;

  /** Without a handler: a Future that its test completes. */
  constructor(id: string, handler?: AnswerHandler<number, number>) {
    super(id);
    this.#handler = handler ?? (() => this.later());
  }
  protected override initialize(): void {
    this.answer(Double, (body, from, call) => {
      this.calls.push(call);
      return this.#handler(body, from, call);
    });
    this.answer(Ping, () => undefined);
  }
  later(): Future<number> {
    const outcome = new Deferred<number>();
    this.outcomes.push(outcome);
    return outcome.future;
  }
}

/** Asks for its test, and keeps the answers that came as messages. */
class Client extends Process {
  readonly heard: unknown[] = [];
  protected override initialize(): void {
    this.install(Double.reply, (body) => void this.heard.push(body));
  }
  tells(to: PID, body: number): boolean {
    return this.send(to, Double, body);
  }
  asks(to: PID, body: number): Future<number> {
    return this.ask(to, Double, body);
  }
}

/** Every table of remote calls that was used. */
const tables = new Set<RemoteCalls>();
const add = RemoteCalls.prototype.add;
before(() => {
  RemoteCalls.prototype.add = function (this: RemoteCalls, ...given) {
    tables.add(this);
    return add.apply(this, given);
  };
});
after(() => {
  RemoteCalls.prototype.add = add;
});

describe('answer', () => {
  let world: Simulation;
  let runtime: Runtime;
  let server: Server;
  let pid: PID;
  const errors: string[] = [];

  beforeEach(async () => {
    errors.length = 0;
    tables.clear();
    world = new Simulation();
    runtime = await world.start('node', { onError: (error) => errors.push(String(error)) });
  });

  afterEach(async () => {
    await world.stop();
  });

  const spawn = (handler?: AnswerHandler<number, number>): void => {
    server = new Server('server', handler);
    pid = runtime.spawn(server);
  };
  const failureOf = (future: Future<unknown>): ProcessError => {
    const error = future.failure();
    if (error instanceof ProcessError) return error;
    throw new TypeError(`no ProcessError: ${String(error)}`);
  };
  const callOf = (index: number): Call => {
    const call = server.calls[index];
    if (call === undefined) throw new Error(`question ${index} was not handled`);
    return call;
  };
  const outcomeOf = (index: number): Deferred<number> => {
    const outcome = server.outcomes[index];
    if (outcome === undefined) throw new Error(`question ${index} was not handled`);
    return outcome;
  };
  const belongings = (): number => runtime.cell('server')?.extras.belongings?.size ?? 0;

  // The same from the same node, and from another one.
  for (const where of ['here', 'elsewhere'] as const) {
    describe(`to who asks ${where}`, () => {
      let asker: Runtime;
      beforeEach(async () => {
        asker =
          where === 'here' ? runtime : await world.start('asker', { onError: (error) => errors.push(String(error)) });
      });
      const ask = (body = 21, options = {}): Future<number> => asker.ask(pid, Double, body, options);
      const settle = (): Promise<void> => (where === 'here' ? world.settle() : world.advance('100ms'));
      /** Nobody works for anybody any more, nobody waits, and no timer but the session's own is left. */
      const nothingLeft = async (): Promise<void> => {
        await settle();
        expect(belongings()).to.equal(0);
        for (const table of tables) expect(table.size).to.equal(0);
        if (where === 'here') expect(world.clock.nextDue()).to.equal(undefined);
      };

      it('gives a value, and nothing', async () => {
        spawn((body) => body * 2);
        const answers = [ask(), ask(4)];
        const pong = runtime.ask(pid, Ping, undefined);
        await settle();
        expect(answers.map((answer) => answer.get())).to.deep.equal([42, 8]);
        expect(pong.get()).to.equal(undefined);
        await nothingLeft();
      });

      it('gives what a Future comes to, and the mailbox goes on meanwhile', async () => {
        spawn();
        const answers = [ask(), ask()];
        await settle();
        expect(answers.map((answer) => answer.isPending)).to.deep.equal([true, true]);
        expect(belongings()).to.equal(2);
        outcomeOf(1).set(2);
        outcomeOf(0).set(1);
        await settle();
        expect(answers.map((answer) => answer.get())).to.deep.equal([1, 2]);
        await nothingLeft();
      });

      it('gives what a Future was already', async () => {
        spawn((body) => Future.ready(body + 1));
        const answer = ask();
        await settle();
        expect(answer.get()).to.equal(22);
        await nothingLeft();
      });

      it('gives what a promise, or another thenable, comes to', async () => {
        let resolve: (value: number) => void = () => undefined;
        spawn(() => new Promise<number>((done) => (resolve = done)));
        const [answer, behind] = [ask(), ask()];
        await settle();
        expect(server.calls).to.have.length(1);
        resolve(7);
        await settle();
        resolve(8);
        await settle();
        expect([answer.get(), behind.get()]).to.deep.equal([7, 8]);
        await nothingLeft();
        const odd = runtime.spawn(
          new Server('odd', () => ({ then: (done: (value: number) => void) => done(9) }) as unknown as Promise<number>),
        );
        const nine = asker.ask(odd, Double, 1);
        await settle();
        expect(nine.get()).to.equal(9);
      });

      it('fails with AnswerFailed where the Future is FAILED, and the process lives', async () => {
        spawn();
        const answer = ask();
        await settle();
        const cause = new Error('no luck');
        outcomeOf(0).fail(cause);
        await settle();
        const error = failureOf(answer);
        expect(error).to.be.instanceOf(AnswerFailed).with.property('code', 'ANSWER_FAILED');
        expect(error.message).to.equal("server@node failed to answer 'double': no luck");
        expect(error.cause).to.equal(where === 'here' ? cause : undefined);
        expect([errors.length, runtime.processes.includes('server')]).to.deep.equal([0, true]);
        await nothingLeft();
      });

      it('fails with AnswerFailed where the Future is DISCARDED or abandoned', async () => {
        spawn();
        const answers = [ask(), ask()];
        await settle();
        outcomeOf(0).discard();
        outcomeOf(1).abandon();
        await settle();
        expect(answers.map((answer) => failureOf(answer).message)).to.deep.equal([
          "server@node failed to answer 'double': the answer was discarded",
          "server@node failed to answer 'double': nobody is left to answer",
        ]);
        await nothingLeft();
      });

      for (const [how, handler] of [
        [
          'throws',
          () => {
            throw new Error('boom');
          },
        ],
        ['rejects', () => Promise.reject(new Error('boom'))],
      ] as const) {
        it(`fails with ProcessGone where the handler ${how}, which ends the process`, async () => {
          spawn(handler);
          await settle();
          const answer = ask();
          await settle();
          expect(failureOf(answer)).to.be.instanceOf(ProcessGone);
          expect(failureOf(answer).message).to.equal(
            "server@node did not answer 'double': the process crashed while handling it: boom",
          );
          expect(runtime.processes).to.not.include('server');
          expect(errors).to.deep.equal(['Error: boom']);
          await nothingLeft();
        });
      }

      it('fails with ProcessGone where the process ends before the Future is completed; that is discarded', async () => {
        spawn();
        const answer = ask();
        await settle();
        const { signal } = callOf(0);
        runtime.terminate(pid);
        await settle();
        expect(failureOf(answer)).to.be.instanceOf(ProcessGone);
        expect(failureOf(answer).message).to.equal("server@node did not answer 'double': the process has ended");
        expect([signal.aborted, outcomeOf(0).future.hasDiscard]).to.deep.equal([true, true]);
        await nothingLeft();
      });

      it('fails with ProcessGone where the process crashes meanwhile, with the reason', async () => {
        spawn();
        const answer = ask();
        await settle();
        void dispatch(runtime.cell('server')?.pid ?? notThere(), () => {
          throw new Error('another matter');
        });
        await settle();
        expect(failureOf(answer).message).to.include('the process crashed before: another matter');
        await nothingLeft();
      });

      it('is sent by nobody once the process has ended', async () => {
        let resolve: (value: number) => void = () => undefined;
        spawn((body) => (body === 1 ? new Promise<number>((done) => (resolve = done)) : server.later()));
        void ask(2);
        void ask(1);
        await settle();
        runtime.terminate(pid);
        await settle();
        const letters: string[] = [];
        asker.onDeadLetter(({ name }) => letters.push(name));
        outcomeOf(0).set(1);
        resolve(2);
        await settle();
        expect(letters).to.deep.equal([]);
        await nothingLeft();
      });

      it('is called off by a discard: the signal aborts and the Future gets a discard request', async () => {
        spawn();
        const answer = ask();
        await settle();
        const { signal } = callOf(0);
        expect(signal.aborted).to.equal(false);
        expect(answer.map(String).discard()).to.equal(true);
        await settle();
        expect(answer.isDiscarded).to.equal(true);
        expect([signal.aborted, outcomeOf(0).future.hasDiscard]).to.deep.equal([true, true]);
        outcomeOf(0).discard();
        await nothingLeft();
      });

      it('is called off by the timeout', async () => {
        spawn();
        const answer = ask(21, { timeout: '2s' });
        await world.advance(1990);
        const { signal } = callOf(0);
        expect([signal.aborted, answer.isPending]).to.deep.equal([false, true]);
        await world.advance('1s');
        expect(failureOf(answer).code).to.equal('ASK_TIMEOUT');
        expect([signal.aborted, outcomeOf(0).future.hasDiscard]).to.deep.equal([true, true]);
        outcomeOf(0).set(1);
        await nothingLeft();
      });

      it("is called off by the asker's AbortSignal, which is let go of afterwards", async () => {
        spawn();
        const controller = new AbortController();
        const [answer, other] = [ask(21, { signal: controller.signal }), ask(21)];
        await settle();
        controller.abort();
        await settle();
        expect([answer.isDiscarded, other.isPending]).to.deep.equal([true, true]);
        expect([0, 1].map((index) => callOf(index).signal.aborted)).to.deep.equal([true, false]);
        expect(outcomeOf(0).future.hasDiscard).to.equal(true);
        outcomeOf(0).discard();
        outcomeOf(1).set(1);
        await nothingLeft();
      });

      it('is not asked for where the signal has aborted before', async () => {
        spawn();
        const answer = ask(21, { signal: AbortSignal.abort() });
        expect([answer.isDiscarded, answer.hasDiscard]).to.deep.equal([true, true]);
        await settle();
        expect(server.calls).to.have.length(0);
      });

      it('of an async handler is called off through the signal, whether it looked before or looks later', async () => {
        const seen: boolean[] = [];
        let go = (): void => undefined;
        spawn(async (_body, _from, call) => {
          await new Promise<void>((resolve) => (go = resolve));
          seen.push(call.signal.aborted);
          return 1;
        });
        const answer = ask();
        await settle();
        answer.discard();
        await settle();
        go();
        await settle();
        expect(seen).to.deep.equal([true]);
        await nothingLeft();
      });

      it('a signal that nobody called off never aborts', async () => {
        spawn((body) => body);
        const answer = ask();
        await settle();
        expect(answer.get()).to.equal(21);
        answer.discard();
        await settle();
        expect(callOf(0).signal.aborted).to.equal(false);
      });

      it('goes to a process that told the question, as a message of its own kind', async () => {
        spawn((body) => body * 2);
        const client = new Client('client');
        void dispatch(asker.spawn(client), (process) => process.tells(asker.pid('server@node'), 4));
        asker.send(pid, Double, 1);
        await settle();
        expect(client.heard).to.deep.equal([8]);
        expect(server.calls).to.have.length(2);
        expect([runtime.metrics.deadLetters, asker.metrics.deadLetters]).to.deep.equal([0, 0]);
        await nothingLeft();
      });

      it('that fails is nothing to a process that only told the question', async () => {
        spawn(() => Future.failed('no'));
        const client = new Client('client');
        void dispatch(asker.spawn(client), (process) => process.tells(asker.pid('server@node'), 4));
        await settle();
        expect([client.heard.length, errors.length]).to.deep.equal([0, 0]);
        await nothingLeft();
      });
    });
  }

  it('a question that was called off before its turn came is served in vain', async () => {
    spawn();
    const held = runtime.spawn(new Server('held'));
    let release = (): void => undefined;
    void dispatch(held, () => new Promise<void>((resolve) => (release = resolve)));
    await world.settle();
    server = held.receiver === undefined ? server : (runtime.cell('held')?.process as Server);
    const answer = runtime.ask(held, Double, 1);
    await world.settle();
    answer.discard();
    release();
    await world.settle();
    expect([callOf(0).signal.aborted, outcomeOf(0).future.hasDiscard]).to.deep.equal([true, true]);
  });

  it("is called off when the asker's node dies", async () => {
    spawn();
    const asker = await world.start('asker');
    const answer = asker.ask(pid, Double, 1, { timeout: '1hrs' });
    answer.onFailed(() => undefined);
    // Somebody must notice: a link to the node is watched by heartbeats.
    const watched = asker.spawn(new Client('client'));
    void runtime.watch(runtime.pid('client@asker'));
    await world.advance('1s');
    expect([callOf(0).signal.aborted, watched.node]).to.deep.equal([false, 'asker']);
    world.crash('asker');
    await world.advance('30s');
    expect([callOf(0).signal.aborted, outcomeOf(0).future.hasDiscard]).to.deep.equal([true, true]);
    expect([...tables].map(({ size }) => size)).to.deep.equal([0]);
  });

  it("is called off before it began if the asker's node has died meanwhile", async () => {
    spawn();
    const asker = await world.start('asker');
    asker.spawn(new Client('client'));
    void runtime.watch(runtime.pid('client@asker'));
    let release = (): void => undefined;
    runtime.delivery.dispatch(pid, () => new Promise<void>((resolve) => (release = resolve)), '', undefined);
    const answer = asker.ask(pid, Double, 1, { timeout: '1hrs' });
    answer.onFailed(() => undefined);
    await world.advance('1s');
    world.crash('asker');
    await world.advance('30s');
    release();
    await world.settle();
    expect([callOf(0).signal.aborted, outcomeOf(0).future.hasDiscard]).to.deep.equal([true, true]);
    for (const table of tables) expect(table.size).to.equal(0);
  });

  it("is called off when the asker's node comes back as another", async () => {
    spawn();
    const asker = await world.start('asker');
    asker.ask(pid, Double, 1, { timeout: '1hrs' }).onFailed(() => undefined);
    await world.advance('1s');
    world.crash('asker');
    const again = await world.start('asker');
    const answer = again.ask(pid, Double, 2);
    await world.advance('1s');
    expect([0, 1].map((index) => callOf(index).signal.aborted)).to.deep.equal([true, false]);
    outcomeOf(1).set(4);
    await world.advance('1s');
    expect(answer.get()).to.equal(4);
  });

  it('the end of the process tells of every open question once', async () => {
    spawn();
    const answers = Array.from({ length: 50 }, () => runtime.ask(pid, Double, 1));
    await world.settle();
    expect(belongings()).to.equal(50);
    let failures = 0;
    for (const answer of answers) answer.onFailed(() => failures++);
    runtime.terminate(pid);
    await world.settle();
    expect(failures).to.equal(50);
    expect(world.clock.nextDue()).to.equal(undefined);
  });

  it('a kind that is not answered says so to who asks without naming the answer', () => {
    const Plain = message<number>('plain');
    spawn();
    const untyped = runtime.ask.bind(runtime) as (to: PID, kind: unknown, body: unknown) => unknown;
    expect(() => untyped(pid, Plain, 1))
      .to.throw(ProcessError, 'pass { reply }')
      .with.property('code', 'REPLY_MISSING');
  });

  it('of a real runtime leaves no timer behind that keeps the OS process alive', async () => {
    await using real = await RealRuntime.start({ name: 'real' });
    const slow = new Server('slow');
    const to = real.spawn(slow);
    const refs = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = refs();
    const answer = real.ask(to, Double, 1, { timeout: '10hrs' });
    while (slow.calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(refs()).to.equal(before + 1);
    answer.discard();
    expect(refs()).to.equal(before);
    expect(slow.calls[0]?.signal.aborted).to.equal(true);
  });
});

function notThere(): never {
  throw new Error('the process is not there');
}
