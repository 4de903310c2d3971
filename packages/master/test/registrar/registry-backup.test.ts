import { ProcessError } from '@mezzo/process';
import { type FencedLog, memoryLog } from '@mezzo/process/log';
import { expect } from 'chai';
import { backupRegistry, restoreRegistry } from '../../src/registrar/registry-backup.ts';
import { readRegistry } from '../../src/registrar/registry-codec.ts';
import { admission, agent, RegistrarWorld, termOf } from './registrar-world.ts';

async function codeOf(attempt: PromiseLike<unknown>): Promise<string> {
  try {
    await attempt;
  } catch (error) {
    if (error instanceof ProcessError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'done';
}

describe('backups of the registry', () => {
  let shared: FencedLog;
  let cluster: RegistrarWorld;
  beforeEach(() => {
    shared = memoryLog();
    cluster = new RegistrarWorld(shared);
  });
  afterEach(() => cluster.world.stop());

  it('are JSON that people can read, made while the master goes on', async () => {
    const pair = await cluster.reign({ revision: 3 });
    await cluster.change(pair, admission(1), {
      kind: 'UPDATE_QUOTAS',
      quotas: [{ role: '__proto__', quota: { guarantees: { cpus: 1 }, limits: {} } }],
    });
    const text = await backupRegistry(shared);
    expect(text.split('\n').length).to.be.greaterThan(20);
    const { kind, format, registry } = JSON.parse(text) as Record<string, unknown>;
    expect([kind, format]).to.deep.equal(['mezzo registry backup', 1]);
    expect(registry).to.have.nested.property('agents[0].info.hostname', 'host-1.example');
    expect(registry).to.have.nested.property('quotas[0].role', '__proto__');
    expect(await cluster.change(pair, admission(2))).to.deep.equal(['STORED']);
  });

  it('make a registry elsewhere, that the next master recovers', async () => {
    const pair = await cluster.reign({ revision: 3 });
    await cluster.change(pair, admission(1), admission(2), {
      kind: 'MARK_AGENT_UNREACHABLE',
      agentId: agent(2),
      timestamp: 5,
    });
    const elsewhere = memoryLog();
    await restoreRegistry(elsewhere, await backupRegistry(shared));
    expect(readRegistry(await elsewhere.read())).to.deep.include({ term: termOf(3), master: undefined });
    await using other = new RegistrarWorld(elsewhere);
    const { recovered } = await other.reign({ revision: 4 });
    expect(recovered.agents.map(({ agentId }) => agentId)).to.deep.equal([agent(1)]);
    expect(recovered.unreachable).to.deep.equal([{ agentId: agent(2), timestamp: 5, deactivated: false }]);
  });

  it('replace a registry only by force; the master of before can write no more, nor recover it', async () => {
    const pair = await cluster.reign({ revision: 3 });
    await cluster.change(pair, admission(1));
    const backup = await backupRegistry(shared);
    await cluster.change(pair, admission(2));
    expect(await codeOf(restoreRegistry(shared, backup))).to.match(/^STATE_INVALID: .* not empty/);
    expect(await cluster.change(pair, admission(3))).to.deep.equal(['STORED']);

    await restoreRegistry(shared, backup, { force: true });
    expect(await cluster.change(pair, admission(4))).to.deep.equal(['LOST']);
    expect(pair.master.lost).to.have.length(1);
    const same = await cluster.pair({ revision: 3, name: 'same', info: { id: 'master-3' } });
    expect(await cluster.outcome(same.master.recover())).to.deep.include({ reason: 'STALE_TERM' });
    const { recovered } = await cluster.reign({ revision: 4 });
    expect(recovered.agents.map(({ agentId }) => agentId)).to.deep.equal([agent(1)]);
  });

  it('an old backup does not open the door to reigns that have passed since', async () => {
    await cluster.reign({ revision: 2 });
    const backup = await backupRegistry(shared);
    await cluster.reign({ revision: 7 });
    await restoreRegistry(shared, backup, { force: true });
    const passed = await cluster.pair({ revision: 6 });
    expect(await cluster.outcome(passed.master.recover())).to.deep.include({ reason: 'STALE_TERM' });
    await cluster.reign({ revision: 8 });
  });

  it('a newer backup keeps its term in an older registry', async () => {
    await cluster.reign({ revision: 7 });
    const backup = await backupRegistry(shared);
    const older = memoryLog();
    await using other = new RegistrarWorld(older);
    await other.reign({ revision: 2 });
    await restoreRegistry(older, backup, { force: true });
    const passed = await other.pair({ revision: 6 });
    expect(await other.outcome(passed.master.recover())).to.deep.include({ reason: 'STALE_TERM' });
  });

  it('replace also what cannot be read', async () => {
    const backup = await backupRegistry(shared);
    await shared.append(0, [new Uint8Array([1, 0xc1])]);
    expect(await codeOf(backupRegistry(shared))).to.match(/^LOG_CORRUPT/);
    await restoreRegistry(shared, backup, { force: true });
    await cluster.reign({ revision: 1 });
  });

  it('what is no backup changes nothing', async () => {
    const good = await backupRegistry(shared);
    for (const [text, problem] of [
      ['{', /^LOG_CORRUPT: The backup is no JSON/],
      ['null', /^LOG_CORRUPT: This is no backup/],
      ['{"agents":[]}', /^LOG_CORRUPT: This is no backup/],
      [good.replace('"format": 1', '"format": 2'), /^LOG_VERSION: The backup has format 2/],
      [good.replace('"agents": []', '"agents": [{}]'), /^LOG_CORRUPT: The backup/],
    ] as const) {
      expect(await codeOf(restoreRegistry(shared, text, { force: true }))).to.match(problem);
    }
    expect((await shared.read()).last).to.equal(0);
  });

  it('a master that writes at the same moment wins', async () => {
    const backup = await backupRegistry(shared);
    const racing: FencedLog = {
      read: () =>
        shared.read().andThen((contents) => shared.append(contents.last, [new Uint8Array()]).map(() => contents)),
      append: (expected, records) => shared.append(expected, records),
      snapshot: (expected, state) => shared.snapshot(expected, state),
      close: () => shared.close(),
    };
    expect(await codeOf(restoreRegistry(racing, backup, { force: true }))).to.match(/^LOG_FENCED/);
  });
});
