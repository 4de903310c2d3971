import { type FencedLog, memoryLog } from '@mezzo/process/log';
import { ResourceQuantities, type RegistryOperation } from '@mezzo/protocol';
import { expect } from 'chai';
import { encodeRecord, readRegistry } from '../../src/registrar/registry-codec.ts';
import { RegistryState } from '../../src/registrar/registry-state.ts';
import { Registrar } from '../../src/registrar/registrar.ts';
import { admission, agent, infoOf, RegistrarWorld, SpeakingMaster, termOf } from './registrar-world.ts';
import { UnsteadyLog } from './unsteady-log.ts';

const unreachable = (n: number, timestamp = 1000): RegistryOperation => ({
  kind: 'MARK_AGENT_UNREACHABLE',
  agentId: agent(n),
  timestamp,
});

async function sizeOf(log: FencedLog): Promise<number> {
  let bytes = 0;
  for (const { records } of (await log.read()).entries) for (const { length } of records) bytes += length;
  return bytes;
}

describe('the registrar', () => {
  let shared: FencedLog;
  let cluster: RegistrarWorld;
  beforeEach(() => {
    shared = memoryLog();
    cluster = new RegistrarWorld(shared);
  });
  afterEach(() => cluster.world.stop());

  it('MASTER-27 admits, removes, moves and prunes for the next master; without a capability, or when reading or storing takes too long, there is no master', async () => {
    const first = await cluster.reign({ revision: 1 });
    expect(first.recovered).to.deep.include({ agents: [], unreachable: [], gone: [] });
    const outcomes = await cluster.change(
      first,
      ...[1, 2, 3, 4, 5].map(admission),
      admission(1),
      { kind: 'UPDATE_AGENT', agentId: agent(1), info: infoOf(1, 16) },
      unreachable(2),
      unreachable(3),
      unreachable(9),
      { kind: 'MARK_AGENT_REACHABLE', agentId: agent(3), info: infoOf(3, 2) },
      { kind: 'MARK_AGENT_GONE', agentId: agent(4), timestamp: 2000 },
      { kind: 'REMOVE_AGENT', agentId: agent(5) },
      { kind: 'DRAIN_AGENT', agentId: agent(1), config: { markGone: true } },
    );
    const [stored, rejected] = ['STORED', 'REJECTED'];
    expect(outcomes).to.deep.equal([
      ...[stored, stored, stored, stored, stored, rejected, stored],
      ...[stored, stored, rejected, stored, stored, stored, stored],
    ]);

    const second = await cluster.reign({ revision: 2 });
    const { agents, ...lists } = second.recovered;
    expect(agents).to.deep.equal([
      {
        agentId: agent(1),
        info: infoOf(1, 16),
        deactivated: true,
        drainInfo: { state: 'DRAINING', config: { markGone: true } },
      },
      { agentId: agent(3), info: infoOf(3, 2), deactivated: false },
    ]);
    expect(lists).to.deep.include({
      unreachable: [{ agentId: agent(2), timestamp: 1000, deactivated: false }],
      gone: [{ agentId: agent(4), timestamp: 2000 }],
      minimumCapabilities: ['AGENT_DRAINING'],
    });
    await cluster.change(second, { kind: 'PRUNE', unreachable: [agent(2)], gone: [agent(4)] });
    const third = await cluster.reign({ revision: 3 });
    expect(third.recovered).to.deep.include({ unreachable: [], gone: [] });
    expect(third.recovered.agents).to.have.length(2);

    const incapable = await cluster.pair({ revision: 4, info: { capabilities: ['AGENT_UPDATE', 'QUOTA_V2'] } });
    const refusal = await cluster.outcome(incapable.master.recover());
    expect(refusal).to.deep.include({ outcome: 'REFUSED', reason: 'CAPABILITY_MISSING' });
    expect(refusal)
      .to.have.property('message')
      .that.matches(/AGENT_DRAINING/);
    expect(incapable.log.appended, 'it may not seal what it does not understand').to.deep.equal([]);

    const slow = await cluster.pair({ revision: 5 });
    slow.log.next('read', 'silent');
    const never = slow.master.recover();
    await cluster.world.advance('59s');
    expect(never.isPending).to.equal(true);
    expect(await cluster.outcome(never, '2s')).to.deep.include({ outcome: 'REFUSED', reason: 'UNAVAILABLE' });

    const unlucky = await cluster.reign({ revision: 6 });
    unlucky.log.next('append', 'silent');
    const unheard = unlucky.master.change(admission(7));
    await cluster.world.advance('19s');
    expect(unheard.isPending).to.equal(true);
    expect(await cluster.outcome(unheard, '2s')).to.deep.include({ outcome: 'LOST' });
    await cluster.world.advance('100ms');
    expect(unlucky.master.lost).to.have.length(1);
    expect(await cluster.change(unlucky, admission(8))).to.deep.equal(['LOST']);
  });

  it('quotas, weights and maintenance are there after a failover', async () => {
    const first = await cluster.reign({ revision: 1, exploded: false });
    const quotas = [{ role: 'ads', quota: { guarantees: { cpus: 1.5 }, limits: { cpus: 4, mem: 128 } } }];
    const windows = [{ machines: [{ hostname: 'a' }, { hostname: 'b' }], unavailability: { start: 5, duration: 7 } }];
    await cluster.change(
      first,
      { kind: 'UPDATE_QUOTAS', quotas },
      { kind: 'UPDATE_WEIGHTS', weights: [{ role: 'ads', weight: 2.5 }] },
      { kind: 'UPDATE_SCHEDULE', windows },
      { kind: 'START_MAINTENANCE', machines: [{ hostname: 'A' }] },
    );
    const { recovered } = await cluster.reign({ revision: 2 });
    expect(recovered).to.deep.include({
      quotas,
      weights: [{ role: 'ads', weight: 2.5 }],
      schedule: windows,
      machines: [
        { id: { hostname: 'a' }, mode: 'DOWN', unavailability: { start: 5, duration: 7 } },
        { id: { hostname: 'b' }, mode: 'DRAINING', unavailability: { start: 5, duration: 7 } },
      ],
    });
    expect(String(ResourceQuantities.of(recovered.quotas[0]?.quota.limits ?? {}))).to.equal('cpus:4;mem:128');
  });

  describe('writes', () => {
    it('one small record for one agent of ten thousand', async () => {
      const pair = await cluster.reign({ revision: 1 });
      await cluster.change(pair, ...Array.from({ length: 10_000 }, (_, n) => admission(n)));
      const before = await sizeOf(shared);
      const entries = (await shared.read()).entries.length;
      expect(await cluster.change(pair, admission(10_000))).to.deep.equal(['STORED']);
      expect((await sizeOf(shared)) - before)
        .to.be.greaterThan(100)
        .and.lessThan(1000);
      expect((await shared.read()).entries).to.have.length(entries + 1);
    }).timeout(20_000);

    it('all that came in while it stored as one entry, and answers in the order of the questions', async () => {
      const pair = await cluster.reign({ revision: 1 });
      pair.log.latency = 100;
      const before = pair.log.appended.length;
      const order: number[] = [];
      const asked = [1, 2, 3, 2, 4].map((n, index) =>
        pair.master.change(admission(n)).onReady(() => void order.push(index)),
      );
      await cluster.world.advance('50ms');
      expect(pair.log.appended.length - before).to.equal(1);
      await cluster.world.advance('500ms');
      expect(pair.log.appended.slice(before).map((records) => records.length)).to.deep.equal([1, 3]);
      expect(order).to.deep.equal([0, 1, 2, 3, 4]);
      expect(asked.map((future) => future.get().outcome)).to.deep.equal([
        ...['STORED', 'STORED', 'STORED', 'REJECTED', 'STORED'],
      ]);
    });

    it('no operation before it is stored counts as done', async () => {
      const pair = await cluster.reign({ revision: 1 });
      pair.log.latency = 5000;
      const asked = pair.master.change(admission(1));
      const again = pair.master.change(admission(1));
      await cluster.world.advance('4s');
      expect([asked.isPending, again.isPending]).to.deep.equal([true, true]);
      await cluster.world.advance('10s');
      expect(again.get().outcome).to.equal('REJECTED');
    });

    it('nothing of what is rejected', async () => {
      const pair = await cluster.reign({ revision: 1 });
      const { last } = await shared.read();
      expect(await cluster.change(pair, unreachable(1), unreachable(2))).to.deep.equal(['REJECTED', 'REJECTED']);
      expect((await shared.read()).last).to.equal(last);
    });

    it('large batches in several entries', async () => {
      const pair = await cluster.reign({ revision: 1 });
      pair.log.latency = 10;
      const before = pair.log.appended.length;
      await cluster.change(pair, ...Array.from({ length: 4000 }, (_, n) => admission(n)));
      const sizes = pair.log.appended
        .slice(before)
        .map((records) => records.reduce((sum, { length }) => sum + length, 0));
      expect(sizes.length).to.be.greaterThan(3);
      for (const size of sizes) expect(size).to.be.lessThan(513 * 1024);
      expect(readRegistry(await shared.read()).agents.size).to.equal(4000);
    }).timeout(10_000);

    it('a snapshot after so many records or bytes, and goes on from there', async () => {
      for (const limit of [{ snapshotRecords: 20 }, { snapshotBytes: 20 * 250 }]) {
        const log = memoryLog();
        await using world = new RegistrarWorld(log);
        const pair = await world.reign({ revision: 1, ...limit });
        for (let n = 0; n < 150; n += 1) {
          await world.change(pair, admission(n));
          const { snapshot, entries } = await log.read();
          const size = snapshot === undefined ? 0 : readRegistry({ snapshot, entries: [], last: 0 }).size;
          expect(entries.length).to.be.at.most(Math.max(25, size + 2));
        }
        expect(pair.log.snapshots).to.be.within(2, 6);
        const { recovered } = await world.reign({ revision: 2, ...limit });
        expect(recovered.agents.map(({ agentId }) => agentId)).to.deep.equal(
          Array.from({ length: 150 }, (_, n) => agent(n)),
        );
        expect(recovered.term).to.deep.equal(termOf(2));
      }
    });
  });

  describe('one master at a time', () => {
    it('a newer reign ends the older one, which writes never again and says so once', async () => {
      const old = await cluster.reign({ revision: 1 });
      await cluster.change(old, admission(1));
      const next = await cluster.reign({ revision: 2 });
      expect(next.recovered.agents).to.have.length(1);
      expect(await cluster.change(old, admission(2), admission(3))).to.deep.equal(['LOST', 'LOST']);
      const tries = old.log.appended.length;
      expect(await cluster.change(old, admission(4))).to.deep.equal(['LOST']);
      await cluster.world.advance('10mins');
      expect(old.log.appended).to.have.length(tries);
      expect(old.master.lost).to.have.length(1);
      expect(old.master.lost[0]).to.match(/another master writes to the registry/);
      expect(await cluster.outcome(old.master.recover())).to.deep.include({ outcome: 'REFUSED', reason: 'LOST' });
      expect(await cluster.change(next, admission(2))).to.deep.equal(['STORED']);
      expect(readRegistry(await shared.read()).agents.size).to.equal(2);
    });

    it('what changes nothing is not confirmed by the older reign either', async () => {
      const old = await cluster.reign({ revision: 1 });
      await cluster.change(old, admission(1));
      const next = await cluster.reign({ revision: 2 });
      await cluster.change(next, unreachable(1));
      const still: RegistryOperation = { kind: 'MARK_AGENT_REACHABLE', agentId: agent(1), info: infoOf(1) };
      expect(await cluster.change(old, still)).to.deep.equal(['LOST']);
    });

    it('refuses an older term, and the same term of another master, without writing', async () => {
      await cluster.reign({ revision: 5 });
      for (const [revision, name] of [
        [4, 'older'],
        [5, 'other'],
      ] as const) {
        const { master, log, runtime } = await cluster.pair({ revision, name });
        const outcome = await cluster.outcome(master.recover());
        expect(outcome).to.deep.include({ outcome: 'REFUSED', reason: 'STALE_TERM' });
        expect(outcome)
          .to.have.property('message')
          .that.matches(/master-5.*1000\.5/);
        expect(log.appended).to.deep.equal([]);
        expect(await cluster.change({ master, log, runtime }, admission(1))).to.deep.equal(['LOST']);
      }
    });

    it('gives the registry back to its master whose registrar was started again', async () => {
      const { master, runtime, log } = await cluster.reign({ revision: 1 });
      await cluster.change({ master, runtime, log }, admission(1));
      const old = runtime.pid('registrar');
      runtime.terminate(old);
      await cluster.world.advance('10ms');
      runtime.spawn(new Registrar({ log }));
      const outcome = await cluster.outcome(master.recover());
      expect(outcome.outcome === 'RECOVERED' && outcome.registry.agents.length).to.equal(1);
      expect(await cluster.change({ master, runtime, log }, admission(2))).to.deep.equal(['STORED']);
      const again = await cluster.outcome(master.recover());
      expect(again.outcome === 'RECOVERED' && again.registry.agents.length).to.equal(2);
    });

    it('serves the next master on the same node, whatever it was doing for the one before', async () => {
      const { world } = cluster;
      const runtime = await world.start('node');
      const home = await world.start('home');
      const log = new UnsteadyLog(shared, world.clock);
      const registrar = home.spawn(new Registrar({ log }));
      const masterOf = async (revision: number, name = `master-${revision}`): Promise<SpeakingMaster> => {
        if (runtime.processes.includes('master')) runtime.terminate(runtime.pid('master'));
        await world.advance('10ms');
        const master = new SpeakingMaster(name, runtime.pid('registrar@home'), revision);
        runtime.spawn(master);
        await world.advance('10ms');
        return master;
      };
      log.latency = 100;
      const unlucky = await masterOf(1);
      const given = { master: unlucky, runtime, log };
      const overtaken = unlucky.recover();
      await world.advance('110ms');
      // The one before was about to seal the log, and its seal arrives.
      const first = await masterOf(2);
      expect((await cluster.outcome(first.recover())).outcome).to.equal('RECOVERED');
      expect(overtaken.get()).to.deep.include({ outcome: 'REFUSED', reason: 'LOST' });
      const asked = [1, 2, 3].map((n) => first.change(admission(n)));
      await world.advance('20ms');
      const second = await masterOf(3);
      const recovery = second.recover();
      const early = second.change(admission(8));
      await world.advance('1s');
      expect(early.get().outcome).to.equal('LOST');
      expect(asked.map((future) => future.get().outcome)).to.deep.equal(['LOST', 'LOST', 'LOST']);
      const outcome = recovery.get();
      expect(outcome.outcome === 'RECOVERED' && outcome.registry.agents.length).to.be.oneOf([0, 1]);
      expect(await cluster.change({ ...given, master: second }, admission(9))).to.deep.equal(['STORED']);

      for (const [revision, name] of [
        [2, 'master-2'],
        [3, 'other'],
      ] as const) {
        const passed = await masterOf(revision, name);
        expect(await cluster.outcome(passed.recover())).to.deep.include({ outcome: 'REFUSED', reason: 'LOST' });
      }
      const again = await masterOf(3);
      expect(await cluster.change({ ...given, master: again }, admission(7))).to.deep.equal(['STORED']);
      const size = (await home.metrics.snapshot()).get('registrar/registry_size_bytes');
      expect(size).to.equal(await sizeOf(shared));

      log.next('append', 'silent');
      const unheard = again.change(admission(10));
      expect((await cluster.outcome(unheard, '30s')).outcome).to.equal('LOST');
      const third = await masterOf(4);
      expect((await cluster.outcome(third.recover())).outcome).to.equal('RECOVERED');
      expect(await cluster.change({ ...given, master: third }, admission(11))).to.deep.equal(['STORED']);
      const known = [...readRegistry(await shared.read()).agents.keys()];
      expect(known)
        .to.include.members([agent(9), agent(11)])
        .and.not.include(agent(2));
      expect(registrar.node).to.equal('home');
    });

    it('a seal that comes second to an older one is tried again, and to a newer one is not', async () => {
      for (const other of [1, 3]) {
        await using world = new RegistrarWorld(memoryLog());
        const rival = await world.pair({ revision: other });
        const pair = await world.pair({ revision: 2 });
        pair.log.latency = 100;
        const asked = pair.master.recover();
        await world.world.advance('150ms');
        await world.outcome(rival.master.recover());
        const outcome = await world.outcome(asked);
        expect(outcome.outcome).to.equal(other === 1 ? 'RECOVERED' : 'REFUSED');
        expect((await world.change(rival, admission(1)))[0]).to.equal(other === 1 ? 'LOST' : 'STORED');
      }
    });

    it('nobody else may ask it to change anything, nor recover in the name of another node', async () => {
      const pair = await cluster.reign({ revision: 1 });
      const forger = await cluster.pair({ revision: 1, name: 'forger', info: { address: pair.master.self.address } });
      const outsider = await cluster.pair({ revision: 2, name: 'outsider' });
      const tries = pair.log.appended.length;
      const registrar = pair.runtime.pid('registrar@registrar-master-1');
      const forged = forger.master.changeAt(registrar, admission(1));
      const foreign = outsider.master.changeAt(registrar, admission(1));
      expect((await cluster.outcome(forged)).outcome).to.equal('LOST');
      expect((await cluster.outcome(foreign)).outcome).to.equal('LOST');
      expect(await cluster.outcome(forger.master.recover())).to.deep.include({ outcome: 'REFUSED', reason: 'LOST' });
      const thief = await cluster.outcome(outsider.master.recoverAt(registrar));
      expect(thief).to.deep.include({ outcome: 'REFUSED', reason: 'LOST' });
      expect(thief)
        .to.have.property('message')
        .that.matches(/serves master master-1/);
      const stale = pair.master.change(admission(1), termOf(7));
      expect((await cluster.outcome(stale)).outcome).to.equal('LOST');
      expect(pair.log.appended).to.have.length(tries);
      expect(await cluster.change(pair, admission(1))).to.deep.equal(['STORED']);
      expect(pair.master.lost).to.deep.equal([]);
    });
  });

  it('refuses a registry that it cannot read, and says why', async () => {
    const newer = encodeRecord(admission(1));
    newer[0] = 2;
    for (const [bytes, reason] of [
      [newer, 'NEWER_VERSION'],
      [new Uint8Array([1, 0xc1]), 'CORRUPT'],
    ] as const) {
      const log = memoryLog();
      await log.append(0, [bytes]);
      await using world = new RegistrarWorld(log);
      const pair = await world.pair({ revision: 1 });
      expect(await world.outcome(pair.master.recover())).to.deep.include({ outcome: 'REFUSED', reason });
      expect(pair.log.appended).to.deep.equal([]);
    }
  });

  it('refuses what comes before the recovery', async () => {
    const pair = await cluster.pair({ revision: 1 });
    expect(await cluster.change(pair, admission(1))).to.deep.equal(['LOST']);
    expect((await cluster.outcome(pair.master.recover())).outcome).to.equal('RECOVERED');
    expect(await cluster.change(pair, admission(1))).to.deep.equal(['STORED']);
  });

  it('measures', async () => {
    const pair = await cluster.pair({ revision: 1 });
    const read = async (name: string): Promise<number | undefined> =>
      (await pair.runtime.metrics.snapshot()).get(`registrar/${name}`);
    pair.log.latency = 40;
    await cluster.outcome(pair.master.recover());
    pair.log.latency = 60;
    const asked = [1, 2, 3].map((n) => pair.master.change(admission(n)));
    await cluster.world.advance('20ms');
    expect(await read('queued_operations')).to.equal(2);
    await cluster.world.advance('500ms');
    expect(asked.every((future) => future.isReady)).to.equal(true);
    expect(await read('queued_operations')).to.equal(0);
    expect(await read('state_fetch_ms')).to.equal(40);
    expect(await read('state_store_ms')).to.equal(60);
    expect(await read('registry_size_bytes')).to.equal(await sizeOf(shared));
    pair.runtime.terminate(pair.runtime.pid('registrar'));
    await cluster.world.advance('10ms');
    expect(await read('registry_size_bytes')).to.equal(undefined);
  });

  it('options that make no sense are refused at once', () => {
    expect(() => new Registrar({ log: shared, fetchTimeout: 'soon' as '1s' })).to.throw(/soon/);
    expect(() => new Registrar({ log: shared, snapshotRecords: 0 })).to.throw(RangeError, /snapshotRecords/);
    expect(() => new Registrar({ log: shared, snapshotBytes: Number.NaN })).to.throw(RangeError, /snapshotBytes/);
  });

  it('starts from an empty state', () => {
    expect(readRegistry({ snapshot: undefined, entries: [], last: 0 }).contents()).to.deep.equal(
      new RegistryState().contents(),
    );
  });
});
