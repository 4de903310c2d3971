import { dispatch, Future, Process } from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';
import { expect } from 'chai';
import { GarbageCollector, type GarbageOptions, GarbageRemoved } from '../../src/garbage/garbage-collector.ts';

const day = 24 * 3600 * 1000;

class Receiver extends Process {
  readonly removed: { readonly at: number; readonly path: string }[] = [];

  protected override initialize(): void {
    this.install(GarbageRemoved, ({ path }) => void this.removed.push({ at: this.clock.now(), path }));
  }
}

/** Some folders on a disk that is as full as `usage` says. */
async function begin(world: Simulation, options: Partial<GarbageOptions> = {}) {
  const runtime = await world.start('agent-1');
  const receiver = new Receiver('receiver');
  const fullness = { usage: 0.9 };
  const collector = runtime.spawn(
    new GarbageCollector(runtime.spawn(receiver), {
      diskUsage: () => Future.ready(fullness.usage),
      diskWatchInterval: 3600_000,
      diskHeadroom: 0,
      ...options,
    }),
  );
  const { files } = world.machine('agent-1');
  const { disk } = files;
  for (const name of ['a', 'b', 'c']) files.write(`/${name}/file`, name);
  const start = world.clock.now();
  const schedule = (path: string, since?: number) => dispatch(collector, (p) => p.schedule(path, since));
  const unschedule = (path: string) => dispatch(collector, (p) => p.unschedule(path));
  const left = () => ['a', 'b', 'c'].filter((name) => files.peek(`/${name}/file`) !== undefined).join('');
  return { receiver, fullness, collector, disk, start, schedule, unschedule, left };
}

describe('the garbage collector', () => {
  it('AGENT-15 removes what is a week old, and tells', async () => {
    await using world = new Simulation();
    const { receiver, schedule, left, fullness, start } = await begin(world);
    fullness.usage = 0;
    void schedule('/a');
    void schedule('/b', start - day);
    await world.advance(6 * day - 1);
    expect(left()).to.equal('abc');
    await world.advance(1);
    expect(left()).to.equal('ac');
    await world.advance(day);
    expect(left()).to.equal('c');
    expect(receiver.removed).to.deep.equal([
      { at: start + 6 * day, path: '/b' },
      { at: start + 7 * day, path: '/a' },
    ]);
  });

  it('AGENT-15 removes earlier what is on a fuller disk: the allowed age is what headroom and usage leave of the delay', async () => {
    await using world = new Simulation();
    const { schedule, left, fullness } = await begin(world, { delay: 100 * 3600_000, diskHeadroom: 0.1 });
    void schedule('/a');
    fullness.usage = 0.5;
    await world.advance(39 * 3600_000);
    expect(left()).to.equal('abc');
    await world.advance(3600_000);
    expect(left(), '40 of 100 h are allowed').to.equal('bc');
    void schedule('/b');
    fullness.usage = 0.95;
    await world.advance(3600_000);
    expect(left(), 'nothing is allowed').to.equal('c');
  });

  it('AGENT-15 removes the oldest first, one at a time', async () => {
    await using world = new Simulation();
    const { receiver, schedule, disk, start, collector } = await begin(world);
    for (const [index, path] of ['/b', '/c', '/a'].entries()) void schedule(path, start - index * 1000);
    disk.latency = [1000, 1000];
    void dispatch(collector, (p) => p.prune(0));
    await world.advance('10s');
    expect(receiver.removed.map(({ at, path }) => [at - start, path])).to.deep.equal([
      [1000, '/a'],
      [2000, '/c'],
      [3000, '/b'],
    ]);
  });

  it('AGENT-15 keeps what is unscheduled, and tells when it is too late', async () => {
    await using world = new Simulation();
    const { schedule, unschedule, left, disk, collector } = await begin(world);
    void schedule('/a');
    void schedule('/b');
    const kept = unschedule('/a');
    const unknown = unschedule('/c');
    await world.settle();
    expect([kept.get(), unknown.get()]).to.deep.equal([true, false]);
    disk.latency = [1000, 1000];
    void dispatch(collector, (p) => p.prune(0));
    await world.advance('500ms');
    const late = unschedule('/b');
    await world.advance('400ms');
    expect(late.isPending, 'until it is removed').to.equal(true);
    await world.advance('200ms');
    expect(late.get()).to.equal(false);
    await world.advance(8 * day);
    expect(left()).to.equal('ac');
  });

  it('counts from the last time that a path was scheduled', async () => {
    await using world = new Simulation();
    const { schedule, left, fullness } = await begin(world);
    fullness.usage = 0;
    void schedule('/a');
    await world.advance(4 * day);
    void schedule('/a');
    await world.advance(4 * day);
    expect(left()).to.equal('abc');
    await world.advance(3 * day);
    expect(left()).to.equal('bc');
  });

  it('goes on when a removal fails, and when it is not known how full the disk is', async () => {
    await using world = new Simulation();
    const { schedule, left, disk } = await begin(world, { diskUsage: () => Future.failed(new Error('no disk')) });
    const remove = disk.remove.bind(disk);
    let failures = 1;
    disk.remove = (path, now) => {
      if (path === '/a' && failures-- > 0) throw new Error('busy');
      remove(path, now);
    };
    void schedule('/a');
    void schedule('/b');
    await world.advance(7 * day + 1000);
    expect(left()).to.equal('ac');
    await world.advance(7 * day);
    expect(left()).to.equal('c');
  });
});
