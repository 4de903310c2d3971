import { type Files, Future, messageOf, type Runtime } from '@mezzo/process';
import { type FencedLog, fileLog } from '@mezzo/process/log';
import { Simulation } from '@mezzo/process/testing';
import { expect } from 'chai';
import { crc32 } from 'node:zlib';
import { checksum } from '../../src/log/checksum.ts';
import { bytes, codeOf, outcome } from './log-settings.ts';

const folder = '/var/log';
const path = (sequence: number): string => `${folder}/${String(sequence).padStart(16, '0')}.entry`;

describe('a log in files', () => {
  let world: Simulation;
  let runtime: Runtime;

  beforeEach(async () => {
    world = new Simulation();
    runtime = await world.start('here');
  });
  afterEach(() => world.stop());

  const disk = () => world.machine('here').disk;
  const open = (changed: Partial<Files> = {}): FencedLog => fileLog(filesWith(runtime.files, changed), folder);
  const done = <T>(future: Future<T>): Promise<T> => outcome(world, future);
  const code = <T>(future: Future<T>): Promise<T | string> => codeOf(done(future));
  const names = async (): Promise<readonly string[]> => await done(runtime.files.list(folder));

  /** A snapshot at 2 and entries 3 to 5, of two records each. */
  async function written(): Promise<void> {
    const log = open();
    await done(log.append(0, [bytes(1)]));
    await done(log.snapshot(1, bytes(7, 7)));
    for (const last of [2, 3, 4]) await done(log.append(last, [bytes(last, 0, 0), bytes(0)]));
  }

  async function change(sequence: number, edit: (content: Uint8Array) => Uint8Array): Promise<void> {
    await done(runtime.files.replace(path(sequence), edit(await done(runtime.files.read(path(sequence))))));
  }

  const flip =
    (at: number) =>
    (content: Uint8Array): Uint8Array =>
      content.map((byte, index) => (index === at ? byte ^ 1 : byte));

  async function readFailure(): Promise<string> {
    try {
      await done(open().read());
    } catch (error) {
      return `${await codeOf(Promise.reject(error))} ${messageOf(error)}`;
    }
    return 'no failure';
  }

  for (const [what, sequence, edit, offset] of [
    ['a record that was changed', 4, flip(24 + 8), 24],
    ['a second record that was changed', 4, flip(24 + 8 + 3 + 8), 35],
    ['a length that was changed', 5, flip(24), 24],
    ['a length of more than there is', 5, flip(27), 24],
    ['a header that was changed', 3, flip(15), 20],
    ['a version that was changed', 3, flip(5), 20],
    ['a file that is none of a log', 3, flip(0), 0],
    ['a file that is cut off', 5, (content: Uint8Array) => content.slice(0, 24 + 8 + 3), 35],
    ['a file that is empty', 5, () => new Uint8Array(), 0],
    ['a file whose end is zeros', 5, (content: Uint8Array) => content.fill(0, 24), 24],
    ['a file that goes on', 5, (content: Uint8Array) => Uint8Array.from([...content, 0]), 44],
    ['a snapshot that was changed', 2, flip(24 + 8), 24],
  ] as const) {
    it(`names file and place of ${what}`, async () => {
      await written();
      await change(sequence, edit);
      expect(await readFailure())
        .to.match(/^LOG_CORRUPT /)
        .and.include(`'${path(sequence)}'`)
        .and.include(`at byte ${offset}:`);
    });
  }

  it('names a file that is missing, and one that stands in the place of another', async () => {
    await written();
    const third = await done(runtime.files.read(path(3)));
    await done(runtime.files.remove(path(4)));
    expect(await readFailure())
      .to.match(/^LOG_CORRUPT /)
      .and.include(`'${path(4)}' is missing`);
    await done(runtime.files.replace(path(4), third));
    expect(await readFailure())
      .to.match(/^LOG_CORRUPT /)
      .and.include(`'${path(4)}' holds entry 3, not 4`);
  });

  it('misses the beginning of a log without a snapshot', async () => {
    const log = open();
    await done(log.append(0, [bytes(1)]));
    await done(log.append(1, [bytes(2)]));
    await done(runtime.files.remove(path(1)));
    expect(await readFailure())
      .to.match(/^LOG_CORRUPT /)
      .and.include(`'${path(1)}' is missing`);
  });

  /** Changes a byte of a header and puts its checksum right. */
  const forge =
    (at: number) =>
    (content: Uint8Array): Uint8Array => {
      const forged = flip(at)(content);
      new DataView(forged.buffer).setUint32(20, checksum(forged.subarray(0, 20)));
      return forged;
    };

  it('refuses to read what a newer version has written', async () => {
    await written();
    await change(4, forge(4));
    expect(await readFailure()).to.equal(
      `LOG_VERSION The log file '${path(4)}' has format 257, and this version of the library knows formats up to 1: use the newer one that wrote it`,
    );
  });

  it('knows entries and snapshots only', async () => {
    await written();
    await change(4, forge(6));
    expect(await readFailure())
      .to.match(/^LOG_CORRUPT /)
      .and.include(`'${path(4)}' is neither an entry nor a snapshot, at byte 6`);
  });

  it('ends with the entries that a full disk took, and goes on when there is room', async () => {
    await written();
    disk().capacity = disk().used + 50;
    const log = open();
    expect(await code(log.append(5, [new Uint8Array(100)]))).to.equal('LOG_UNAVAILABLE');
    expect(await done(log.append(5, [bytes(6)]))).to.equal(6);
    disk().capacity = Number.POSITIVE_INFINITY;
    expect(await done(log.append(6, [new Uint8Array(100)]))).to.equal(7);
    const { entries } = await done(open().read());
    expect(entries.map(({ sequence }) => sequence)).to.deep.equal([3, 4, 5, 6, 7]);
  });

  it('says why it could not be written or read, and works again when the disk does', async () => {
    await written();
    const log = open();
    disk().failWrites = 'EIO';
    const failed = log.append(5, [bytes(6)]);
    expect(await code(failed)).to.equal('LOG_UNAVAILABLE');
    expect(messageOf(failed.failure())).to.match(/^The log in '\/var\/log' could not be written: EIO/);
    expect(failed.failure()).to.have.property('cause').that.has.property('code', 'EIO');
    expect(await code(log.snapshot(5, bytes(6)))).to.equal('LOG_UNAVAILABLE');
    disk().failWrites = undefined;
    expect(await done(log.append(5, [bytes(6)]))).to.equal(6);
    expect((await done(log.read())).last).to.equal(6);
    const unreadable = open({ list: () => Future.failed(Object.assign(new Error('EIO'), { code: 'EIO' })) });
    expect(await code(unreadable.read())).to.equal('LOG_UNAVAILABLE');
  });

  it('keeps no files from before a snapshot, and none that a crash left half written', async () => {
    await written();
    expect(await names()).to.deep.equal([2, 3, 4, 5].map((sequence) => path(sequence).slice(folder.length + 1)));
    await done(runtime.files.append(`${path(6)}.77.1.tmp`, 'half'));
    expect((await done(open().read())).last).to.equal(5);
    await done(open().snapshot(5, bytes(8)));
    expect(await names()).to.deep.equal([path(6).slice(folder.length + 1)]);
  });

  it('reads past what a snapshot could not remove, also if that is damaged or has gaps', async () => {
    await written();
    await done(open().snapshot(5, bytes(8)));
    await done(runtime.files.replace(path(1), 'damaged'));
    await done(runtime.files.replace(path(4), 'damaged'));
    const contents = await done(open().read());
    expect(contents).to.deep.equal({ snapshot: { sequence: 6, state: bytes(8) }, entries: [], last: 6 });
    for (const stale of [0, 1, 2, 4, 5]) {
      expect(await code(open().append(stale, [bytes(9)]))).to.equal('LOG_FENCED');
    }
  });

  it('leaves files that are not its own alone', async () => {
    await written();
    await done(runtime.files.replace(`${folder}/README.entry`, 'x'));
    await done(open().snapshot(5, bytes(8)));
    expect(await names()).to.include('README.entry');
  });

  it('finds its end in whichever order the file system lists', async () => {
    await written();
    const log = open({ list: (...given) => runtime.files.list(...given).map((found) => found.toReversed()) });
    expect(await done(log.append(5, [bytes(6)]))).to.equal(6);
    expect((await done(log.read())).entries.map(({ sequence }) => sequence)).to.deep.equal([3, 4, 5, 6]);
  });

  it('carries out what was asked of it one after another', async () => {
    disk().latency = [0, 100];
    const log = open();
    const writes = Array.from({ length: 20 }, (_, last) => log.append(last, [bytes(last)]));
    const closed = log.close();
    expect(await done(closed)).to.equal(undefined);
    expect(writes.every(({ isReady }) => isReady)).to.equal(true);
    expect((await done(log.read())).entries).to.have.length(20);
  });

  describe('while another writer is quick', () => {
    let one: FencedLog;

    beforeEach(async () => {
      one = open();
      for (const last of [0, 1, 2]) await done(one.append(last, [bytes(last)]));
    });

    it('refuses who comes second between the look and the write', async () => {
      const other = open({
        create: (...file) => one.append(3, [bytes(3)]).andThen(() => runtime.files.create(...file)),
      });
      expect(await code(other.append(3, [bytes(9)]))).to.equal('LOG_FENCED');
      expect((await done(one.read())).entries.at(-1)).to.deep.equal({ sequence: 4, records: [bytes(3)] });
    });

    it('does not confirm an entry whose place a snapshot has made free just then', async () => {
      const overtaken = () => one.append(3, [bytes(3)]).andThen(() => one.snapshot(4, bytes(7)));
      const other = open({ create: (...file) => overtaken().andThen(() => runtime.files.create(...file)) });
      expect(await code(other.append(3, [bytes(9)]))).to.equal('LOG_UNAVAILABLE');
      expect(await done(one.read())).to.deep.equal({
        snapshot: { sequence: 5, state: bytes(7) },
        entries: [],
        last: 5,
      });
      expect(await code(open().append(4, [bytes(9)]))).to.equal('LOG_FENCED');
      expect(await code(one.append(5, [bytes(5)]))).to.equal(6);
    });

    it('reads again what a snapshot removed meanwhile', async () => {
      let reads = 0;
      const other = open({
        read: (...what) =>
          (++reads === 1 ? one.snapshot(3, bytes(7)) : Future.ready(0)).andThen(() => runtime.files.read(...what)),
      });
      expect(await done(other.read())).to.deep.equal({
        snapshot: { sequence: 4, state: bytes(7) },
        entries: [],
        last: 4,
      });
    });

    it('stands by a snapshot if what it replaced cannot be removed', async () => {
      const other = open({ remove: () => Future.failed(Object.assign(new Error('EIO'), { code: 'EIO' })) });
      expect(await done(other.snapshot(3, bytes(7)))).to.equal(4);
      expect(await names()).to.have.length(4);
      expect((await done(one.read())).entries).to.deep.equal([]);
    });
  });
});

describe('the checksum of a log', () => {
  it('is that of zip, in one go or in two', () => {
    const data = new TextEncoder().encode('123456789');
    expect(checksum(data)).to.equal(0xcbf43926).and.equal(crc32(data));
    expect(checksum(data.subarray(4), checksum(data.subarray(0, 4)))).to.equal(crc32(data));
  });
});

/** Files of which some operations are others. */
function filesWith(files: Files, changed: Partial<Files>): Files {
  return {
    read: (...given) => files.read(...given),
    replace: (...given) => files.replace(...given),
    create: (...given) => files.create(...given),
    append: (...given) => files.append(...given),
    list: (...given) => files.list(...given),
    stat: (...given) => files.stat(...given),
    realPath: (...given) => files.realPath(...given),
    createFolder: (...given) => files.createFolder(...given),
    remove: (...given) => files.remove(...given),
    ...changed,
  };
}
