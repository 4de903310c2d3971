import { expect } from 'chai';
import { Process, toMilliseconds } from '@mezzo/process';
import { explore, type FaultRates, type Simulation } from '@mezzo/process/testing';
import { AnnouncementDetector, compareTerms, decodeClaim, Detect, Detected, type Term } from '@mezzo/protocol';
import { demoLease } from '../../src/election/lease-contender.ts';
import { cluster, type Election, hold, type Settings } from './election-world.ts';

const faults: FaultRates = {
  crash: 2,
  partition: 2,
  disconnect: 1,
  broker: 0.5,
  lasting: ['200ms', '20s'],
};

/** The chance, in each simulated second, that some node stands still. */
const pauses = 0.05;

/** Asks a detector, again and again, who leads. */
class Follower extends Process {
  readonly terms: Term[] = [];
  known: Term | undefined;

  protected override initialize(): void {
    const detector = this.runtime.spawn(new AnnouncementDetector({ cluster }));
    this.install(Detected, ({ leader }) => {
      this.known = leader?.term;
      if (leader !== undefined) this.terms.push(leader.term);
      this.send(detector, Detect, { previous: leader });
    });
    this.send(detector, Detect, { previous: undefined });
  }
}

/** Throws unless each is a later reign than the one before. */
function checkGrowth(what: string, terms: readonly Term[], least: number): void {
  for (let index = 1; index < terms.length; index++) {
    const [before, now] = [terms[index - 1], terms[index]];
    if (before !== undefined && now !== undefined && compareTerms(now, before) < least)
      throw new Error(`${what}: ${JSON.stringify(now)} came after ${JSON.stringify(before)}`);
  }
}

/** When each term was renewed last, by true time. */
function renewals({ store }: Election, world: Simulation): ReadonlyMap<number, number> {
  const last = new Map<number, number>();
  store.watch(({ revision, value }) => {
    const claim = value && decodeClaim(value);
    if (claim !== undefined) last.set(claim.term?.revision ?? revision, world.elapsed);
  });
  return last;
}

function scenario(
  count: number,
  settings: Settings,
  seconds: number,
  began: () => void,
): (world: Simulation) => Promise<void> {
  const duration = toMilliseconds(settings.duration ?? '12s');
  return async (world) => {
    for (let index = 0; index < count; index++) {
      const [offset, drift] = [world.random.next() * 20_000 - 10_000, world.random.next() * 0.02 - 0.01];
      world.skew(`node-${index}`, { offset, drift });
    }
    const election = await hold(world, count, settings);
    const { reigns, leaders, candidate } = election;
    const renewed = renewals(election, world);
    const follower = new Follower('follower');
    world.runtime('witness')?.spawn(follower);
    const paused = new Set<string>();
    const pause = (name: string, milliseconds: number): void => {
      paused.add(name);
      world.pause(name);
      world.clock.timer(milliseconds, () => {
        paused.delete(name);
        world.resume(name);
      });
    };
    let checked = 0;
    world.invariant(() => {
      if (reigns.length > checked) {
        began();
        const terms = reigns.map(({ term }) => term);
        checkGrowth('reigns', terms, 1);
      }
      checked = reigns.length;
      const led = new Set<number>();
      for (const name of leaders()) {
        const revision = candidate(name)?.term?.revision ?? 0;
        if (led.has(revision)) throw new Error(`two processes lead term ${revision}`);
        led.add(revision);
        const silence = world.elapsed - (renewed.get(revision) ?? 0);
        if (silence > duration && !paused.has(name))
          throw new Error(`${name} leads ${silence} ms after its last renewal`);
      }
    });
    for (let second = 0; second < seconds; second++) {
      await world.advance('1s');
      // Drawn here and not by the world, so that it is known who stands still.
      const [name = '', chance] = [
        world.nodes[Math.floor(world.random.next() * world.nodes.length)],
        world.random.next(),
      ];
      if (chance < pauses && name !== 'witness')
        world.act(`pause ${name}`, (random) => pause(name, random.next() * 25_000));
    }
    checkGrowth('what a follower was told', follower.terms, 0);
    world.calm();
    // Whoever restarts has been given the time for it; links and leases ran out.
    await world.advance('1mins');
    const [leader, ...others] = leaders();
    if (leader === undefined || others.length > 0) throw new Error(`in the end ${leaders().join() || 'nobody'} leads`);
    const term = candidate(leader)?.term;
    if (term === undefined || follower.known === undefined || compareTerms(term, follower.known) !== 0)
      throw new Error(`the follower follows ${JSON.stringify(follower.known)}, not ${JSON.stringify(term)}`);
  };
}

describe('an election under faults', function () {
  this.timeout(120_000);

  for (const [name, settings, seconds] of [
    ['demo', demoLease, 30],
    ['production', {}, 60],
  ] as const) {
    for (const count of [3, 5]) {
      it(`has one leader per term and growing terms, and ends in peace (${count} contenders, ${name} settings)`, async () => {
        let reigns = 0;
        const { seeds } = await explore({
          seeds: [1, 50],
          latency: [0.5, 20],
          faults: { ...faults, nodes: ['store', ...Array.from({ length: count }, (_, index) => `node-${index}`)] },
          scenario: scenario(count, settings, seconds, () => reigns++),
        });
        // Otherwise there was nothing to see.
        expect(reigns / seeds).to.be.greaterThan(1.5);
      });
    }
  }
});
