import { Future, message, type PID, Process, request, streamRequest } from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';
import { expect } from 'chai';
import { checked } from './transport/processes.ts';

const whole = checked((value): value is number => typeof value === 'number');
const Double = request('double', whole, whole);
const Slow = request('slow', whole, whole);
const Count = streamRequest('count', whole, whole);
const Note = message('note', whole);

class Server extends Process {
  readonly senders: PID[] = [];
  discarded = 0;
  protected override initialize(): void {
    this.answer(Double, (n) => 2 * n);
    this.answer(Slow, () => new Future<number>({ discard: () => void this.discarded++ }));
    this.produce(Count, function* () {
      yield 1;
    });
    this.install(Note, (_, from) => void this.senders.push(from));
  }
}

/** Passes everything on to the server at another node. */
class Front extends Process {
  protected override initialize(): void {
    const server = this.runtime.pid('server@c');
    for (const kind of [Double, Slow, Count, Note]) this.delegate(kind, server);
  }
}

describe('messages that a second node passes on to a third', () => {
  let world: Simulation;
  let server: Server;

  beforeEach(async () => {
    world = new Simulation({ latency: [1, 5] });
    server = new Server('server');
    (await world.start('c')).spawn(server);
    (await world.start('b')).spawn(new Front('front'));
  });

  afterEach(async () => {
    await world.stop();
  });

  it('are answered, if they ask', async () => {
    const a = await world.start('a');
    const answer = a.ask(a.pid('front@b'), Double, 21);
    await world.advanceUntil(() => !answer.isPending, '10s');
    expect(answer.get()).to.equal(42);
  });

  it('are called off all the way when the asker gives up', async () => {
    const a = await world.start('a');
    const answer = a.ask(a.pid('front@b'), Slow, 1);
    await world.advance('1s');
    answer.discard();
    await world.advance('1s');
    expect(server.discarded).to.equal(1);
  });

  it('fail their ask when the third node is lost', async () => {
    const a = await world.start('a');
    const answer = a.ask(a.pid('front@b'), Slow, 1, { timeout: '1mins' });
    await world.advance('1s');
    world.crash('c');
    await world.advanceUntil(() => !answer.isPending, '30s');
    expect(answer.failure()).to.have.property('code', 'OUTCOME_UNKNOWN');
  });

  it('refuse a stream instead of losing items', async () => {
    const a = await world.start('a');
    const read = Future.from(a.stream(a.pid('front@b'), Count, 1).next());
    await world.advanceUntil(() => !read.isPending, '10s');
    expect(read.failure()).to.have.property('code', 'STREAM_FAILED');
  });

  it('name no sender, since a node speaks for its own processes only', async () => {
    const a = await world.start('a');
    a.send(a.pid('front@b'), Note, 1);
    await world.advance('1s');
    expect(server.senders.map(String)).to.deep.equal(['@b']);
  });
});
