import { type FencedLog, memoryLog } from '@mezzo/process/log';
import { expect } from 'chai';
import { backupRegistry, restoreRegistry } from '../../src/registrar/registry-backup.ts';
import { readRegistry } from '../../src/registrar/registry-codec.ts';
import { admission, RegistrarWorld } from './registrar-world.ts';

describe('the registrar and a log that does not answer', () => {
  let shared: FencedLog;
  let cluster: RegistrarWorld;
  beforeEach(() => {
    shared = memoryLog();
    cluster = new RegistrarWorld(shared);
  });
  afterEach(() => cluster.world.stop());

  for (const mishap of ['refused', 'unanswered', 'late', 'torn', 'abandoned'] as const) {
    it(`stores each operation once when an append is ${mishap}`, async () => {
      const pair = await cluster.reign({ revision: 1 });
      pair.log.next('append', mishap, mishap);
      const asked = [1, 2, 3].map((n) => pair.master.change(admission(n)));
      await cluster.world.advance('15s');
      expect(asked.map((future) => future.get().outcome)).to.deep.equal(['STORED', 'STORED', 'STORED']);
      expect(pair.master.lost).to.deep.equal([]);
      expect(readRegistry(await shared.read()).agents.size).to.equal(3);
      expect(await cluster.change(pair, admission(4))).to.deep.equal(['STORED']);
    });

    it(`recovers when reading, and sealing, is ${mishap} at first`, async () => {
      const before = await cluster.reign({ revision: 1 });
      await cluster.change(before, admission(1));
      const pair = await cluster.pair({ revision: 2 });
      const mishaps = ['read', 'append', 'read'];
      pair.log.mishap = (call) => (mishaps[0] === call && mishaps.shift() !== undefined ? mishap : undefined);
      const outcome = await cluster.outcome(pair.master.recover(), '15s');
      expect(outcome.outcome === 'RECOVERED' && outcome.registry.agents.length).to.equal(1);
      await cluster.world.advance('5s');
      expect(await cluster.change(pair, admission(2))).to.deep.equal(['STORED']);
      expect(mishaps).to.deep.equal([]);
    });

    it(`goes on after a snapshot that was ${mishap}`, async () => {
      const pair = await cluster.reign({ revision: 1, snapshotRecords: 3 });
      pair.log.next('snapshot', mishap);
      for (const n of [1, 2, 3, 4, 5, 6, 7, 8]) {
        const asked = pair.master.change(admission(n));
        expect((await cluster.outcome(asked, '10s')).outcome).to.equal('STORED');
      }
      expect(pair.log.snapshots).to.be.greaterThan(0);
      expect((await shared.read()).snapshot).not.to.equal(undefined);
      expect(readRegistry(await shared.read()).agents.size).to.equal(8);
    });
  }

  it('is lost if a newer master was quicker than the answer, also when the operation is there', async () => {
    for (const mishap of ['refused', 'unanswered'] as const) {
      await using world = new RegistrarWorld(memoryLog());
      const pair = await world.reign({ revision: 1 });
      pair.log.next('append', mishap);
      pair.log.latency = 200;
      const asked = pair.master.change(admission(1));
      await world.world.advance('300ms');
      const next = await world.reign({ revision: 2 });
      expect((await world.outcome(asked, '10s')).outcome).to.equal('LOST');
      expect(next.recovered.agents).to.have.length(mishap === 'refused' ? 0 : 1);
      expect(pair.master.lost).to.have.length(1);
    }
  });

  it('is not asked again once it has said that somebody else writes', async () => {
    const old = await cluster.reign({ revision: 1 });
    await cluster.reign({ revision: 2 });
    old.log.next('read', 'silent');
    const asked = old.master.change(admission(1));
    expect((await cluster.outcome(asked)).outcome).to.equal('LOST');
  });

  it('is given up after the timeouts that were set, and left alone then', async () => {
    const pair = await cluster.reign({ revision: 1, storeTimeout: '3200ms', fetchTimeout: '7s' });
    pair.log.mishap = (call) => (call === 'append' ? 'refused' : undefined);
    const asked = pair.master.change(admission(1));
    await cluster.world.advance('3100ms');
    expect(asked.isPending).to.equal(true);
    expect(await cluster.outcome(asked, '200ms')).to.deep.include({ outcome: 'LOST' });
    const tries = pair.log.appended.length;
    pair.log.mishap = undefined;
    await cluster.world.advance('1mins');
    expect(pair.log.appended).to.have.length(tries);
    expect(readRegistry(await shared.read()).agents.size).to.equal(0);
    const next = await cluster.pair({ revision: 2, fetchTimeout: '7s' });
    next.log.mishap = () => 'refused';
    const never = next.master.recover();
    await cluster.world.advance('6900ms');
    expect(never.isPending).to.equal(true);
    expect(await cluster.outcome(never, '200ms')).to.deep.include({ outcome: 'REFUSED', reason: 'UNAVAILABLE' });
    const reads = next.log.reads;
    await cluster.world.advance('1mins');
    expect(next.log.reads).to.be.at.most(reads + 1);
  });

  it('is lost if somebody else took the snapshot', async () => {
    const backup = await backupRegistry(shared);
    const pair = await cluster.reign({ revision: 1, snapshotRecords: 3 });
    pair.log.next('snapshot', 'refused');
    await cluster.change(pair, ...[1, 2, 3].map(admission));
    const asked = pair.master.change(admission(4));
    await restoreRegistry(shared, backup, { force: true });
    expect((await cluster.outcome(asked, '30s')).outcome).to.equal('LOST');
    expect(readRegistry(await shared.read()).agents.size).to.equal(0);
  });
});
