import { expect } from 'chai';
import {
  type Choice,
  dispatch,
  message,
  type PID,
  Pool,
  type PoolOptions,
  Process,
  ProcessError,
  ProcessGone,
  type Runtime,
} from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';

import { failure, inEveryWorld, outcome } from '../transport/worlds.ts';
import { Add, Adder, Fail, Sum } from '../transport/processes.ts';

interface Job {
  readonly key: string;
  readonly takes?: number;
}
const Do = message<Job>('do');
const Break = message<string>('break');
const Done = message<{ readonly by: string; readonly start: number }>('done');

/** Says who did the job; one job at a time. */
class Worker extends Process {
  readonly #place: number;
  readonly #start: number;

  constructor(place: number, start: number) {
    super();
    this.#place = place;
    this.#start = start;
  }

  protected override initialize(): void {
    this.install(Do, async ({ takes = 0 }, from) => {
      if (takes > 0) await new Promise<void>((resolve) => this.runtime.platform.clock.timer(takes, resolve));
      this.send(from, Done, { by: String(this.#place), start: this.#start });
    });
    this.install(Break, (text) => {
      throw new Error(text);
    });
  }
}

describe('Pool', () => {
  let world: Simulation;
  let runtime: Runtime;
  let starts: number;

  beforeEach(async () => {
    world = new Simulation();
    runtime = await world.start('node', { onError: () => {} });
    starts = 0;
  });
  afterEach(async () => {
    await world.stop();
  });

  type Kind = typeof Do | typeof Break;
  const byKey: Choice<Kind> = { consistentHash: (body) => (typeof body === 'string' ? body : body.key) };
  const spawn = (options: Partial<PoolOptions<Kind>> = {}) => {
    const pool = new Pool<Kind>('pool', {
      size: 3,
      worker: (place) => new Worker(place, ++starts),
      kinds: [Do, Break],
      ...options,
    });
    return runtime.spawn(pool);
  };
  const ask = async (pool: PID, key = '', takes = 0): Promise<string> => {
    const done = runtime.ask(pool, Do, { key, takes }, { reply: Done });
    await world.settle();
    return done.isReady ? done.get().by : done.toString();
  };

  it('gives messages in turn; the answers come from the workers themselves', async () => {
    const pool = spawn();
    await world.settle();
    const by: string[] = [];
    for (let round = 0; round < 6; round++) by.push(await ask(pool));
    expect([...by.slice(0, 3)].sort()).to.deep.equal(['0', '1', '2']);
    expect(by.slice(3)).to.deep.equal(by.slice(0, 3));
    expect(runtime.processes).to.deep.equal(['pool', 'pool/0', 'pool/1', 'pool/2']);
  });

  it('gives messages by chance, and to each its share', async () => {
    const pool = spawn({ choice: 'random' });
    const counts = new Map<string, number>();
    for (let round = 0; round < 300; round++) {
      const by = await ask(pool);
      counts.set(by, (counts.get(by) ?? 0) + 1);
    }
    for (const place of ['0', '1', '2']) expect(counts.get(place)).to.be.within(60, 140);
  });

  it('gives messages to whoever has the fewest that are not done', async () => {
    const pool = spawn({ choice: 'least-loaded' });
    await world.settle();
    const long = runtime.ask(pool, Do, { key: '', takes: 4000 }, { reply: Done });
    await world.settle();
    for (let round = 0; round < 2; round++) {
      const short = Array.from({ length: 2 }, () => runtime.ask(pool, Do, { key: '', takes: 1000 }, { reply: Done }));
      await world.advance('1s');
      expect(short.map((done) => done.get().by)).to.deep.equal(['1', '2']);
    }
    await world.advance('2s');
    expect(long.get().by).to.equal('0');
    expect(await ask(pool)).to.equal('0');
  });

  it('gives all messages of a key to one worker, also after that was restarted', async () => {
    const pool = spawn({ choice: byKey });
    const owners = new Map<string, string>();
    for (let index = 0; index < 50; index++) owners.set(`k${index}`, await ask(pool, `k${index}`));
    expect(new Set(owners.values()).size).to.equal(3);
    runtime.send(pool, Break, 'k7');
    await world.settle();
    expect(starts).to.equal(4);
    for (const [key, owner] of owners) expect(await ask(pool, key)).to.equal(owner);
  });

  it('moves few keys when it grows', async () => {
    const pool = spawn({
      size: 4,
      choice: byKey,
    });
    const owners = new Map<string, string>();
    for (let index = 0; index < 200; index++) owners.set(`k${index}`, await ask(pool, `k${index}`));
    await dispatch(pool, (one) => one.resize(5));
    let moved = 0;
    for (const [key, owner] of owners) {
      const now = await ask(pool, key);
      if (now === owner) continue;
      moved++;
      expect(now).to.equal('4');
    }
    expect(moved).to.be.within(20, 60);
  });

  it('fails an ask whose worker crashes over it, and those that waited behind, and starts another', async () => {
    const pool = spawn({ size: 1 });
    await world.settle();
    const broken = runtime.ask(pool, Break, 'no paper', { reply: Done });
    const behind = runtime.ask(pool, Do, { key: '' }, { reply: Done });
    await world.settle();
    expect(broken.failure()).to.be.instanceOf(ProcessGone).with.property('message').that.contains('no paper');
    expect(behind.failure()).to.be.instanceOf(ProcessGone);
    expect(await ask(pool)).to.equal('0');
    expect(starts).to.equal(2);
  });

  it('passes over a worker that has ended, also before it hears of it', async () => {
    const pool = spawn({ size: 2, restart: 'temporary' });
    await world.settle();
    runtime.terminate(runtime.pid('pool/1'));
    const answers = Array.from({ length: 4 }, () => runtime.ask(pool, Do, { key: '' }, { reply: Done }));
    await world.settle();
    expect(answers.map((answer) => answer.isReady && answer.get().by)).to.deep.equal(['0', '0', '0', '0']);
  });

  it('fails asks at once while no worker lives; what nobody asked for is a dead letter', async () => {
    const letters: string[] = [];
    runtime.onDeadLetter(({ reason, name, to }) => void letters.push(`${reason} ${name} ${to.id}`));
    const pool = spawn({ size: 1, backoff: { first: '1s', most: '1s', jitter: 0 } });
    runtime.send(pool, Break, 'gone');
    await world.settle();
    const early = runtime.ask(pool, Do, { key: '' }, { reply: Done });
    runtime.send(pool, Do, { key: '' });
    await world.settle();
    expect(early.failure()).to.be.instanceOf(ProcessGone).with.property('message').that.contains('nobody');
    expect(letters.slice(-2)).to.deep.equal(['unreachable do pool', 'unreachable do pool']);
    await world.advance('1s');
    expect(await ask(pool)).to.equal('0');
  });

  it('fails an ask that finds the mailbox of the worker full', async () => {
    class Small extends Worker {
      protected override initialize(): void {
        super.initialize();
        this.boundMailbox(1);
      }
    }
    const pool = spawn({ size: 1, worker: (place) => new Small(place, 0) });
    await world.settle();
    const answers = Array.from({ length: 3 }, () => runtime.ask(pool, Do, { key: '', takes: 1000 }, { reply: Done }));
    await world.advance('3s');
    expect(answers.map((answer) => answer.state)).to.deep.equal(['ready', 'failed', 'failed']);
    expect(answers[1]?.failure())
      .to.be.instanceOf(ProcessGone)
      .with.property('message')
      .that.contains('did not take it');
  });

  it('is crashed by workers that crash too often', async () => {
    const pool = spawn({ restarts: 2 });
    const exit = runtime.watch(pool);
    for (let round = 0; round < 3; round++) {
      runtime.send(pool, Break, 'again');
      await world.settle();
    }
    expect(exit.get()).to.include({ kind: 'crashed' });
    expect(runtime.processes).to.deep.equal([]);
  });

  it('grows and shrinks; the workers that go finish what they have', async () => {
    const pool = spawn({ size: 1 });
    await dispatch(pool, (one) => one.resize(3));
    expect(runtime.processes).to.deep.equal(['pool', 'pool/0', 'pool/1', 'pool/2']);
    const jobs = Array.from({ length: 6 }, () => runtime.ask(pool, Do, { key: '', takes: 500 }, { reply: Done }));
    await world.settle();
    const shrunk = runtime.dispatch(pool, (one) => one.resize(1));
    const grown = runtime.dispatch(pool, (one) => one.resize(2));
    await world.settle();
    expect(shrunk.isPending).to.equal(true);
    const late = Array.from({ length: 2 }, () => runtime.ask(pool, Do, { key: '' }, { reply: Done }));
    await world.advance('2s');
    expect(jobs.every((job) => job.isReady)).to.equal(true);
    expect(late.map((job) => job.get().by)).to.deep.equal(['0', '0']);
    expect([shrunk.isReady, grown.isReady]).to.deep.equal([true, true]);
    expect(runtime.processes).to.deep.equal(['pool', 'pool/0', 'pool/1']);
  });

  it('takes keys from the bodies of its kinds', () => {
    const worker = (place: number): Worker => new Worker(place, 0);
    const keyed = { size: 1, worker, kinds: [Do] };
    expect(new Pool('typed', { ...keyed, choice: { consistentHash: (body) => body.key } })).to.be.instanceOf(Pool);
    // @ts-expect-error -- the body of 'do' has no such field
    expect(new Pool('untyped', { ...keyed, choice: { consistentHash: (body) => body.name } })).to.be.instanceOf(Pool);
    // @ts-expect-error -- a key is text
    expect(new Pool('numbered', { ...keyed, choice: { consistentHash: (body) => body.takes } })).to.be.instanceOf(Pool);
  });

  it('refuses sizes that are none', async () => {
    expect(() => spawn({ size: -1 }))
      .to.throw(ProcessError)
      .with.property('code', 'POOL_SIZE_INVALID');
    const refused = runtime.dispatch(spawn(), (one) => one.resize(1.5));
    await world.settle();
    expect(refused.failure()).to.include({ code: 'POOL_SIZE_INVALID' });
  });

  it('drains when it ends: workers finish what they have, as long as they may', async () => {
    const pool = spawn({ drain: '2s' });
    await world.settle();
    const jobs = Array.from({ length: 9 }, () => runtime.ask(pool, Do, { key: '', takes: 800 }, { reply: Done }));
    await world.settle();
    runtime.terminate(pool);
    await world.advance('2s');
    // Each of three workers had three jobs of 0.8 s.
    expect(jobs.filter((job) => job.isReady)).to.have.length(6);
    expect(jobs.filter((job) => job.isFailed && job.failure() instanceof ProcessGone)).to.have.length(3);
    expect(runtime.processes).to.deep.equal([]);
  });
});

inEveryWorld((world) => {
  it('Pool: answers asks of another node, and fails those over which a worker crashes', async () => {
    const there = await world.start('there');
    const here = await world.start('here');
    there.spawn(new Pool('adders', { size: 3, worker: () => new Adder(), kinds: [Add, Fail], restarts: 9 }));
    const pool = here.pid('adders@there');
    const sums = Array.from({ length: 20 }, (_, n) => here.ask(pool, Add, { n }, { reply: Sum }));
    for (const [n, sum] of sums.entries()) expect((await outcome(world, sum)).n).to.equal(n + 1);
    const broken = await failure(world, here.ask(pool, Fail, { n: 0 }, { reply: Sum }));
    expect(broken).to.be.instanceOf(ProcessGone).with.property('message').that.contains('out of order');
    expect((await outcome(world, here.ask(pool, Add, { n: 7 }, { reply: Sum }))).n).to.equal(8);
  });
});
