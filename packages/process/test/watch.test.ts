import { expect } from 'chai';
import { dispatch, type LocalPID, message, type PID, Process, type Runtime, SpawnRefused } from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';

import { inEveryWorld, outcome } from './transport/worlds.ts';
import { Adder, Fail, Quit } from './transport/processes.ts';

const Ended = message<{ readonly name: string }>('ended');
const Note = message<string>('note');

class Observer extends Process {
  readonly log: string[] = [];
  protected override initialize(): void {
    this.install(Ended, ({ name }, from) => void this.log.push(`${name} ended, says ${from.id}`));
    this.install(Note, (text) => void this.log.push(text));
  }
  observe(pid: PID, name: string): () => void {
    const { cancel } = this.watch(pid, Ended, { name });
    return cancel;
  }
  tell(to: PID, text: string): void {
    this.send(to, Note, text);
  }
}

describe('watch', () => {
  let world: Simulation;
  let runtime: Runtime;
  beforeEach(async () => {
    world = new Simulation();
    runtime = await world.start('node', { onError: () => {} });
  });
  afterEach(async () => {
    await world.stop();
  });

  const spawn = (id: string): [Observer, LocalPID<Observer>] => {
    const observer = new Observer(id);
    return [observer, runtime.spawn(observer)];
  };

  it('is READY with the reason, and leaves no process behind', async () => {
    const [, a] = spawn('a');
    const end = runtime.watch(a);
    await world.settle();
    expect(end.isPending).to.equal(true);
    runtime.terminate(a);
    await world.settle();
    expect(end.get()).to.deep.equal({ kind: 'terminated' });
    expect(runtime.processes).to.deep.equal([]);
  });

  it('is READY with `unreachable` where there is no such process', async () => {
    const end = runtime.watch(runtime.pid('nobody'));
    await world.settle();
    expect(end.get().kind).to.equal('unreachable');
  });

  it('is over after a discard: no process and no link stay', async () => {
    const [, a] = spawn('a');
    const end = runtime.watch(a);
    await world.settle();
    expect(runtime.cell('a')?.linkers?.size).to.equal(1);
    end.discard();
    await world.settle();
    expect(end.isDiscarded).to.equal(true);
    expect(runtime.processes).to.deep.equal(['a']);
    expect(runtime.cell('a')?.linkers?.size).to.equal(0);
  });

  it('is abandoned by a runtime that stops, and refused by one that is stopping', async () => {
    const other = await world.start('other');
    const [, a] = spawn('a');
    const end = other.watch(a);
    await world.settle();
    const stopped = other.stop();
    await world.advanceUntil(() => !stopped.isPending, '10s');
    expect(end.isAbandoned).to.equal(true);
    expect(other.watch(a).failure()).to.be.instanceOf(SpawnRefused);
  });

  it('sends a process its message once, in the name of the watched one and behind its last words', async () => {
    const [, a] = spawn('a');
    const [observer, b] = spawn('b');
    await dispatch(b, (process) => void process.observe(a, 'the first'));
    await world.settle();
    void dispatch(a, (process) => {
      process.tell(b, 'last words');
      runtime.terminate(a);
    });
    await world.settle();
    expect(observer.log).to.deep.equal(['last words', 'the first ended, says a']);
  });

  it('sends nothing after it was cancelled', async () => {
    const [, a] = spawn('a');
    const [observer, b] = spawn('b');
    const cancel = await dispatch(b, (process) => process.observe(a, 'the first'));
    await world.settle();
    cancel();
    await world.settle();
    runtime.terminate(a);
    await world.settle();
    expect(observer.log).to.deep.equal([]);
    expect(runtime.processes).to.deep.equal(['b']);
  });

  it('ends with the process that watches', async () => {
    const [, a] = spawn('a');
    const [, b] = spawn('b');
    await dispatch(b, (process) => void process.observe(a, 'the first'));
    await world.settle();
    runtime.terminate(b);
    await world.settle();
    expect(runtime.processes).to.deep.equal(['a']);
    expect(runtime.cell('a')?.linkers?.size).to.equal(0);
  });
});

inEveryWorld((world) => {
  it('watch: a process of another node that ends, crashes, or is lost with its node', async () => {
    const here = await world.start('here');
    const there = await world.start('there');
    for (const id of ['a', 'b', 'c']) there.spawn(new Adder(id));
    const [a, b, c] = [
      here.watch(here.pid('a@there')),
      here.watch(here.pid('b@there')),
      here.watch(here.pid('c@there')),
    ];
    here.send(here.pid('a@there'), Quit, { n: 0 });
    here.send(here.pid('b@there'), Fail, { n: 0 });
    expect(await outcome(world, a)).to.deep.equal({ kind: 'terminated' });
    expect(await outcome(world, b)).to.deep.equal({ kind: 'crashed', message: 'out of order' });
    expect(c.isPending).to.equal(true);
    world.crash('there');
    expect((await outcome(world, c)).kind).to.equal('lost');
  });
});
