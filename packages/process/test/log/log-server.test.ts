import { type Duration, Future, messageOf, ProcessError, type Runtime } from '@mezzo/process';
import { type FencedLog, fileLog, LogServer, memoryLog, MemoryLogStore, remoteLog } from '@mezzo/process/log';
import { Simulation } from '@mezzo/process/testing';
import { expect } from 'chai';
import { AppendToLog, ReadLog, SnapshotLog } from '../../src/log/log-messages.ts';
import { bytes, codeOf, outcome } from './log-settings.ts';

describe('a log of another node', () => {
  let world: Simulation;
  let here: Runtime;

  beforeEach(async () => {
    world = new Simulation();
    await world.start('store', {
      boot: (runtime) => void runtime.spawn(new LogServer(fileLog(runtime.files, '/log'))),
    });
    here = await world.start('here');
  });
  afterEach(() => world.stop());

  const open = (options?: { timeout: Duration }): FencedLog => remoteLog(here, here.pid('log@store'), options);
  const done = <T>(future: Future<T>): Promise<T> => outcome(world, future);
  const code = (future: Future<unknown>): Promise<unknown> => codeOf(done(future));

  it('is unavailable while the node cannot be reached, and no longer', async () => {
    const log = open();
    await done(log.append(0, [bytes(1)]));
    world.network.partition('here', 'store');
    const append = log.append(1, [bytes(2)]);
    expect(await code(append)).to.equal('LOG_UNAVAILABLE');
    expect(messageOf(append.failure())).to.match(/^The log at log@store cannot be reached: /);
    expect(append.failure()).to.have.property('cause').that.is.instanceOf(ProcessError);
    expect(await code(log.read())).to.equal('LOG_UNAVAILABLE');
    expect(await code(log.snapshot(1, bytes(2)))).to.equal('LOG_UNAVAILABLE');
    world.network.heal('here', 'store');
    await world.advance('30s');
    const { last } = await done(log.read());
    expect(await done(log.append(last, [bytes(3)]))).to.equal(last + 1);
  });

  it('is unavailable if the answer is lost, though the entry is there', async () => {
    const log = open();
    await done(log.read());
    world.machine('store').disk.latency = [10, 10];
    const append = log.append(0, [bytes(1)]);
    await world.advance(5);
    world.network.partition('here', 'store');
    expect(await code(append)).to.equal('LOG_UNAVAILABLE');
    world.network.heal('here', 'store');
    await world.advance('30s');
    expect((await done(log.read())).entries).to.deep.equal([{ sequence: 1, records: [bytes(1)] }]);
  });

  it('gives up after its timeout, 5 s by default', async () => {
    world.machine('store').disk.latency = [60_000, 60_000];
    for (const [options, timeout] of [
      [undefined, 5000],
      [{ timeout: '300ms' }, 300],
    ] as const) {
      const start = world.elapsed;
      expect(await code(open(options).read())).to.equal('LOG_UNAVAILABLE');
      expect(world.elapsed - start).to.be.within(timeout, timeout + 50);
    }
  });

  it('is found again after its node was started again, with what it confirmed', async () => {
    const log = open();
    await done(log.append(0, [bytes(1)]));
    world.losePower('store');
    expect(await code(log.append(1, [bytes(2)]))).to.equal('LOG_UNAVAILABLE');
    await world.restart('store');
    await world.advance('30s');
    const { last, entries } = await done(log.read());
    expect(entries[0]).to.deep.equal({ sequence: 1, records: [bytes(1)] });
    expect(await done(log.append(last, [bytes(3)]))).to.equal(last + 1);
  });

  for (const refusal of ['LOG_CORRUPT', 'LOG_VERSION', 'LOG_UNAVAILABLE', 'LOG_FENCED'] as const) {
    it(`fails as the log behind it fails: ${refusal}`, async () => {
      const fail = (): Future<never> => Future.failed(new ProcessError(refusal, 'the reason'));
      (await world.start('other')).spawn(
        new LogServer({ read: fail, append: fail, snapshot: fail, close: fail }, 'failing'),
      );
      const log = remoteLog(here, here.pid('failing@other'));
      for (const operation of [log.read(), log.append(0, []), log.snapshot(0, bytes())]) {
        expect(await code(operation)).to.equal(refusal);
        expect(messageOf(operation.failure())).to.equal('the reason');
      }
    });
  }

  it('is unavailable if the log behind it fails with anything else', async () => {
    const fail = (): Future<never> => Future.failed(new Error('odd'));
    (await world.start('other')).spawn(new LogServer({ read: fail, append: fail, snapshot: fail, close: fail }));
    expect(await code(remoteLog(here, here.pid('log@other')).read())).to.equal('LOG_UNAVAILABLE');
  });

  it('takes no messages from the wire that are not what they should be', async () => {
    const store = new MemoryLogStore();
    (await world.start('other')).spawn(new LogServer(memoryLog(store)));
    const server = here.pid('log@other');
    const wrong = (value: unknown): never => value as never;
    for (const ask of [
      here.ask(server, AppendToLog, wrong({ expected: -1, records: [] }), { timeout: '1s' }),
      here.ask(server, AppendToLog, wrong({ expected: 0, records: ['text'] }), { timeout: '1s' }),
      here.ask(server, AppendToLog, wrong({ expected: 0 }), { timeout: '1s' }),
      here.ask(server, SnapshotLog, wrong({ expected: 0, state: 'text' }), { timeout: '1s' }),
      here.ask(server, SnapshotLog, wrong({ expected: 0.5, state: bytes() }), { timeout: '1s' }),
      here.ask(server, ReadLog, wrong(null), { timeout: '1s' }),
    ]) {
      expect(await code(ask)).to.be.oneOf(['MESSAGE_INVALID', 'ASK_TIMEOUT']);
    }
    expect(store.last).to.equal(0);
  });
});
