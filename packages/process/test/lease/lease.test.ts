import { type PID, ProcessError, type Runtime } from '@mezzo/process';
import { type LeaseRecord, LeaseServer, type LeaseStore, memoryLease, remoteLease } from '@mezzo/process/lease';
import { Simulation } from '@mezzo/process/testing';
import { expect } from 'chai';
import { LeaseChanged, WriteLease } from '../../src/lease/lease-messages.ts';

interface Setting {
  readonly world: Simulation;
  readonly backing: LeaseStore;
  readonly lease: LeaseStore;
  readonly here: Runtime;
}

async function served(): Promise<Setting> {
  const world = new Simulation();
  const backing = memoryLease({ created: 7 });
  await world.start('store', { boot: (runtime) => void runtime.spawn(new LeaseServer(backing)) });
  const here = await world.start('here');
  return { world, backing, here, lease: remoteLease(here, here.pid('lease@store')) };
}

async function local(): Promise<Setting> {
  const world = new Simulation();
  const backing = memoryLease({ created: 7 });
  return { world, backing, lease: backing, here: await world.start('here') };
}

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

/** What a future comes to while the world goes on; the code of a failure. */
async function outcome<T>(
  world: Simulation,
  future: PromiseLike<T> & { readonly isPending: boolean },
): Promise<T | string> {
  await world.advanceUntil(() => !future.isPending, '1mins');
  try {
    return await future;
  } catch (error) {
    if (error instanceof ProcessError) return error.code;
    throw error;
  }
}

for (const [name, make] of [
  ['a lease in memory', local],
  ['a lease of another node', served],
] as const) {
  describe(name, () => {
    it('begins at revision 0 without a value, and knows when it was made', async () => {
      const { world, lease } = await make();
      await using _ = world;
      expect(await outcome(world, lease.created())).to.equal(7);
      expect(await outcome(world, lease.read())).to.deep.equal({ value: undefined, revision: 0 });
    });

    it('is replaced by whoever names its newest revision, and by nobody else', async () => {
      const { world, lease } = await make();
      await using _ = world;
      expect(await outcome(world, lease.write(0, bytes(1)))).to.equal(1);
      expect(await outcome(world, lease.write(0, bytes(2)))).to.equal('LEASE_LOST');
      expect(await outcome(world, lease.write(2, bytes(2)))).to.equal('LEASE_LOST');
      expect(await outcome(world, lease.read())).to.deep.equal({ value: bytes(1), revision: 1 });
      expect(await outcome(world, lease.write(1, bytes(3)))).to.equal(2);
      expect(await outcome(world, lease.read())).to.deep.equal({ value: bytes(3), revision: 2 });
    });

    it('is given back with a revision of its own', async () => {
      const { world, lease } = await make();
      await using _ = world;
      await outcome(world, lease.write(0, bytes(1)));
      expect(await outcome(world, lease.write(1, undefined))).to.equal(2);
      expect(await outcome(world, lease.read())).to.deep.equal({ value: undefined, revision: 2 });
    });

    it('tells whoever watches of each write, until that is cancelled', async () => {
      const { world, lease, backing } = await make();
      await using _ = world;
      const seen: LeaseRecord[] = [];
      const subscription = lease.watch((record) => void seen.push(record));
      await world.advance('1s');
      seen.length = 0;
      await outcome(world, backing.write(0, bytes(1)));
      await outcome(world, lease.write(1, undefined));
      await world.advance('1s');
      expect(seen).to.deep.equal([
        { value: bytes(1), revision: 1 },
        { value: undefined, revision: 2 },
      ]);
      subscription.cancel();
      await world.advance('1s');
      await outcome(world, lease.write(2, bytes(3)));
      await world.advance('1s');
      expect(seen).to.have.length(2);
    });

    it('keeps what was written, whatever becomes of the bytes that were given', async () => {
      const { world, lease } = await make();
      await using _ = world;
      const given = bytes(1, 2);
      await outcome(world, lease.write(0, given));
      given.fill(9);
      expect(await outcome(world, lease.read())).to.deep.equal({ value: bytes(1, 2), revision: 1 });
    });
  });
}

describe('a lease of another node', () => {
  it('is unavailable while the node cannot be reached', async () => {
    const { world, lease } = await served();
    await using _ = world;
    world.network.partition('here', 'store');
    expect(await outcome(world, lease.created())).to.equal('LEASE_UNAVAILABLE');
    expect(await outcome(world, lease.read())).to.equal('LEASE_UNAVAILABLE');
    expect(await outcome(world, lease.write(0, bytes(1)))).to.equal('LEASE_UNAVAILABLE');
  });

  it('is unavailable when its store is', async () => {
    const failing: LeaseStore = {
      ...wrap(memoryLease()),
      read: () => lost().read(),
      write: () => lost().write(0, undefined),
    };
    await using world = new Simulation();
    (await world.start('store')).spawn(new LeaseServer(failing, 'mine'));
    const here = await world.start('here');
    const lease = remoteLease(here, here.pid('mine@store'));
    expect(await outcome(world, lease.created())).to.equal('LEASE_UNAVAILABLE');
    expect(await outcome(world, lease.read())).to.equal('LEASE_UNAVAILABLE');
    expect(await outcome(world, lease.write(0, bytes(1)))).to.equal('LEASE_UNAVAILABLE');

    function lost(): LeaseStore {
      return remoteLease(here, here.pid('nobody@here'));
    }
  });

  it('tells a watcher what it missed while the node was away', async () => {
    const { world, lease, backing } = await served();
    await using _ = world;
    const seen: LeaseRecord[] = [];
    lease.watch((record) => void seen.push(record));
    await world.advance('1s');
    expect(seen).to.deep.equal([{ value: undefined, revision: 0 }]);
    world.crash('store');
    await outcome(world, backing.write(0, bytes(1)));
    await outcome(world, backing.write(1, bytes(2)));
    await world.advance('10s');
    await world.restart('store');
    await world.advance('10s');
    expect(seen.at(-1)).to.deep.equal({ value: bytes(2), revision: 2 });
    await outcome(world, lease.write(2, bytes(3)));
    await world.advance('1s');
    expect(seen.at(-1)).to.deep.equal({ value: bytes(3), revision: 3 });
  });

  it('is not told by others what became of it', async () => {
    const { world, lease, here } = await served();
    await using _ = world;
    const seen: LeaseRecord[] = [];
    lease.watch((record) => void seen.push(record));
    await world.advance('1s');
    const watcher = here.processes.find((id) => id.startsWith('lease-watcher')) ?? '';
    const forger = await world.start('forger');
    const to: PID = forger.pid(`${watcher}@here`);
    forger.send(to, LeaseChanged, { revision: 9, value: bytes(9) });
    await world.advance('1s');
    expect(seen).to.have.length(1);
  });

  it('takes no value above 64 KB from the wire', async () => {
    const { world, here, lease } = await served();
    await using _ = world;
    const value = new Uint8Array(65_537);
    here.send(here.pid('lease@store'), WriteLease, { expected: 0, value });
    await world.advance('1s');
    expect(await outcome(world, lease.read())).to.deep.equal({ value: undefined, revision: 0 });
  });
});

/** A store as an object whose operations can be replaced. */
function wrap(store: LeaseStore): LeaseStore {
  return {
    created: () => store.created(),
    read: () => store.read(),
    write: (expected, value) => store.write(expected, value),
    watch: (changed) => store.watch(changed),
  };
}
