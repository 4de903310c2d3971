import { PID } from '@mezzo/process';
import { memoryLease } from '@mezzo/process/lease';
import { expect } from 'chai';
import { demoLease, LeaseContender } from '../../src/election/lease-contender.ts';
import { decodeClaim } from '@mezzo/protocol';
import { Simulation } from '@mezzo/process/testing';
import { cluster, type Election, hold, type Settings } from './election-world.ts';

const second = 1000;
/** The defaults: a lease of 12 s, renewed every 1.2 s. */
const production: Settings = {};

function latestOf({ reigns }: Election): { readonly name: string; readonly revision: number } {
  const reign = reigns.at(-1);
  if (reign === undefined) throw new Error('nobody was elected');
  return { name: reign.name, revision: reign.term.revision };
}

async function elected(world: Simulation, count: number, settings: Settings): Promise<Election & { leader: string }> {
  const election = await hold(world, count, settings);
  await world.advance('3s');
  expect(election.leaders()).to.have.length(1);
  return Object.assign(election, { leader: latestOf(election).name });
}

describe('the contenders for a lease', () => {
  for (const count of [1, 3, 5]) {
    it(`${count}: one is elected at once, and stays so through renewals, in one term`, async () => {
      await using world = new Simulation({ latency: [0.5, 5] });
      const election = await hold(world, count, production);
      expect(await election.untilNext('1s')).to.be.lessThan(100);
      await world.advance('5mins');
      expect(election.reigns).to.have.length(1);
      const { revision } = await election.store.read();
      expect(revision).to.be.within(240, 252);
      expect(election.reigns[0]?.term).to.deep.equal({ created: 1, revision: 1 });
    });
  }

  it('write who they are, whose master leads, and its term into the lease', async () => {
    await using world = new Simulation();
    const { store, candidate, leader } = await elected(world, 3, production);
    const { value } = await store.read();
    const { sent, ...rest } = decodeClaim(value ?? new Uint8Array()) ?? { sent: 0 };
    expect(sent).to.be.greaterThan(0);
    expect(rest).to.deep.equal({
      cluster,
      candidate: candidate(leader)?.contender?.address,
      term: { created: 1, revision: 1 },
      master: candidate(leader)?.master?.address,
      url: '',
    });
  });

  it('announce the master that leads, by its exact address, also when asked, and nobody else', async () => {
    await using world = new Simulation();
    const { heard, candidate, leader } = await elected(world, 3, production);
    await world.advance('20s');
    expect(heard.length).to.be.within(4, 6);
    for (const { leader: announced } of heard) {
      expect(announced.address).to.equal(candidate(leader)?.master?.address);
      expect(announced.term).to.deep.equal({ created: 1, revision: 1 });
    }
    const before = heard.length;
    world.runtime('witness')?.announce('detect', new TextEncoder().encode(cluster));
    await world.advance('10ms');
    expect(heard).to.have.length(before + 1);
  });

  for (const [name, settings, limit] of [
    ['demo', demoLease, 2 * second],
    ['production', production, 10 * second],
  ] as const) {
    it(`have a new leader ${limit / 1000} s after kill -9 of the old one's node at the latest, at ${name} settings`, async () => {
      for (let seed = 1; seed <= 20; seed++) {
        await using world = new Simulation({ seed, latency: [0.5, 5] });
        const { leader, untilNext } = await elected(world, 3, settings);
        await world.advance(Math.floor(world.random.next() * 5 * second));
        world.crash(leader);
        expect(await untilNext('20s'), `seed ${seed}`).to.be.lessThan(limit);
      }
    });
  }

  it('learn of a lost node before the lease is over', async () => {
    await using world = new Simulation();
    const { leader, untilNext } = await elected(world, 3, { duration: '60s', renewal: '1s' });
    world.crash(leader);
    expect(await untilNext('20s')).to.be.within(4 * second, 8 * second);
  });

  it('find a node that was started again sooner than its link or its lease ran out', async () => {
    await using world = new Simulation();
    const { leader, untilNext } = await elected(world, 3, production);
    world.crash(leader);
    await world.restart(leader);
    expect(await untilNext('20s')).to.be.lessThan(4 * second);
  });

  it('take over at once when the leader ends in order, for it gives the lease back', async () => {
    await using world = new Simulation();
    const { leader, candidate, store, untilNext } = await elected(world, 3, production);
    const contender = candidate(leader)?.contender;
    if (contender === undefined) throw new Error('no contender');
    const given: boolean[] = [];
    store.watch(({ value }) => void given.push(value === undefined));
    world.runtime(leader)?.terminate(contender);
    expect(await untilNext('10s')).to.be.lessThan(100);
    expect(given[0]).to.equal(true);
  });

  it('take over at once when the contender ended and could not give the lease back', async () => {
    await using world = new Simulation();
    const { leader, candidate, untilNext } = await elected(world, 3, production);
    const contender = candidate(leader)?.contender;
    if (contender === undefined) throw new Error('no contender');
    world.network.partition(leader, 'store');
    world.runtime(leader)?.terminate(contender);
    expect(await untilNext('10s')).to.be.lessThan(100);
  });

  it('take over at once when the whole node of the leader stops', async () => {
    await using world = new Simulation({ latency: [1, 2] });
    const { leader, store, untilNext } = await elected(world, 3, production);
    const given: boolean[] = [];
    store.watch(({ value }) => void given.push(value === undefined));
    world.runtime(leader)?.stop();
    expect(await untilNext('10s')).to.be.lessThan(100);
    expect(given[0]).to.equal(true);
  });

  it('end with their owner, and give the lease back', async () => {
    await using world = new Simulation();
    const { leader, untilNext } = await elected(world, 3, production);
    const runtime = world.runtime(leader);
    runtime?.terminate(runtime.pid('candidate'));
    expect(await untilNext('10s')).to.be.lessThan(100);
    expect(runtime?.processes).to.not.include('contender');
  });

  it('resign when the master ends by itself, let others come first, and contend again', async () => {
    await using world = new Simulation();
    const { leader, candidate, untilNext, names, reigns } = await elected(world, 3, production);
    const master = candidate(leader)?.master;
    if (master === undefined) throw new Error('no master');
    world.runtime(leader)?.terminate(master);
    expect(await untilNext('10s')).to.be.lessThan(100);
    expect(reigns.at(-1)?.name).to.not.equal(leader);
    expect(candidate(leader)?.log.at(-1)).to.equal('deposed 1: the master has ended: terminated');
    for (const name of names) if (name !== leader) world.crash(name);
    await untilNext('20s');
    expect(reigns.at(-1)?.name).to.equal(leader);
  });

  it('alone, resign for the duration of a lease', async () => {
    await using world = new Simulation();
    const { leader, candidate, untilNext } = await elected(world, 1, production);
    const master = candidate(leader)?.master;
    if (master === undefined) throw new Error('no master');
    world.runtime(leader)?.terminate(master);
    expect(await untilNext('20s')).to.be.within(11.9 * second, 12.2 * second);
  });

  it('a leader that is cut off from the lease stops before anybody else begins, though clocks differ by 1 %', async () => {
    for (const [slow, fast] of [
      [-0.01, 0.01],
      [0.01, -0.01],
    ]) {
      await using world = new Simulation({ latency: [0.5, 1] });
      const { leader, leaders, names, reigns, candidate } = await elected(world, 3, production);
      for (const name of names) world.skew(name, { drift: (name === leader ? slow : fast) ?? 0 });
      // The drift holds for timers armed from now on.
      await world.advance('30s');
      const cut = world.elapsed;
      world.invariant(() => expect(leaders().length).to.be.at.most(1));
      const partition = world.network.partition(leader, 'store');
      expect(await world.advanceUntil(() => leaders().length === 0, '20s')).to.equal(true);
      expect(candidate(leader)?.log.at(-1)).to.equal('deposed 1: its hold on leadership was not confirmed in time');
      expect(world.elapsed - cut).to.be.within(10.3 * second, 11.95 * second);
      expect(await world.advanceUntil(() => leaders().length === 1, '20s')).to.equal(true);
      expect(world.elapsed - cut).to.be.within(10.5 * second, 13 * second);
      partition.heal();
      await world.advance('1mins');
      expect(reigns).to.have.length(2);
    }
  });

  it('a leader that only some cannot reach stays leader', async () => {
    await using world = new Simulation();
    const { leader, names, reigns, candidate } = await elected(world, 3, production);
    world.network.partition(leader, [...names.filter((name) => name !== leader), 'witness']);
    await world.advance('5mins');
    expect(reigns).to.have.length(1);
    expect(candidate(leader)?.log).to.deep.equal(['elected 1']);
  });

  it('notice the end of a leader that they had lost for a while', async () => {
    await using world = new Simulation();
    const { leader, names, untilNext } = await elected(world, 3, { duration: '60s', renewal: '1s' });
    const partition = world.network.partition(leader, [...names.filter((name) => name !== leader)]);
    await world.advance('20s');
    partition.heal();
    await world.advance('20s');
    world.crash(leader);
    expect(await untilNext('60s')).to.be.lessThan(10 * second);
  });

  it('a healthy leader outlasts a lease store that is away for 9 s', async () => {
    for (let seed = 1; seed <= 20; seed++) {
      await using world = new Simulation({ seed });
      const { reigns } = await elected(world, 3, production);
      await world.advance(Math.floor(world.random.next() * second));
      world.crash('store');
      await world.advance('9s');
      await world.restart('store');
      await world.advance('1mins');
      expect(reigns, `seed ${seed}`).to.have.length(1);
    }
  });

  it('a leader that stood still finds itself deposed as it wakes, and neither acts nor announces itself', async () => {
    await using world = new Simulation();
    const { leader, leaders, heard, reigns, candidate, untilNext } = await elected(world, 3, production);
    // Between two announcements: one on its way would be held back and arrive later.
    await world.advance('1s');
    world.pause(leader);
    await untilNext('20s');
    await world.advance('1mins');
    const woken = world.elapsed;
    world.invariant(() => {
      if (world.elapsed > woken) expect(leaders()).to.not.include(leader);
    });
    world.resume(leader);
    world.runtime('witness')?.announce('detect', new TextEncoder().encode(cluster));
    await world.advance('1mins');
    expect(candidate(leader)?.log).to.deep.equal([
      'elected 1',
      'deposed 1: its hold on leadership was not confirmed in time',
    ]);
    expect(heard.filter(({ leader: { term }, at }) => at >= woken && term.revision === 1)).to.deep.equal([]);
    expect(reigns).to.have.length(2);
  });

  it('a leader that stood still with nobody to replace it begins a new term', async () => {
    await using world = new Simulation();
    const { leader, reigns, candidate } = await elected(world, 1, production);
    world.pause(leader);
    await world.advance('1mins');
    world.resume(leader);
    await world.advance('1s');
    expect(candidate(leader)?.log[1]).to.match(/^deposed 1: its hold/);
    expect(reigns.map(({ term }) => term.revision)[1]).to.be.greaterThan(1);
  });

  it('a leader that hears of a revision that is not its own stops at once', async () => {
    await using world = new Simulation();
    const { leader, leaders, store, candidate } = await elected(world, 3, production);
    const { revision, value } = await store.read();
    const other = new TextEncoder().encode(
      JSON.stringify({ ...decodeClaim(value ?? new Uint8Array()), candidate: 'x@y#1.1' }),
    );
    await store.write(revision, other);
    await world.advance('1ms');
    expect(leaders()).to.deep.equal([]);
    expect(candidate(leader)?.log.at(-1)).to.equal('deposed 1: x@y#1.1 holds the lease now');
  });

  it('a write whose answer was lost counts if it was done', async () => {
    await using world = new Simulation();
    const { leader, reigns } = await elected(world, 3, production);
    // Answers and news get lost, renewals do not.
    const partition = world.network.partition('store', leader, { oneWay: true });
    await world.advance('4s');
    partition.heal();
    await world.advance('1mins');
    expect(reigns).to.have.length(1);
  });

  it('what is no claim is left alone until it was silent for as long as a lease', async () => {
    await using world = new Simulation();
    const { untilNext, store, leaders } = await elected(world, 3, production);
    const { revision } = await store.read();
    await store.write(revision, new TextEncoder().encode('{"from": "another version"}'));
    const next = untilNext('20s');
    expect(await next).to.be.within(11 * second, 13 * second);
    expect(leaders()).to.have.length(1);
  });

  it('know the holder of a node that was started again, and leave the lease to it while it is there', async () => {
    await using world = new Simulation();
    const { reigns, candidate, leaders, names } = await elected(world, 3, { duration: '60s', renewal: '1s' });
    const [back = '', follower = '', other = ''] = names;
    // On that node everything ends in order, so nobody has reason to look at it any more; then it is started again.
    world.runtime(back)?.terminate(candidate(back)?.self ?? new PID('nobody', back));
    await world.advance('2s');
    world.crash(back);
    await world.restart(back);
    await world.advance('2s');
    const away = world.network.partition([follower, other], 'store');
    await world.advanceUntil(() => leaders().includes(back), '2mins');
    away.heal();
    await world.advance('10s');
    const before = reigns.length;
    const cut = world.network.partition(back, 'store');
    await world.advance('20s');
    cut.heal();
    await world.advance('20s');
    expect(leaders()).to.deep.equal([back]);
    expect(reigns).to.have.length(before);
  });

  it('refuse a renewal that is too seldom for the lease', () => {
    const options = { cluster, lease: memoryLease(), owner: new PID('owner', 'node'), duration: '1s' } as const;
    expect(() => new LeaseContender({ ...options, renewal: '334ms' })).to.throw(RangeError, '334 ms');
    expect(() => new LeaseContender({ ...options, renewal: 0 })).to.throw(RangeError);
    expect(new LeaseContender({ ...options, renewal: '333ms' })).to.be.instanceOf(LeaseContender);
  });
});
