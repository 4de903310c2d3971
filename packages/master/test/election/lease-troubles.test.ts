import { Deferred, Future, type PID, Process, type Runtime, type Subscription } from '@mezzo/process';
import { type LeaseRecord, type LeaseStore, memoryLease } from '@mezzo/process/lease';
import { Simulation } from '@mezzo/process/testing';
import { decodeLeader, leaderTopic, type Term } from '@mezzo/protocol';
import { expect } from 'chai';
import { Deposed, Elected, Leads } from '../../src/election/contender-messages.ts';
import { LeaseContender } from '../../src/election/lease-contender.ts';
import { Candidate, cluster } from './election-world.ts';

/** A lease in memory that does everything, but not always as one would like. */
class TroubledLease implements LeaseStore {
  readonly #world: Simulation;
  #backing = memoryLease({ created: 1 });
  /** Nobody hears of a write. */
  deaf = false;
  /** So many operations are never answered. */
  hanging = 0;
  /** Answers come after this time, in milliseconds since the beginning. */
  blockedUntil = 0;
  /** The first write blocks for so long. */
  blockAtWrite = 0;
  /** So many reads give this. */
  stale = 0;
  #old: LeaseRecord | undefined;
  reads = 0;

  constructor(world: Simulation) {
    this.#world = world;
  }

  created(): Future<number> {
    return this.#backing.created();
  }

  read(): Future<LeaseRecord> {
    this.reads++;
    if (this.stale > 0 && this.#old !== undefined) {
      this.stale--;
      return Future.ready(this.#old);
    }
    return this.#answer(this.#backing.read());
  }

  write(expected: number, value: Uint8Array | undefined): Future<number> {
    if (this.blockAtWrite > 0) this.blockedUntil = this.#world.elapsed + this.blockAtWrite;
    this.blockAtWrite = 0;
    return this.#answer(this.#backing.write(expected, value));
  }

  watch(changed: (record: LeaseRecord) => void): Subscription {
    return this.#backing.watch((record) => {
      if (!this.deaf) changed(record);
    });
  }

  /** Somebody else writes, and for some time reads do not show it. */
  async takenBy(value: Uint8Array, stale = 0): Promise<void> {
    this.#old = await this.#backing.read();
    this.stale = stale;
    await this.#backing.write(this.#old.revision, value);
  }

  remake(): void {
    this.#backing = memoryLease({ created: 2 });
  }

  #answer<T>(answer: Future<T>): Future<T> {
    if (this.hanging > 0) {
      this.hanging--;
      return new Future<T>();
    }
    const wait = this.blockedUntil - this.#world.elapsed;
    if (wait <= 0) return answer;
    const late = new Deferred<T>();
    this.#world.clock.timer(wait, () => late.associate(answer));
    return late.future;
  }
}

interface Setting {
  readonly world: Simulation;
  readonly runtime: Runtime;
  readonly lease: TroubledLease;
  readonly terms: Term[];
  spawn(): Candidate;
}

async function setting(): Promise<Setting> {
  const world = new Simulation();
  const runtime = await world.start('here');
  const lease = new TroubledLease(world);
  const terms: Term[] = [];
  return {
    world,
    runtime,
    lease,
    terms,
    spawn: () => {
      const candidate = new Candidate(lease, {}, (term) => void terms.push(term));
      runtime.spawn(candidate);
      return candidate;
    },
  };
}

const others = new TextEncoder().encode(
  JSON.stringify({ cluster, candidate: 'contender@there#1.1', sent: 0, url: '', term: { created: 1, revision: 9 } }),
);

class Idle extends Process {}

/** Names its first master for whatever reign there is. */
class Confused extends Process {
  readonly #lease: LeaseStore;
  readonly terms: Term[] = [];
  #master: PID | undefined;

  constructor(lease: LeaseStore) {
    super('confused');
    this.#lease = lease;
    this.install(Deposed, () => undefined);
    this.install(Elected, ({ term }, from) => {
      this.terms.push(term);
      this.#master ??= this.runtime.spawn(new Idle('master'));
      this.send(from, Leads, { term: this.terms[0] ?? term, master: this.#master });
    });
  }

  protected override initialize(): void {
    this.runtime.spawn(new LeaseContender({ cluster, lease: this.#lease, owner: this.self }));
  }
}

describe('a contender whose lease store gives trouble', () => {
  it('renews although nothing is heard of writes', async () => {
    const { world, lease, terms, spawn } = await setting();
    await using _ = world;
    lease.deaf = true;
    const { log } = spawn();
    await world.advance('5mins');
    expect(log).to.deep.equal(['elected 1']);
    expect(terms).to.have.length(1);
    // It looked once, at the beginning.
    expect(lease.reads).to.equal(1);
  });

  it('does not wait for answers that never come', async () => {
    const { world, lease, terms, spawn } = await setting();
    await using _ = world;
    lease.hanging = 3;
    const { log } = spawn();
    await world.advance('10s');
    expect(terms).to.have.length(1);
    lease.hanging = 3;
    await world.advance('1mins');
    expect(log).to.have.length(1);
  });

  it('begins no reign with what it wrote long ago, but at once with something new', async () => {
    const { world, lease, terms, spawn } = await setting();
    await using _ = world;
    lease.deaf = true;
    lease.blockAtWrite = 4000;
    spawn();
    await world.advance('3900ms');
    expect(terms).to.deep.equal([]);
    await world.advance('1500ms');
    expect(terms).to.deep.equal([{ created: 1, revision: 2 }]);
  });

  it('does not ask without end while reads are older than what it lost to', async () => {
    const { world, lease, spawn } = await setting();
    await using _ = world;
    lease.deaf = true;
    const { log } = spawn();
    await world.advance('5s');
    const before = lease.reads;
    await lease.takenBy(others, 1000);
    await world.advance('2s');
    expect(lease.reads - before).to.be.within(4, 12);
    lease.stale = 0;
    await world.advance('1s');
    expect(log).to.deep.equal(['elected 1', 'deposed 1: contender@there#1.1 holds the lease now']);
  });

  it('is deposed when the store was made anew, and begins anew itself', async () => {
    const { world, lease, terms, spawn } = await setting();
    await using _ = world;
    const { log } = spawn();
    await world.advance('30s');
    lease.remake();
    await world.advance('30s');
    expect(log).to.deep.equal(['elected 1', 'deposed 1: the lease store was made anew', 'elected 1']);
    expect(terms).to.deep.equal([
      { created: 1, revision: 1 },
      { created: 2, revision: 1 },
    ]);
  });
});

describe('a contender', () => {
  it('announces no master of a former reign', async () => {
    const { world, runtime, lease } = await setting();
    await using _ = world;
    const heard: (number | undefined)[] = [];
    runtime.listen(leaderTopic, (data) => void heard.push(decodeLeader(data)?.term.revision));
    const owner = new Confused(lease);
    runtime.spawn(owner);
    await world.advance('3s');
    expect(heard).to.deep.equal([1]);
    await lease.takenBy(others);
    await world.advance('1mins');
    expect(owner.terms).to.have.length(2);
    expect(heard).to.deep.equal([1]);
  });
});
