import type { Runtime } from '@mezzo/process';
import { memoryLease } from '@mezzo/process/lease';
import { memoryLog, MemoryLogStore } from '@mezzo/process/log';
import { Simulation } from '@mezzo/process/testing';
import { expect } from 'chai';
import { compareTerms, decodeLeader, type Leader, leaderTopic } from '@mezzo/protocol';
import { demoLease, startCandidate } from '@mezzo/master';
import { FakeAgent } from '../peers.ts';

class Masters implements AsyncDisposable {
  readonly world = new Simulation({ latency: [1, 3] });
  /** What was announced, in order, each leader once. */
  readonly leaders: Leader[] = [];
  readonly #lease = memoryLease({ created: 1 });
  readonly #store = new MemoryLogStore();

  static async start(names: readonly string[]): Promise<Masters> {
    const masters = new Masters();
    (await masters.world.start('listener')).listen(leaderTopic, (data) => {
      const leader = decodeLeader(data);
      if (leader !== undefined && masters.leaders.at(-1)?.address !== leader.address) masters.leaders.push(leader);
    });
    for (const name of names) {
      await masters.world.start(name, { boot: (runtime) => masters.#boot(runtime) });
      await masters.world.advance('10ms');
    }
    await masters.world.advance('1s');
    return masters;
  }

  #boot(runtime: Runtime): void {
    const election = { lease: this.#lease, ...demoLease };
    startCandidate(runtime, { cluster: 'c', registry: memoryLog(this.#store), election });
  }

  get leading(): readonly string[] {
    return this.world.nodes.filter((name) => this.world.runtime(name)?.processes.includes('master') === true);
  }

  get leader(): Leader {
    const leader = this.leaders.at(-1);
    if (leader === undefined) throw new Error('nobody leads');
    return leader;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.world.stop();
  }
}

/** Registers with whoever leads. */
const agentOf = async (masters: Masters): Promise<FakeAgent> => {
  const agent = new FakeAgent();
  (await masters.world.start('agent')).spawn(agent);
  agent.follow(masters.leader.address);
  agent.register();
  await masters.world.advance('1s');
  return agent;
};

describe('one master of several', () => {
  it('leads alone; when it dies another one does, in a later term, and knows the agents', async () => {
    await using masters = await Masters.start(['m1', 'm2', 'm3']);
    const { world } = masters;
    expect(masters.leading).to.deep.equal(['m1']);
    const agent = await agentOf(masters);
    const { id } = agent;
    const first = masters.leader;
    world.crash('m1');
    await world.advance('3s');
    expect(masters.leading).to.have.length(1);
    expect(compareTerms(masters.leader.term, first.term)).to.be.above(0);
    agent.follow(masters.leader.address);
    agent.reregister([], [], id);
    await world.advance('1s');
    expect(agent.received.at(-1)?.kind).to.match(/reregistered|ping/);
    // The first one comes back, and stands by.
    await world.restart('m1');
    await world.advance('10s');
    expect(masters.leading).to.have.length(1);
    expect(masters.leading).to.not.include('m1');
  });

  it('that was stopped and wakes up does nothing more, and may lead again later', async () => {
    await using masters = await Masters.start(['m1', 'm2']);
    const { world } = masters;
    const agent = await agentOf(masters);
    world.pause('m1');
    await world.advance('1mins');
    expect(masters.leader.address).to.include('@m2');
    const received = agent.received.length;
    world.resume('m1');
    await world.advance('1s');
    expect(masters.leading).to.deep.equal(['m2']);
    const since = agent.received.slice(received).filter(({ kind }) => kind !== 'agent.ping');
    expect(since).to.deep.equal([]);
    world.crash('m2');
    await world.advance('3s');
    expect(masters.leading).to.deep.equal(['m1']);
  });

  it('whose master process ends gives leadership to another', async () => {
    await using masters = await Masters.start(['m1', 'm2']);
    const { world } = masters;
    const runtime = world.runtime('m1');
    runtime?.terminate(runtime.pid('master@m1'));
    await world.advance('1s');
    expect(masters.leading).to.deep.equal(['m2']);
    expect(runtime?.processes).to.deep.equal(['candidacy', 'contender']);
    world.crash('m2');
    await world.advance('5s');
    expect(masters.leading).to.deep.equal(['m1']);
  });

  it('that ends in order leaves at once', async () => {
    await using masters = await Masters.start(['m1', 'm2']);
    const { world } = masters;
    const runtime = world.runtime('m1');
    runtime?.terminate(runtime.pid('candidacy@m1'));
    await world.advance('100ms');
    expect(masters.leading).to.deep.equal(['m2']);
    expect(runtime?.processes).to.deep.equal([]);
  });

  it('needs the registry that all of them share', async () => {
    await using world = new Simulation();
    const runtime = await world.start('m');
    expect(() => startCandidate(runtime, { election: { lease: memoryLease() } })).to.throw(RangeError, /registry/);
    expect(runtime.processes).to.deep.equal([]);
  });
});
