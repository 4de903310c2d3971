import type { FencedLog, LogContents } from '@mezzo/process/log';
import { jetStreamLog, type JetStreamLogOptions } from '@mezzo/process/jetstream';
import { fencedLogLaws } from '@mezzo/process/testing';
import { expect } from 'chai';
import { DiscardPolicy, type NatsConnection, type StreamInfo, StorageType } from 'nats';
import { setTimeout as pause } from 'node:timers/promises';

import { withNatsServer } from '../../../../test/support/nats-server.ts';
import {
  bytes,
  codeOf,
  failureOf,
  intrude,
  managerOf,
  partFields,
  plainNats,
  text,
  textOf,
  withStores,
} from './stores.ts';

/** Every record, as text. */
function told({ entries }: LogContents): string[] {
  return entries.flatMap(({ records }) => records.map((record) => textOf(record) ?? ''));
}

function same<T>(value: T): T {
  return value;
}

async function write(log: FencedLog, expected: number, ...records: string[]): Promise<number> {
  return await log.append(expected, records.map(text));
}

describe('a log in JetStream', () => {
  const server = withNatsServer({ maxPayload: 16_384 });
  const opened = withStores();
  let names = 0;
  let stream = '';
  let plain: NatsConnection;

  before('connect a plain client', async () => {
    plain = await plainNats(server.url, server.credentialsFile);
  });
  after('close the plain client', async () => {
    await plain?.close();
  });
  beforeEach(() => {
    stream = `log-${++names}`;
  });

  function open(options: Partial<JetStreamLogOptions> = {}): FencedLog {
    return opened(
      jetStreamLog({
        servers: server.url,
        nkeySeedFile: server.credentialsFile,
        stream,
        reconnectWait: 50,
        ...options,
      }),
    );
  }
  const info = async (): Promise<StreamInfo> => (await managerOf(plain)).streams.info(stream);
  const put = (kind: string, id: string, part: string, data: Uint8Array): Promise<number> =>
    intrude(plain, stream, partFields(kind, id, part), data);

  describe('keeps to the laws of a fenced log: it', () => {
    for (const { title, holds } of fencedLogLaws) it(title, () => holds({ open: () => open() }));
  });

  it('begins empty, on disk, with one replica on a server that stands alone', async () => {
    expect(await open().read()).to.deep.equal({ snapshot: undefined, entries: [], last: 0 });
    const { config } = await info();
    expect([config.num_replicas, config.storage, config.max_age, config.discard]).to.deep.equal([1, 'file', 0, 'new']);
  });

  it('keeps entries whole and in order, also empty records and none', async () => {
    const log = open();
    const first = await log.append(0, [bytes(1, 2), bytes(), bytes(255)]);
    const second = await log.append(first, []);
    const third = await log.append(second, [bytes(0)]);
    expect(await open().read()).to.deep.equal({
      snapshot: undefined,
      entries: [
        { sequence: first, records: [bytes(1, 2), bytes(), bytes(255)] },
        { sequence: second, records: [] },
        { sequence: third, records: [bytes(0)] },
      ],
      last: third,
    });
  });

  it('takes the same records again as another entry', async () => {
    const log = open();
    const first = await write(log, 0, 'same');
    await write(log, first, 'same');
    expect(told(await log.read())).to.deep.equal(['same', 'same']);
  });

  it('refuses whoever has not seen its newest entry, be it empty or not', async () => {
    const [one, other] = [open(), open()];
    const first = await write(one, 0, 'a');
    const error = await failureOf(other.append(0, [text('b')]));
    expect(error.code).to.equal('LOG_FENCED');
    expect(error.message).to.contain(stream).and.contain('since 0');
    const second = await write(other, first, 'c');
    expect(await codeOf(one.append(first, [text('d')]))).to.equal('LOG_FENCED');
    expect(await codeOf(one.snapshot(first, text('d')))).to.equal('LOG_FENCED');
    // Nobody can have seen what is not there.
    expect(await codeOf(one.append(second + 1, [text('e')]))).to.equal('LOG_FENCED');
    expect(told(await one.read())).to.deep.equal(['a', 'c']);
  });

  it('begins anew once somebody emptied its stream, and refuses whoever knows it from before', async () => {
    const log = open();
    const last = await write(log, 0, 'a');
    await (await managerOf(plain)).streams.purge(stream);
    expect(await log.read()).to.deep.equal({ snapshot: undefined, entries: [], last: 0 });
    expect(await codeOf(log.append(last, [text('b')]))).to.equal('LOG_FENCED');
    const next = await write(log, 0, 'c');
    expect(next).to.be.greaterThan(last);
    expect(told(await log.read())).to.deep.equal(['c']);
  });

  it('keeps what was given, whatever becomes of the bytes', async () => {
    const log = open();
    const given = bytes(1, 2);
    const appending = log.append(0, [given]);
    given.fill(9);
    const first = await appending;
    const state = bytes(3, 4);
    const snapshotting = log.snapshot(first, state);
    state.fill(9);
    await snapshotting;
    const second = await log.append((await log.read()).last, [bytes(5)]);
    const { snapshot, entries } = await log.read();
    expect([snapshot?.state, entries]).to.deep.equal([bytes(3, 4), [{ sequence: second, records: [bytes(5)] }]]);
    expect(first).to.be.lessThan(second);
  });

  it('lets one of two writers have each place, and loses nothing of either', async () => {
    const confirmed: [number, string][] = [];
    let fenced = 0;
    const writer = async (name: string): Promise<void> => {
      const log = open();
      let { last } = await log.read();
      for (let n = 0; n < 60;) {
        try {
          last = await write(log, last, `${name}${n}`);
          confirmed.push([last, `${name}${n++}`]);
        } catch (error) {
          expect(error).to.have.property('code', 'LOG_FENCED');
          fenced++;
          ({ last } = await log.read());
        }
      }
    };
    await Promise.all([writer('a'), writer('b')]);
    confirmed.sort(([one], [other]) => one - other);
    const { entries } = await open().read();
    expect(entries.map(({ sequence, records }) => [sequence, textOf(records[0])])).to.deep.equal(confirmed);
    expect(confirmed).to.have.length(120);
    expect(fenced).to.be.greaterThan(0);
  });

  describe('snapshots', () => {
    it('take the place of everything before them, which the stream lets go of', async () => {
      const log = open();
      let last = await write(log, 0, 'a');
      last = await write(log, last, 'b');
      const snapshot = await log.snapshot(last, text('ab'));
      expect(snapshot).to.be.greaterThan(last);
      const { state } = await info();
      expect([state.messages, state.first_seq]).to.deep.equal([1, snapshot]);
      last = await write(log, snapshot, 'c');
      const contents = await open().read();
      expect(contents.snapshot).to.deep.equal({ sequence: snapshot, state: text('ab') });
      expect([told(contents), contents.last]).to.deep.equal([['c'], last]);
    });

    it('count although what is before them could not be removed, and the next one removes it', async () => {
      const log = open();
      await write(log, 0, 'a');
      const sequence = await put('snapshot', 'one', '1/1', text('a'));
      const contents = await log.read();
      expect(contents).to.deep.equal({ snapshot: { sequence, state: text('a') }, entries: [], last: sequence });
      await log.snapshot(await write(log, sequence, 'b'), text('ab'));
      expect((await info()).state.messages).to.equal(1);
    });

    it('may be larger than a message, and may be empty', async () => {
      const log = open();
      const state = new Uint8Array(100_000).map((_, index) => index % 251);
      let last = await log.snapshot(await write(log, 0, 'a'), state);
      expect((await log.read()).snapshot).to.deep.equal({ sequence: last, state });
      expect((await info()).state.first_seq).to.equal(2);
      last = await log.snapshot(last, bytes());
      expect(await log.read()).to.deep.equal({ snapshot: { sequence: last, state: bytes() }, entries: [], last });
    });

    it('do not count before they are whole', async () => {
      const log = open();
      await log.read();
      await put('snapshot', 'one', '1/1', text('old'));
      const last = await put('snapshot', 'two', '1/2', text('ne'));
      const contents = await log.read();
      expect([textOf(contents.snapshot?.state), contents.last]).to.deep.equal(['old', last]);
    });
  });

  describe('entries larger than a message', () => {
    it('come back whole', async () => {
      const log = open();
      const large = new Uint8Array(200_000).map((_, index) => index % 251);
      const first = await log.append(0, [large, text('and this'), large]);
      expect(first).to.be.greaterThan(10);
      const last = await write(log, first, 'next');
      expect((await open().read()).entries).to.deep.equal([
        { sequence: first, records: [large, text('and this'), large] },
        { sequence: last, records: [text('next')] },
      ]);
    });

    it('are not there if their writer died in the middle, and the next entry takes their place', async () => {
      const log = open();
      const first = await write(log, 0, 'before');
      await put('entry', 'torn', '1/3', bytes(0, 0));
      const torn = await put('entry', 'torn', '2/3', bytes(0));
      const contents = await log.read();
      expect([told(contents), contents.last]).to.deep.equal([['before'], torn]);
      expect(await codeOf(log.append(first, [text('x')]))).to.equal('LOG_FENCED');
      const last = await write(log, torn, 'after');
      expect(await log.read()).to.deep.equal({
        snapshot: undefined,
        entries: [
          { sequence: first, records: [text('before')] },
          { sequence: last, records: [text('after')] },
        ],
        last,
      });
    });

    it('are refused in the middle if somebody else writes there', async () => {
      const log = open();
      await log.read();
      let intruded: Promise<number> | undefined;
      // The first part is on its way.
      plain.subscribe(`mezzo.@.log.${stream}`, {
        max: 1,
        callback: () => void (intruded = put('entry', 'other', '1/1', bytes(0, 0, 0, 1, 120))),
      });
      await plain.flush();
      expect(await codeOf(log.append(0, [new Uint8Array(4_000_000)]))).to.equal('LOG_FENCED');
      const sequence = await intruded;
      expect(sequence).to.be.greaterThan(0);
      const contents = await log.read();
      expect([told(contents), contents.last]).to.deep.equal([['x'], sequence]);
    });
  });

  describe('what it cannot read', () => {
    const failing: [string, string, () => Promise<unknown>, string][] = [
      ['of a newer version', 'LOG_VERSION', () => intrude(plain, stream, { 'Mezzo-Log': '2' }, text('?')), 'format 2'],
      ['without a version', 'LOG_CORRUPT', () => intrude(plain, stream, {}, text('?')), 'not written by this library'],
      ['of an unknown kind', 'LOG_CORRUPT', () => put('else', 'one', '1/1', bytes()), 'headers'],
      ['with a senseless part', 'LOG_CORRUPT', () => put('entry', 'one', '3/2', bytes()), 'headers'],
      ['with half a record', 'LOG_CORRUPT', () => put('entry', 'one', '1/1', bytes(0, 0, 0, 2, 1)), 'a record'],
      ['with half a length', 'LOG_CORRUPT', () => put('entry', 'one', '1/1', bytes(0, 0)), 'a record'],
      ['that lacks its beginning', 'LOG_CORRUPT', () => put('entry', 'one', '2/2', bytes()), 'part 2'],
    ];
    for (const [what, code, spoil, words] of failing) {
      it(`is an entry ${what}: ${code}`, async () => {
        const log = open();
        await write(log, 0, 'fine');
        await spoil();
        const error = await failureOf(log.read());
        expect(error.code).to.equal(code);
        expect(error.message).to.contain(`Message 2 of the log in stream '${stream}'`).and.contain(words);
      });
    }

    it('is an entry whose parts are of two', async () => {
      const log = open();
      await log.read();
      await put('entry', 'one', '1/2', bytes(0, 0, 0, 1));
      await put('entry', 'two', '2/2', bytes(7));
      expect(await codeOf(log.read())).to.equal('LOG_CORRUPT');
    });

    it('is a log of which somebody took an entry', async () => {
      const manager = await managerOf(plain);
      await manager.streams.add({
        name: stream,
        subjects: [`mezzo.@.log.${stream}`],
        storage: StorageType.File,
        discard: DiscardPolicy.New,
      });
      const log = open({ timeout: '300ms' });
      await write(log, await write(log, await write(log, 0, 'a'), 'b'), 'c');
      await manager.streams.deleteMessage(stream, 2);
      const error = await failureOf(log.read());
      expect(error.code).to.equal('LOG_CORRUPT');
      expect(error.message).to.contain('Message 2').and.contain('missing');
    });
  });

  describe('where it cannot be had', () => {
    it('tells that no server runs there', async () => {
      const error = await failureOf(open({ servers: 'nats://127.0.0.1:1' }).read());
      expect(error.code).to.equal('LOG_UNAVAILABLE');
      expect(error.message).to.contain('is a server running there?');
    });

    it('asks for a cluster if it shall have replicas on a server that stands alone', async () => {
      const error = await failureOf(open({ replicas: 3 }).read());
      expect(error.code).to.equal('LOG_UNAVAILABLE');
      expect(error.message).to.contain('3 replicas need a cluster').and.contain('replicas: 1');
    });

    it('refuses a stream of its name that would forget', async () => {
      const manager = await managerOf(plain);
      await manager.streams.add({
        name: stream,
        subjects: [`mezzo.@.log.${stream}`],
        max_age: 60e9,
        discard: DiscardPolicy.New,
      });
      const error = await failureOf(open().read());
      expect(error.code).to.equal('LOG_UNAVAILABLE');
      expect(error.message).to.contain('its max_age is 60000000000');
    });

    it('does not take an option that makes no sense', () => {
      for (const options of [{ stream: 'a.b' }, { stream: '' }, { replicas: 2 as 3 }, { prefix: 'a b' }]) {
        expect(() => open(options))
          .to.throw()
          .with.property('code', 'TRANSPORT_OPTION_INVALID');
      }
      expect(() => open({ timeout: -1 }))
        .to.throw()
        .with.property('code', 'DURATION_INVALID');
    });

    it('does nothing any more once it is closed, but finishes what is under way', async () => {
      const log = open();
      await log.read();
      const appending = write(log, 0, 'last');
      await log.close();
      await appending;
      expect(await failureOf(log.append(1, []))).to.have.property('code', 'LOG_UNAVAILABLE');
      await log.close();
      expect(told(await open().read())).to.deep.equal(['last']);
    });
  });
});

describe('a log in JetStream, when its server fails', () => {
  const server = withNatsServer({ per: 'test' });
  const opened = withStores();

  function open(options: Partial<JetStreamLogOptions> = {}): FencedLog {
    return opened(
      jetStreamLog({
        servers: server.url,
        nkeySeedFile: server.credentialsFile,
        stream: 'registry',
        reconnectWait: 50,
        pingInterval: 200,
        ...options,
      }),
    );
  }

  it('has each of 2,000 entries once, in order, though the server is killed and started again in the middle', async () => {
    const log = open();
    let { last } = await log.read();
    let restarted: Promise<void> | undefined;
    const sequences: number[] = [];
    for (let n = 0; n < 2000; n++) {
      if (n === 1000) restarted = server.kill().then(() => server.restart());
      last = await write(log, last, `entry ${n}`);
      sequences.push(last);
    }
    expect(restarted).to.not.equal(undefined);
    await restarted;
    await server.kill();
    await server.restart();
    const contents = await open().read();
    expect(told(contents)).to.deep.equal(Array.from({ length: 2000 }, (_, n) => `entry ${n}`));
    expect(contents.entries.map(({ sequence }) => sequence)).to.deep.equal(sequences);
    // The connection from before goes on.
    expect(await write(log, last, 'more')).to.equal(last + 1);
  });

  it('has an entry once whose confirmation was lost', async () => {
    const log = open();
    const first = await write(log, 0, 'before');
    await server.freeze();
    const appending = log.append(first, [text('in doubt')]);
    // Longer than one attempt: another follows.
    await pause(2500);
    expect(appending.isPending).to.equal(true);
    server.thaw();
    const last = await appending;
    expect(told(await log.read())).to.deep.equal(['before', 'in doubt']);
    await write(log, last, 'after');
  });

  it('confirms one of several whose confirmations were lost', async () => {
    const logs = Array.from({ length: 6 }, () => open());
    await Promise.all(logs.map((log) => log.read()));
    await server.freeze();
    const appending = logs.map((log, who) => log.append(0, [text(`${who}`)]));
    await pause(2500);
    server.thaw();
    const outcomes = await Promise.allSettled(appending);
    const won = outcomes.flatMap(({ status }, who) => (status === 'fulfilled' ? [`${who}`] : []));
    expect(won).to.have.length(1);
    expect(told(await open().read())).to.deep.equal(won);
  });

  it('does not append later what it could not send while the server was away', async () => {
    const log = open({ timeout: '300ms' });
    const first = await write(log, 0, 'before');
    await server.kill();
    expect(await codeOf(log.read())).to.equal('LOG_UNAVAILABLE');
    const error = await failureOf(log.append(first, [text('given up')]));
    expect(error.code).to.equal('LOG_UNAVAILABLE');
    expect(error.message).to.contain('the connection is lost');
    await server.restart();
    let contents: LogContents | undefined;
    for (let tries = 0; tries < 50 && contents === undefined; tries++)
      contents = await log.read().then(same, () => undefined);
    expect(contents && told(contents)).to.deep.equal(['before']);
    await write(log, first, 'after');
  });

  it('says that it is unavailable when there is no word for too long, and reading tells', async () => {
    const log = open({ timeout: '300ms' });
    const first = await write(log, 0, 'before');
    await server.freeze();
    const error = await failureOf(log.append(first, [text('in doubt')]));
    expect(error.code).to.equal('LOG_UNAVAILABLE');
    expect(error.message).to.contain('no answer in time');
    expect(await codeOf(log.read())).to.equal('LOG_UNAVAILABLE');
    server.thaw();
    const { last } = await open().read();
    await write(log, last, 'after').catch(() => undefined);
    const contents = await open().read();
    expect(new Set(told(contents)).size).to.equal(told(contents).length);
  });
});

describe('a log on a server without JetStream', () => {
  const server = withNatsServer({ jetstream: false });
  const opened = withStores();

  it('says at once what to enable', async () => {
    const started = performance.now();
    const log = opened(jetStreamLog({ servers: server.url, nkeySeedFile: server.credentialsFile, stream: 'registry' }));
    const error = await failureOf(log.read());
    expect(error.code).to.equal('LOG_UNAVAILABLE');
    expect(error.message).to.contain('JetStream is not enabled').and.contain('jetstream {').and.contain('-js');
    expect(performance.now() - started).to.be.lessThan(5000);
  });
});
