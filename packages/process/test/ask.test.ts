import { expect } from 'chai';
import {
  AskTimeout,
  type Future,
  message,
  OutcomeUnknown,
  type PID,
  Process,
  ProcessError,
  ProcessGone,
  type Runtime,
} from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';

const Ask = message<{ n: number }>('ask');
const Answer = message<{ n: number }>('answer');
const Other = message('other');

class Server extends Process {
  readonly askers: PID[] = [];
  protected override initialize(): void {
    this.install(Ask, ({ n }, from) => {
      this.askers.push(from);
      if (n === 0) return undefined;
      if (n === -1) throw new Error('boom');
      if (n === -2) return Promise.reject(new Error('late boom'));
      if (n === -3) return new Promise(() => undefined);
      if (n === -4) return this.send(from, Other);
      return this.send(from, Answer, { n: n + 1 });
    });
  }
}

describe('ask', () => {
  let world: Simulation;
  let runtime: Runtime;
  let server: Server;
  let pid: PID;

  beforeEach(async () => {
    world = new Simulation();
    runtime = await world.start('node', { onError: () => undefined });
    server = new Server('server');
    pid = runtime.spawn(server);
  });

  afterEach(async () => {
    await world.stop();
  });

  const ask = (n: number, to = pid): Future<{ n: number }> =>
    runtime.ask(to, Ask, { n }, { reply: Answer, timeout: '2s' });
  const failure = (future: Future<unknown>): ProcessError => {
    const error = future.failure();
    if (error instanceof ProcessError) return error;
    throw new TypeError(`no ProcessError: ${String(error)}`);
  };

  it('gives the answer, and each asker its own', async () => {
    const answers = [1, 2, 3].map((n) => ask(n));
    await world.settle();
    expect(answers.map((answer) => answer.get().n)).to.deep.equal([2, 3, 4]);
  });

  it('fails after the timeout, naming who did not answer what, and ignores an answer that comes later', async () => {
    const answer = ask(0);
    await world.advance(1999);
    expect(answer.isPending).to.equal(true);
    await world.advance(1);
    expect(failure(answer)).to.be.instanceOf(AskTimeout);
    expect(failure(answer).message).to.equal("server@node did not answer 'ask' within 2000 ms");
    const [asker] = server.askers;
    expect(asker !== undefined && runtime.send(asker, Answer, { n: 1 })).to.equal(false);
    expect(answer.isFailed).to.equal(true);
  });

  it('leaves no timer behind once it is answered', async () => {
    const answer = ask(1);
    await world.settle();
    expect(answer.isReady).to.equal(true);
    expect(world.clock.nextDue()).to.equal(undefined);
  });

  it('fails at once if there is no such process, or it has ended', async () => {
    const unknown = ask(1, runtime.pid('unknown'));
    expect(failure(unknown)).to.be.instanceOf(ProcessGone);
    runtime.terminate(pid);
    await world.settle();
    expect(failure(ask(1))).to.be.instanceOf(ProcessGone);
    expect(world.clock.nextDue()).to.equal(undefined);
  });

  it('fails when the process crashes while it handles the question, in a sync or an async handler, with the cause', async () => {
    for (const [n, cause] of [
      [-1, 'boom'],
      [-2, 'late boom'],
    ] as const) {
      const victim = runtime.spawn(new Server());
      const answer = ask(n, victim);
      const behind = ask(1, victim);
      await world.settle();
      expect(failure(answer)).to.be.instanceOf(ProcessGone);
      expect(failure(answer).message).to.include(`crashed while handling it: ${cause}`);
      expect(failure(answer).cause).to.have.property('message', cause);
      expect(failure(behind).message).to.include('has ended');
    }
  });

  it('fails when the process is terminated while an async handler has the question, or before it looked at it', async () => {
    const held = ask(-3);
    const queued = ask(1);
    await world.settle();
    runtime.terminate(pid);
    await world.settle();
    expect(failure(held)).to.be.instanceOf(ProcessGone);
    expect(failure(queued)).to.be.instanceOf(ProcessGone);
  });

  it('fails for an answer of another kind', async () => {
    const answer = ask(-4);
    await world.settle();
    expect(failure(answer).code).to.equal('UNEXPECTED_REPLY');
    expect(failure(answer).message).to.include("answered 'ask' with 'other', expected 'answer'");
  });

  it('is DISCARDED at once by a discard, and forgotten', async () => {
    const answer = ask(0);
    await world.settle();
    expect(answer.discard()).to.equal(true);
    expect(answer.isDiscarded).to.equal(true);
    expect(world.clock.nextDue()).to.equal(undefined);
    const [asker] = server.askers;
    expect(asker !== undefined && runtime.send(asker, Answer, { n: 1 })).to.equal(false);
  });

  it('a discard through a chain of maps reaches it', async () => {
    const chained = ask(0)
      .map(({ n }) => n)
      .map(String);
    chained.discard();
    expect(chained.isDiscarded).to.equal(true);
    await world.settle();
    expect(world.clock.nextDue()).to.equal(undefined);
  });

  it('fails when the runtime stops, because what became of the question is not known', async () => {
    const answer = ask(0);
    await world.settle();
    const stopped = runtime.stop();
    await world.settle();
    expect(stopped.isReady).to.equal(true);
    expect(failure(answer)).to.be.instanceOf(OutcomeUnknown);
  });

  it('fails at a full mailbox', async () => {
    class Bounded extends Server {
      protected override initialize(): void {
        super.initialize();
        this.boundMailbox(1);
      }
    }
    const bounded = runtime.spawn(new Bounded());
    await world.settle();
    const first = ask(1, bounded);
    expect(failure(ask(1, bounded)).message).to.include('its mailbox is full');
    await world.settle();
    expect(first.isReady).to.equal(true);
  });

  it('counts no message sent to the dead as an ask', async () => {
    runtime.terminate(pid);
    await world.settle();
    expect(runtime.send(pid, Ask, { n: 1 })).to.equal(false);
    expect(runtime.metrics.deadLetters).to.equal(1);
  });
});
