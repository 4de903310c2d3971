import { jetStreamLease, type JetStreamLease, type JetStreamLeaseOptions } from '@mezzo/process/jetstream';
import type { LeaseRecord } from '@mezzo/process/lease';
import { expect } from 'chai';
import { DiscardPolicy, type NatsConnection } from 'nats';
import { setTimeout as pause } from 'node:timers/promises';

import { withNatsServer } from '../../../../test/support/nats-server.ts';
import { poll } from '../transport/worlds.ts';
import { bytes, codeOf, failureOf, managerOf, plainNats, text, textOf, withStores } from './stores.ts';

describe('a lease in JetStream', () => {
  const server = withNatsServer();
  const opened = withStores();
  let names = 0;
  let bucket = '';
  let plain: NatsConnection;

  before('connect a plain client', async () => {
    plain = await plainNats(server.url, server.credentialsFile);
  });
  after('close the plain client', async () => {
    await plain?.close();
  });
  beforeEach(() => {
    bucket = `lease-${++names}`;
  });

  function open(options: Partial<JetStreamLeaseOptions> = {}): JetStreamLease {
    const common = { servers: server.url, nkeySeedFile: server.credentialsFile, reconnectWait: 50 };
    return opened(jetStreamLease({ ...common, bucket, key: 'leader', ...options }));
  }

  it('begins at revision 0 without a value, and knows when it was made', async () => {
    const before = Date.now();
    const lease = open();
    expect(await lease.read()).to.deep.equal({ value: undefined, revision: 0 });
    const created = await lease.created();
    expect(created).to.be.within(before - 1, Date.now());
    expect(await open().created()).to.equal(created);
  });

  it('is of another time when its bucket was made anew', async () => {
    const created = await open().created();
    await (await managerOf(plain)).streams.delete(`KV_${bucket}`);
    await pause(2);
    expect(await open().created()).to.be.greaterThan(created);
  });

  it('is replaced by whoever names its newest revision, and by nobody else', async () => {
    const [one, other] = [open(), open()];
    const first = await one.write(0, bytes(1));
    expect(await codeOf(other.write(0, bytes(2)))).to.equal('LEASE_LOST');
    expect(await codeOf(other.write(first + 1, bytes(2)))).to.equal('LEASE_LOST');
    expect(await one.read()).to.deep.equal({ value: bytes(1), revision: first });
    const second = await other.write(first, bytes(3));
    expect(second).to.be.greaterThan(first);
    expect(await one.read()).to.deep.equal({ value: bytes(3), revision: second });
  });

  it('is given back with a revision of its own, and taken again', async () => {
    const lease = open();
    const first = await lease.write(0, bytes(1));
    const back = await lease.write(first, undefined);
    expect(back).to.be.greaterThan(first);
    expect(await lease.read()).to.deep.equal({ value: undefined, revision: back });
    expect(await codeOf(lease.write(0, bytes(2)))).to.equal('LEASE_LOST');
    expect(await lease.write(back, bytes())).to.be.greaterThan(back);
    expect((await lease.read()).value).to.deep.equal(bytes());
  });

  it('keeps what was given, whatever becomes of the bytes', async () => {
    const lease = open();
    const given = bytes(1, 2);
    const writing = lease.write(0, given);
    given.fill(9);
    await writing;
    expect((await lease.read()).value).to.deep.equal(bytes(1, 2));
  });

  it('has its bucket for itself', async () => {
    await open().write(0, bytes(1));
    const error = await failureOf(open({ key: 'other' }).read());
    expect(error.code).to.equal('LEASE_UNAVAILABLE');
    expect(error.message).to.contain(`$KV.${bucket}.leader`).and.contain('another name');
  });

  it('tells whoever watches of each write, also of what was there, until that is cancelled', async () => {
    const [lease, other] = [open(), open()];
    const first = await other.write(0, bytes(1));
    const seen: LeaseRecord[] = [];
    const subscription = lease.watch((record) => void seen.push(record));
    await poll(() => seen.length === 1, 'what was there is told');
    const second = await other.write(first, undefined);
    const written = performance.now();
    await poll(() => seen.length === 2, 'the write is told');
    // By word of the server: the next look of its own is later.
    expect(performance.now() - written).to.be.lessThan(500);
    expect(seen).to.deep.equal([
      { value: bytes(1), revision: first },
      { value: undefined, revision: second },
    ]);
    subscription.cancel();
    const third = await other.write(second, bytes(3));
    expect(third).to.be.greaterThan(second);
    await pause(50);
    expect(seen).to.have.length(2);
  });

  it('is what the tools of NATS can read and give back', async () => {
    const lease = open();
    await lease.write(0, text('me'));
    const kv = await plain.jetstream().views.kv(bucket, { bindOnly: true });
    expect((await kv.get('leader'))?.string()).to.equal('me');
    await kv.delete('leader');
    const { value, revision } = await lease.read();
    expect(value).to.equal(undefined);
    await lease.write(revision, text('me again'));
    await kv.purge('leader');
    expect((await lease.read()).value).to.equal(undefined);
  });

  it('is told of within a second or so in a bucket that was made by others, whose server tells of nothing', async () => {
    const subjects = [`$KV.${bucket}.leader`];
    await (await managerOf(plain)).streams.add({ name: `KV_${bucket}`, subjects, discard: DiscardPolicy.New });
    const lease = open();
    const seen: (string | undefined)[] = [];
    lease.watch(({ value }) => void seen.push(textOf(value)));
    const revision = await lease.write(0, text('a'));
    await poll(() => seen.at(-1) === 'a', 'the write is told');
    await lease.write(revision, text('b'));
    await poll(() => seen.at(-1) === 'b', 'the next write is told');
  });

  it('refuses a bucket that forgets', async () => {
    const subjects = [`$KV.${bucket}.leader`];
    const forgetful = { name: `KV_${bucket}`, subjects, discard: DiscardPolicy.New, max_age: 5e9 };
    await (await managerOf(plain)).streams.add(forgetful);
    const error = await failureOf(open().read());
    expect(error.code).to.equal('LEASE_UNAVAILABLE');
    expect(error.message).to.contain('max_age');
  });

  it('has one winner per revision among five who race', async () => {
    const candidates = Array.from({ length: 5 }, () => open());
    await Promise.all(candidates.map((candidate) => candidate.read()));
    let revision = 0;
    for (let round = 0; round < 40; round++) {
      const tries = await Promise.allSettled(
        candidates.map((candidate, who) => candidate.write(revision, text(`${round} ${who}`))),
      );
      const winners = tries.flatMap((outcome, who) =>
        outcome.status === 'fulfilled' ? [{ who, at: outcome.value }] : [],
      );
      const lost = tries.filter(({ status }) => status === 'rejected');
      expect(winners).to.have.length(1);
      expect(new Set(lost.map((one) => one.status === 'rejected' && one.reason.code))).to.deep.equal(
        new Set(['LEASE_LOST']),
      );
      const record = await candidates[round % 5]?.read();
      expect([textOf(record?.value), record?.revision]).to.deep.equal([`${round} ${winners[0]?.who}`, winners[0]?.at]);
      revision = winners[0]?.at ?? 0;
    }
  });

  it('does not take an option that makes no sense', () => {
    for (const options of [{ bucket: 'a.b' }, { key: '*' }, { key: '' }, { replicas: 4 as 3 }]) {
      expect(() => open(options))
        .to.throw()
        .with.property('code', 'TRANSPORT_OPTION_INVALID');
    }
  });

  it('finishes what is under way when it is closed, and does nothing any more', async () => {
    const lease = open();
    let told = 0;
    lease.watch(() => told++);
    const writing = lease.write(0, text('last'));
    await lease.close();
    await writing;
    const before = told;
    expect(await codeOf(lease.read())).to.equal('LEASE_UNAVAILABLE');
    const other = open();
    expect(textOf((await other.read()).value)).to.equal('last');
    await other.write((await other.read()).revision, text('other'));
    expect(told).to.equal(before);
  });
});

describe('a lease in JetStream, when its server fails', () => {
  const server = withNatsServer({ per: 'test' });
  const opened = withStores();

  function open(options: Partial<JetStreamLeaseOptions> = {}): JetStreamLease {
    const common = { servers: server.url, nkeySeedFile: server.credentialsFile, reconnectWait: 50, pingInterval: 200 };
    return opened(jetStreamLease({ ...common, bucket: 'election', key: 'leader', ...options }));
  }

  it('is unavailable while the server is away, and then as it was; whoever watches hears the newest', async () => {
    const [lease, watched] = [open({ timeout: '300ms' }), open()];
    const seen: (string | undefined)[] = [];
    watched.watch(({ value }) => void seen.push(textOf(value)));
    const first = await lease.write(0, text('before'));
    const created = await lease.created();
    await poll(() => seen.at(-1) === 'before', 'the write is told');
    await server.kill();
    expect(await codeOf(lease.write(first, text('lost')))).to.equal('LEASE_UNAVAILABLE');
    expect(await codeOf(lease.read())).to.equal('LEASE_UNAVAILABLE');
    await server.restart();
    // Of a client that is quicker than those that have to connect again.
    const other = open();
    expect([await other.created(), (await other.read()).revision]).to.deep.equal([created, first]);
    await other.write(first, text('after'));
    await poll(() => seen.at(-1) === 'after', 'the newest is told');
    expect(seen).to.deep.equal(['before', 'after']);
  });

  it('is written once though the confirmation was lost', async () => {
    const lease = open({ timeout: '10s' });
    const first = await lease.write(0, text('before'));
    await server.freeze();
    const writing = lease.write(first, text('in doubt'));
    await pause(2500);
    expect(writing.isPending).to.equal(true);
    server.thaw();
    const second = await writing;
    expect(await lease.read()).to.deep.equal({ value: text('in doubt'), revision: second });
    expect(second).to.equal(first + 1);
  });
});
