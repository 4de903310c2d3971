import { type Future, message, type PID, Process, type Runtime, type WireSchema } from '@mezzo/process';
import { type FaultRates, SeededRandom, SimulatedDisk, Simulation } from '@mezzo/process/testing';
import { expect } from 'chai';

const schema = <T>(): WireSchema<T> => ({
  '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value: value as T }) },
});
const Note = message('note', schema<string>());

class Listener extends Process {
  readonly heard: string[] = [];
  protected override initialize(): void {
    this.install(Note, (text) => void this.heard.push(`${text} at ${Math.round(this.clock.now())}`));
  }
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (data: Uint8Array | undefined): string | undefined => data && new TextDecoder().decode(data);

describe('simulated faults', () => {
  let world: Simulation;

  beforeEach(() => {
    world = new Simulation({ start: 0, record: 'frames' });
  });
  afterEach(async () => {
    await world.stop();
  });

  async function listener(name: string): Promise<{ runtime: Runtime; process: Listener; pid: PID }> {
    const process = new Listener('listener');
    const runtime = await world.start(name);
    const pid = runtime.spawn(process);
    return { runtime, process, pid };
  }

  it('a paused node does nothing until it is resumed; then its timers come first, late', async () => {
    const a = await listener('a');
    const b = await listener('b');
    a.runtime.send(b.runtime.pid('listener@b'), Note, 'before');
    await world.advance(10);
    const fired: number[] = [];
    a.runtime.clock.timer(100, () => fired.push(world.clock.now()));
    const cancelled = a.runtime.clock.timer(200, () => fired.push(-1));
    const written = a.runtime.files.replace('/file', 'x');
    world.pause('a');
    b.runtime.send(b.runtime.pid('listener@a'), Note, 'question');
    await world.advance(1000);
    expect([fired, a.process.heard, written.isPending]).to.deep.equal([[], [], true]);
    expect(cancelled.cancel()).to.equal(true);
    world.resume('a');
    await world.advance(10);
    expect([fired, written.isReady]).to.deep.equal([[1010], true]);
    expect(a.process.heard).to.deep.equal(['question at 1010']);
  });

  it('a clock that is ahead and fast shows so and fires early; its offset changes with the next start', async () => {
    world.skew('a', { offset: 5000, drift: 0.25 });
    const { runtime } = await listener('a');
    const fired: number[] = [];
    runtime.clock.timer(1000, () => fired.push(world.clock.now(), runtime.clock.now()));
    await world.advance(1000);
    expect(fired).to.deep.equal([800, 6000]);
    expect(runtime.clock.now()).to.equal(6250);
    world.skew('a', { offset: -100 });
    expect(runtime.clock.now()).to.equal(6250);
    await world.advance(1000);
    expect(runtime.clock.now()).to.equal(7250);
    world.crash('a');
    expect((await world.restart('a')).clock.now()).to.equal(1900);
  });

  it('partitions sets of nodes, in one direction if so wanted, and heals one without the other', async () => {
    const [a, b, c] = [await listener('a'), await listener('b'), await listener('c')];
    for (const { runtime } of [a, b, c]) runtime.listen('topic', () => {});
    const first = world.network.partition('a', ['b', 'c'], { oneWay: true });
    const second = world.network.partition(['a', 'b'], 'c');
    const lost = (): readonly string[] =>
      world.recorded.records.flatMap((one) =>
        one.kind === 'frame' && one.lost === 'partition' ? [`${one.from}${one.to}`] : [],
      );
    const everybodyGreets = async (): Promise<void> => {
      for (const { runtime } of [a, b, c]) runtime.announce('topic', bytes('hello'));
      await world.settle();
    };
    await everybodyGreets();
    expect(lost()).to.have.members(['ab', 'ac', 'bc', 'ca', 'cb']);
    first.heal();
    first.heal();
    await everybodyGreets();
    expect(lost().slice(5)).to.have.members(['ac', 'bc', 'ca', 'cb']);
    world.network.heal('b', 'c');
    await everybodyGreets();
    expect(lost().slice(9)).to.have.members(['ac', 'ca']);
    second.heal();
    await everybodyGreets();
    expect(lost()).to.have.length(11);
  });

  it('a broken connection loses what was on it: the tail of what was sent, the head of what was to come', async () => {
    const slow = new Simulation({ start: 0, record: 'frames', fate: () => ({ delay: 100 }) });
    const [a, b] = [await slow.start('a'), await slow.start('b')];
    const heard: string[] = [];
    b.listen('topic', (data) => heard.push(`b ${text(data)}`));
    for (let count = 0; count < 4; count++) {
      a.announce('topic', bytes(String(count)));
      await slow.advance(30);
    }
    // Sent at 0, 30, 60 and 90; it is 120: what was sent at 90 has not reached the broker, what was sent at 0 has arrived.
    slow.network.disconnect('a');
    slow.network.reconnect('a');
    await slow.advance(1000);
    expect(heard).to.deep.equal(['b 0', 'b 1', 'b 2']);
    heard.length = 0;
    for (let count = 0; count < 4; count++) {
      a.announce('topic', bytes(String(count)));
      await slow.advance(30);
    }
    slow.network.disconnect('b');
    slow.network.reconnect('b');
    await slow.advance(1000);
    expect(heard).to.deep.equal(['b 0', 'b 3']);
    await slow.stop();
  });

  it('whoever wants to reconnect while the broker is down comes back with it', async () => {
    await world.start('a');
    world.network.disconnect('a');
    world.network.killBroker();
    world.network.reconnect('a');
    expect(world.network.isConnected('a')).to.equal(false);
    world.network.startBroker();
    expect(world.network.isConnected('a')).to.equal(true);
  });

  describe('a disk', () => {
    let runtime: Runtime;
    beforeEach(async () => {
      runtime = await world.start('a');
    });
    const done = async (future: Future<unknown>): Promise<void> => {
      await world.advance('2s');
      expect(future.isReady, future.toString()).to.equal(true);
    };
    const refused = async (future: Future<unknown>): Promise<unknown> => {
      await world.advance('2s');
      const error: unknown = future.failure();
      return error instanceof Error && 'code' in error ? error.code : error;
    };

    it('keeps through a loss of power what was synced, and a part of what was appended', async () => {
      const tails = new Set<number>();
      for (let round = 0; round < 60; round++) {
        await done(runtime.files.replace('/file', 'synced'));
        await done(runtime.files.append('/file', ' and appended'));
        world.crash('a');
        expect(world.machine('a').files.peek('/file')).to.equal('synced and appended');
        world.losePower('a');
        const left = world.machine('a').files.peek('/file') ?? '';
        expect('synced and appended'.startsWith(left.replaceAll('\0', '')), left).to.equal(true);
        expect(left.startsWith('synced')).to.equal(true);
        tails.add(left.replaceAll('\0', '').length);
        runtime = await world.restart('a');
      }
      expect(tails.size).to.be.greaterThan(8);
    });

    it('has written after a while what nobody synced, and may bring back what was just removed', async () => {
      for (let file = 0; file < 20; file++) await done(runtime.files.append(`/old/${file}`, 'appended long ago'));
      await world.advance('35s');
      for (let file = 0; file < 40; file++) await done(runtime.files.replace(`/removed/${file}`, 'x'));
      world.losePower('a');
      for (let file = 0; file < 20; file++)
        expect(world.machine('a').files.peek(`/old/${file}`)).to.equal('appended long ago');
      runtime = await world.restart('a');
      await done(runtime.files.remove('/removed'));
      world.losePower('a');
      const back = world.machine('a').disk.list('/removed') ?? [];
      expect(back.length).to.be.within(5, 35);
    });

    it('that is full takes what fits of an append, and nothing of a replacement', async () => {
      const { disk } = world.machine('a');
      await done(runtime.files.replace('/file', '1234'));
      disk.capacity = 8;
      expect(await refused(runtime.files.append('/file', '567890'))).to.equal('ENOSPC');
      expect(await refused(runtime.files.replace('/other', 'x'))).to.equal('ENOSPC');
      expect([text(disk.read('/file')), disk.read('/other'), disk.used]).to.deep.equal(['12345678', undefined, 8]);
      await done(runtime.files.remove('/file'));
      await done(runtime.files.replace('/other', 'x'));
      expect(disk.used).to.equal(1);
    });

    it('that is slow takes its time; a crash meanwhile leaves a write done, not done, or done in part', async () => {
      world.machine('a').disk.latency = [100, 200];
      const written = runtime.files.replace('/file', 'x');
      await world.advance(99);
      expect(written.isPending).to.equal(true);
      await world.advance(101);
      expect(written.isReady).to.equal(true);
      const [replaced, appended] = [new Set<string | undefined>(), new Set<string | undefined>()];
      for (let round = 0; round < 60; round++) {
        const { files } = world.machine('a');
        files.write('/replaced', 'old');
        files.write('/appended', '');
        runtime.files.replace('/replaced', 'new').onAny(() => expect.fail('the dead hear nothing'));
        runtime.files.append('/appended', 'abcd').onAny(() => expect.fail('the dead hear nothing'));
        world.crash('a');
        replaced.add(files.peek('/replaced'));
        appended.add(files.peek('/appended'));
        runtime = await world.restart('a');
        await world.advance('1s');
      }
      expect([...replaced]).to.have.members(['old', 'new']);
      expect([...appended]).to.include.members(['', 'ab', 'abcd']);
    });

    it('counts what is on it, whatever happens to it', () => {
      const disk = new SimulatedDisk(new SeededRandom(1));
      const chance = new SeededRandom(2);
      for (let step = 0; step < 2000; step++) {
        const path = `/f${Math.floor(chance.next() * 5)}`;
        const what = chance.next();
        if (what < 0.4) disk.append(path, chance.bytes(Math.floor(chance.next() * 100)), step * 1000);
        else if (what < 0.7)
          disk.replace(path, chance.bytes(Math.floor(chance.next() * 100)), step * 1000, what < 0.55);
        else if (what < 0.9) disk.remove(path, step * 1000);
        else disk.losePower(step * 1000);
        const sum = (disk.list('/') ?? []).reduce((total, name) => total + (disk.stat(`/${name}`)?.size ?? 0), 0);
        expect(disk.used).to.equal(sum);
      }
    });
  });

  it('a loss of power ends children without a word, and the machine has another boot id', async () => {
    const runtime = await world.start('a');
    const { bootId } = runtime.children;
    const command = { file: 'x', arguments: [], folder: '/', environment: {}, stdout: '/o', stderr: '/e' };
    const child = runtime.children.spawn(command);
    await world.settle();
    expect(child.isReady).to.equal(true);
    world.losePower('a');
    expect(world.machine('a').children.running).to.deep.equal([]);
    expect((await world.restart('a')).children.bootId).to.not.equal(bootId);
  });

  describe('drawn from the seed', () => {
    const rates: FaultRates = {
      crash: 6,
      power: 6,
      pause: 6,
      partition: 6,
      disconnect: 6,
      broker: 6,
      disk: 6,
      clock: 6,
    };
    const nodes = ['a', 'b', 'c'];

    async function chaos(faults: FaultRates, then: (world: Simulation) => Promise<void> | void): Promise<string> {
      const chaotic = new Simulation({ seed: 5, latency: [1, 10], faults, record: 'events', onError: () => {} });
      for (const name of nodes) await chaotic.start(name, { boot: (runtime) => void runtime.spawn(new Listener('l')) });
      await chaotic.advance('10mins');
      await then(chaotic);
      const { history } = chaotic;
      await chaotic.stop();
      return history;
    }

    it('come in every kind, about as often as asked for, and end; calm ends them all', async () => {
      const history = await chaos({ ...rates, lasting: ['1s', '5s'] }, async (world) => {
        world.calm();
        const { fired } = world.clock;
        await world.advance('1mins');
        expect(nodes.map((name) => world.runtime(name)?.processes)).to.deep.equal([['l'], ['l'], ['l']]);
        expect(nodes.map((name) => world.network.isConnected(name))).to.deep.equal([true, true, true]);
        world.note('calm');
        // No fault, and nobody talks to anybody.
        expect(world.clock.fired - fired).to.be.lessThan(100);
        await world.advance('10mins');
      });
      const [stormy = '', quiet = ''] = history.split('# calm');
      expect(quiet).to.not.match(/crash|partition|frozen|disk|disconnected|clock|killed/);
      for (const what of [
        'crash',
        'power lost',
        'frozen [abc]',
        'partition .*\\|',
        'partition .*->',
        'disconnected',
        'frozen the broker',
        'killed the broker',
        'disk of . slow',
        'disk of . full',
        'disk of . failing',
        'clock of',
      ])
        expect(stormy.match(new RegExp(`! ${what}`, 'g'))?.length ?? 0, what).to.be.within(3, 200);
      const crashes = stormy.match(/! crash/g)?.length ?? 0;
      // Of 120 drawn; a node that is down cannot crash.
      expect(crashes).to.be.within(60, 140);
      expect((stormy.match(/! start /g)?.length ?? 0) - nodes.length).to.be.within(crashes - nodes.length, crashes);
    });

    it('end at once when the world is calmed', async () => {
      await chaos({ ...rates, lasting: ['8mins', '9mins'] }, async (world) => {
        const disks = nodes.map((name) => world.machine(name).disk);
        const troubled = (): number =>
          nodes.filter((name) => world.runtime(name) === undefined || !world.network.isConnected(name)).length +
          disks.filter(
            ({ capacity, failWrites, latency }) => latency[1] > 0 || capacity < 1e9 || failWrites !== undefined,
          ).length;
        expect(troubled()).to.be.greaterThan(2);
        world.calm();
        await world.advance('2s');
        expect(troubled()).to.equal(0);
        const heard = new Set<string>();
        for (const name of nodes) world.runtime(name)?.listen('topic', (data) => heard.add(`${text(data)}${name}`));
        for (const name of nodes) world.runtime(name)?.announce('topic', bytes(name));
        await world.advance('1s');
        expect(heard.size).to.equal(9);
      });
    });

    it('spare nodes that were not named, and nodes that could not boot again', async () => {
      const history = await chaos({ crash: 20, pause: 20, nodes: ['b'] }, async (world) => {
        await world.start('b2', {});
      });
      expect(history)
        .to.match(/crash b/)
        .and.match(/frozen b/);
      expect(history).to.not.match(/crash [ac]|frozen [ac]/);
      const lonely = new Simulation({ faults: { crash: 60 }, record: 'events' });
      await lonely.start('a');
      await lonely.advance('10mins');
      expect(lonely.history).to.not.include('crash');
      await lonely.stop();
    });
  });
});
