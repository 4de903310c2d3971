import { expect } from 'chai';
import { AgentID } from '@mezzo/protocol';
import { Account, type Holding, Ledger } from '../../src/measure/ledger.ts';
import { ResourceNames } from '../../src/measure/quantities.ts';
import { takeSample } from '../../src/measure/sampler.ts';
import type { Sample } from '../../src/result.ts';

/** Two agents of 10 CPUs and 20 MB each; role `a` counts once, role `b` twice. Quantities are thousandths. */
class TinyCluster {
  readonly names = new ResourceNames(['cpus', 'mem']);
  readonly ledger = new Ledger(this.names);
  readonly a = new Account('a', this.names);
  readonly b = new Account('b', this.names);
  readonly frameworkA = new Account('fa', this.names);
  readonly frameworkB = new Account('fb', this.names);

  constructor() {
    this.ledger.enter('one', [10_000, 20_000]);
    this.ledger.enter('two', [10_000, 20_000]);
  }

  task(agent: string, who: 'a' | 'b', cpus: number, mem: number): Holding {
    const offer = this.offer(agent, who, cpus, mem);
    this.ledger.release(offer);
    const task = this.ledger.use(offer, offer.quantities);
    this.ledger.runs(task);
    return task;
  }

  offer(agent: string, who: 'a' | 'b', cpus: number, mem: number): Holding {
    const [role, framework] = who === 'a' ? [this.a, this.frameworkA] : [this.b, this.frameworkB];
    const holding = this.ledger.offer(agent, AgentID(`${agent}-id`), role, framework, [cpus * 1000, mem * 1000]);
    if (holding === undefined) throw new Error(`${agent} is not there`);
    return holding;
  }

  wants(who: 'a' | 'b', cpus: number, mem: number): void {
    const [role, framework] = who === 'a' ? [this.a, this.frameworkA] : [this.b, this.frameworkB];
    this.ledger.arrived(role, framework, [cpus * 1000, mem * 1000]);
  }

  sample(): Sample {
    return takeSample(5000, {
      ledger: this.ledger,
      roles: new Map([
        ['a', this.a],
        ['b', this.b],
      ]),
      frameworks: [
        { account: this.frameworkA, role: 'a' },
        { account: this.frameworkB, role: 'b' },
      ],
      weightOf: (role) => (role === 'b' ? 2 : 1),
    });
  }
}

describe('a sample of a tiny cluster', () => {
  let cluster: TinyCluster;
  beforeEach(() => {
    cluster = new TinyCluster();
  });

  it('of nobody is even, whole and free', () => {
    expect(cluster.sample()).to.deep.include({
      time: 5000,
      total: { cpus: 20, mem: 40 },
      used: { cpus: 0, mem: 0 },
      offered: { cpus: 0, mem: 0 },
      fragmentation: { cpus: 0, mem: 0 },
      jain: 1,
      gap: 0,
    });
  });

  it('has shares by the dominant resource, and by weight', () => {
    cluster.task('one', 'a', 4, 4); // 4/20 of the CPUs, 4/40 of the memory
    cluster.task('two', 'b', 2, 12); // 2/20, 12/40
    const { roles, frameworks, used } = cluster.sample();
    expect(used).to.deep.equal({ cpus: 6, mem: 16 });
    expect(roles['a']).to.deep.equal({
      used: { cpus: 4, mem: 4 },
      offered: { cpus: 0, mem: 0 },
      dominantShare: 0.2,
      weightedShare: 0.2,
      waiting: 0,
      running: 1,
    });
    expect(roles['b']).to.include({ dominantShare: 0.3, weightedShare: 0.15, running: 1 });
    expect(frameworks['fb']).to.include({ dominantShare: 0.3, weightedShare: 0.15, running: 1 });
  });

  it("has Jain's index of the weighted shares of those who have or want something", () => {
    cluster.task('one', 'a', 4, 4); // 0.2
    expect(cluster.sample().jain).to.equal(1); // b neither has nor wants anything
    cluster.wants('b', 1, 1);
    expect(cluster.sample().jain).to.equal(0.5); // 0.2 and 0
    cluster.task('two', 'b', 2, 12); // 0.15
    // (0.2 + 0.15)^2 / (2 (0.04 + 0.0225))
    expect(cluster.sample().jain).to.be.closeTo(0.98, 1e-12);
  });

  it('has the gap between those who want more', () => {
    cluster.task('one', 'a', 4, 4);
    cluster.wants('b', 1, 1);
    expect(cluster.sample().gap).to.equal(0); // a wants nothing
    cluster.wants('a', 1, 1);
    expect(cluster.sample().gap).to.equal(0.2);
    cluster.task('two', 'b', 2, 12);
    expect(cluster.sample().gap).to.be.closeTo(0.05, 1e-12);
  });

  it('has the part of what is free where the mean waiting task does not fit', () => {
    cluster.task('one', 'a', 8, 5); // 2 CPUs and 15 MB are left
    cluster.task('two', 'a', 4, 10); // 6 CPUs and 10 MB are left
    cluster.wants('b', 2, 2);
    expect(cluster.sample().fragmentation).to.deep.equal({ cpus: 0, mem: 0 });
    cluster.wants('b', 4, 4); // the mean needs 3 CPUs: too much for agent one
    expect(cluster.sample().fragmentation).to.deep.equal({ cpus: 2 / 8, mem: 15 / 25 });
    cluster.offer('two', 'b', 6, 10);
    expect(cluster.sample().fragmentation).to.deep.equal({ cpus: 1, mem: 1 });
  });

  it('counts what is on offer apart from what is used', () => {
    const offer = cluster.offer('one', 'a', 10, 20);
    expect(cluster.sample()).to.deep.include({ offered: { cpus: 10, mem: 20 }, used: { cpus: 0, mem: 0 } });
    cluster.ledger.release(offer);
    cluster.ledger.release(offer);
    expect(cluster.sample().offered).to.deep.equal({ cpus: 0, mem: 0 });
  });

  it('never has more on offer than is not used', () => {
    cluster.task('one', 'a', 10, 20);
    cluster.task('two', 'a', 8, 10);
    // Its last holder has not heard of the end yet.
    cluster.offer('one', 'b', 10, 20);
    expect(cluster.sample()).to.deep.include({ used: { cpus: 18, mem: 30 }, offered: { cpus: 2, mem: 10 } });
  });

  it('forgets what goes down with its agent, and what the master still offers of it', () => {
    const task = cluster.task('one', 'a', 4, 4);
    cluster.offer('one', 'b', 6, 16);
    cluster.ledger.lose('one');
    const { total, used, offered, roles } = cluster.sample();
    expect({ total, used, offered }).to.deep.equal({
      total: { cpus: 10, mem: 20 },
      used: { cpus: 0, mem: 0 },
      offered: { cpus: 0, mem: 0 },
    });
    expect(roles['a']).to.include({ running: 0, dominantShare: 0 });
    cluster.ledger.release(task);
    expect(cluster.sample().used).to.deep.equal({ cpus: 0, mem: 0 });
    cluster.ledger.enter('one', [10_000, 20_000]);
    expect(cluster.sample().total).to.deep.equal({ cpus: 20, mem: 40 });
    expect(cluster.ledger.offer('one', AgentID('one-id'), cluster.a, cluster.frameworkA, [1000, 0])).to.equal(
      undefined,
    );
    expect(cluster.ledger.offer('one', AgentID('one-again'), cluster.a, cluster.frameworkA, [1000, 0])?.held).to.equal(
      true,
    );
  });
});
