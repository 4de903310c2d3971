import { expect } from 'chai';
import {
  dispatch,
  type LocalPID,
  Members,
  PID,
  Process,
  ProcessError,
  Registry,
  type RegistryOptions,
  Runtime,
  Supervisor,
} from '@mezzo/process';
import { intercept, Simulation } from '@mezzo/process/testing';

import { Change, Follow, State } from '../../src/group/registry-messages.ts';
import { Adder, Listener, Text } from '../transport/processes.ts';
import { inEveryWorld, outcome, type World } from '../transport/worlds.ts';

/** The members of a name as a node sees them, sorted. */
const seen = async (runtime: Runtime, name: string): Promise<string[]> =>
  (await dispatch(Registry.of(runtime), (registry) => registry.lookup(name))).map(String).sort();

const register = (runtime: Runtime, name: string, pid: PID) =>
  runtime.dispatch(Registry.of(runtime), (registry) => registry.register(name, pid));

class Subscriber extends Process {
  readonly heard: string[][] = [];
  protected override initialize(): void {
    this.install(Members, ({ members }) => void this.heard.push(members.map(String).sort()));
    this.runtime.dispatch(Registry.of(this.runtime), (registry) => registry.subscribe('adders', this.self));
  }
}

describe('Registry', () => {
  let world: Simulation;
  beforeEach(() => {
    world = new Simulation({ latency: [1, 5] });
  });
  afterEach(async () => {
    await world.stop();
  });

  const start = async (name: string, options?: RegistryOptions): Promise<Runtime> => {
    const runtime = await world.start(name, { onError: () => {} });
    if (options === undefined) Registry.of(runtime);
    else runtime.spawn(new Registry(options));
    return runtime;
  };

  describe('on one node', () => {
    let runtime: Runtime;
    let registry: LocalPID<Registry>;
    beforeEach(async () => {
      runtime = await start('node');
      registry = Registry.of(runtime);
    });

    it('is one per runtime', () => {
      expect(Registry.of(runtime)).to.equal(registry);
      expect(runtime.processes).to.deep.equal(['registry']);
    });

    it('finds the members of a name, each once, until they are taken out or end', async () => {
      const pids = ['a', 'b', 'c'].map((id) => runtime.spawn(new Adder(id)));
      for (const pid of [...pids, ...pids]) await register(runtime, 'adders', pid);
      await register(runtime, 'adders', runtime.pid('a'));
      expect(await seen(runtime, 'adders')).to.deep.equal(['a@node', 'b@node', 'c@node']);
      expect(await dispatch(registry, (one) => one.unregister('adders', runtime.pid('b')))).to.equal(true);
      expect(await dispatch(registry, (one) => one.unregister('adders', runtime.pid('b')))).to.equal(false);
      runtime.terminate(runtime.pid('c'));
      await world.settle();
      expect(await seen(runtime, 'adders')).to.deep.equal(['a@node']);
      expect(await dispatch(registry, (one) => one.names())).to.deep.equal(['adders']);
      runtime.terminate(runtime.pid('a'));
      await world.settle();
      expect(await dispatch(registry, (one) => one.names())).to.deep.equal([]);
    });

    it('gives exact addresses: a successor of the same id is no member', async () => {
      await register(runtime, 'adders', runtime.spawn(new Adder('a')));
      const [member] = await dispatch(registry, (one) => one.lookup('adders'));
      expect(member?.equals(runtime.cell('a')?.pid ?? runtime.nobody)).to.equal(true);
      runtime.terminate(runtime.pid('a'));
      await world.settle();
      runtime.spawn(new Adder('a'));
      expect(await seen(runtime, 'adders')).to.deep.equal([]);
    });

    it('gives one member by chance', async () => {
      expect(await dispatch(registry, (one) => one.one('adders'))).to.equal(undefined);
      for (const id of ['a', 'b', 'c']) await register(runtime, 'adders', runtime.spawn(new Adder(id)));
      const found = new Set<string | undefined>();
      for (let round = 0; round < 50; round++) found.add((await dispatch(registry, (one) => one.one('adders')))?.id);
      expect([...found]).to.have.members(['a', 'b', 'c']);
    });

    it('refuses bad names, processes of other nodes, and those that are not there', async () => {
      const adder = runtime.spawn(new Adder('a'));
      const codes: string[] = [];
      for (const [name, pid] of [
        ['', adder],
        ['x'.repeat(256), adder],
        ['adders', runtime.pid('a@other')],
        ['adders', runtime.pid('nobody')],
        ['adders', new PID('a', 'node', runtime.incarnation, 999)],
      ] as const) {
        const outcome = register(runtime, name, pid);
        await world.settle();
        const error = outcome.failure();
        codes.push(error instanceof ProcessError ? error.code : 'none');
      }
      expect(codes).to.deep.equal(['NAME_INVALID', 'NAME_INVALID', ...Array<string>(3).fill('PROCESS_NOT_FOUND')]);
      expect(await dispatch(registry, (one) => one.names())).to.deep.equal([]);
    });

    it('takes 65,536 entries of a node and refuses further ones', async () => {
      const adder = runtime.spawn(new Adder('a'));
      const refusals = await dispatch(registry, (one) => {
        const outcomes = Array.from({ length: 2 ** 16 + 2 }, (_, n) => one.register(`name ${n}`, adder));
        return outcomes.flatMap((outcome, n) => (outcome.isReady ? [] : [[n, outcome.failure()] as const]));
      });
      expect(refusals.map(([n]) => n)).to.deep.equal([2 ** 16, 2 ** 16 + 1]);
      expect(refusals[0]?.[1]).to.have.property('code', 'REGISTRY_FULL');
    });

    it('tells subscribers the members now and at each change, until they end or unsubscribe', async () => {
      const subscriber = new Subscriber('subscriber');
      const pid = runtime.spawn(subscriber);
      await world.settle();
      await register(runtime, 'adders', runtime.spawn(new Adder('a')));
      await register(runtime, 'adders', runtime.pid('a'));
      await register(runtime, 'others', runtime.spawn(new Adder('b')));
      runtime.terminate(runtime.pid('a'));
      await world.settle();
      expect(subscriber.heard).to.deep.equal([[], ['a@node'], []]);
      await dispatch(registry, (one) => one.unsubscribe('adders', pid));
      await register(runtime, 'adders', runtime.pid('b'));
      await world.settle();
      expect(subscriber.heard).to.have.length(3);
    });

    it('tells of changes that come together once', async () => {
      const subscriber = new Subscriber('subscriber');
      runtime.spawn(subscriber);
      await world.settle();
      const pids = ['a', 'b', 'c'].map((id) => runtime.spawn(new Adder(id)));
      await dispatch(registry, (one) => pids.forEach((pid) => void one.register('adders', pid)));
      await world.settle();
      expect(subscriber.heard).to.deep.equal([[], ['a@node', 'b@node', 'c@node']]);
    });

    it('does not send to a subscriber that has ended', async () => {
      const letters: string[] = [];
      runtime.onDeadLetter(({ name }) => void letters.push(name));
      const pid = runtime.spawn(new Subscriber('subscriber'));
      await world.settle();
      runtime.terminate(pid);
      await world.settle();
      await register(runtime, 'adders', runtime.spawn(new Adder('a')));
      await world.settle();
      expect(letters).to.deep.equal([]);
    });

    it('works without a transport', async () => {
      const alone = await Runtime.start();
      const adder = alone.spawn(new Adder('a'));
      await register(alone, 'adders', adder);
      expect(await dispatch(Registry.of(alone), (one) => one.lookup('adders'))).to.deep.equal([adder]);
      await alone.stop();
    });
  });

  describe('on many nodes', () => {
    const add = async (runtime: Runtime, id: string, name = 'adders'): Promise<LocalPID<Adder>> => {
      const pid = runtime.spawn(new Adder(id));
      await register(runtime, name, pid);
      return pid;
    };
    const everywhere = async (runtimes: readonly Runtime[], name = 'adders'): Promise<string[]> => {
      const views = await Promise.all(runtimes.map((runtime) => seen(runtime, name)));
      for (const view of views) expect(view).to.deep.equal(views[0]);
      return views[0] ?? [];
    };

    it('knows the members of all nodes at once, those of earlier and those of later registration', async () => {
      const a = await start('a');
      await add(a, 'x');
      const b = await start('b');
      const c = await start('c');
      await add(b, 'y');
      await world.advance('1s');
      await add(c, 'z');
      await world.advance('100ms');
      expect(await everywhere([a, b, c])).to.deep.equal(['x@a', 'y@b', 'z@c']);
      await dispatch(Registry.of(b), (one) => one.unregister('adders', b.pid('y')));
      c.terminate(c.pid('z'));
      await world.advance('100ms');
      expect(await everywhere([a, b, c])).to.deep.equal(['x@a']);
    });

    it("tells subscribers of other nodes' members, also of those that are lost with their node", async () => {
      const a = await start('a');
      const b = await start('b');
      const subscriber = new Subscriber('subscriber');
      a.spawn(subscriber);
      await add(b, 'x');
      await world.advance('1s');
      world.crash('b');
      await world.advance('10s');
      expect(subscriber.heard).to.deep.equal([[], ['x@b'], []]);
    });

    it('removes the members of a node that stops at once, and finds the node again when it comes back', async () => {
      const a = await start('a');
      const b = await start('b');
      await add(b, 'x');
      await world.advance('1s');
      const stopped = b.stop();
      await world.advanceUntil(() => !stopped.isPending, '1s');
      await world.advance('100ms');
      expect(await everywhere([a])).to.deep.equal([]);
      const again = await start('b');
      await add(again, 'y');
      await world.advance('1s');
      expect(await everywhere([a, again])).to.deep.equal(['y@b']);
    });

    it('leaves a peer that stops in peace: no dead letter there or here', async () => {
      const letters: string[] = [];
      const [a, b, c] = [await start('a'), await start('b'), await start('c')];
      for (const runtime of [a, b, c])
        runtime.onDeadLetter(({ reason, name }) => void letters.push(`${runtime.name}: ${reason} ${name}`));
      await world.advance('1s');
      expect(await dispatch(Registry.of(a), (one) => one.nodes())).to.have.members(['b', 'c']);
      const stopped = b.stop();
      await world.advanceUntil(() => !stopped.isPending, '1s');
      await world.advance('20s');
      expect(letters).to.deep.equal([]);
      expect(await dispatch(Registry.of(a), (one) => one.nodes())).to.deep.equal(['c']);
    });

    it('finds a registry again that was ended and started anew on a living node', async () => {
      const [a, b] = [await start('a'), await start('b')];
      await add(b, 'x');
      await world.advance('1s');
      b.terminate(Registry.of(b));
      await world.settle();
      Registry.of(b);
      await world.advance('6s');
      expect(await everywhere([a, b])).to.deep.equal(['x@b']);
    });

    it('parts and comes together again when a partition begins and heals', async () => {
      const [a, b, c] = [await start('a'), await start('b'), await start('c')];
      for (const [runtime, id] of [
        [a, 'x'],
        [b, 'y'],
        [c, 'z'],
      ] as const)
        await add(runtime, id);
      await world.advance('1s');
      world.network.partition('a', 'b');
      world.network.partition('a', 'c');
      await world.advance('10s');
      expect(await everywhere([a])).to.deep.equal(['x@a']);
      expect(await everywhere([b, c])).to.deep.equal(['y@b', 'z@c']);
      await add(a, 'x2');
      b.terminate(b.pid('y'));
      world.network.heal('a', 'b');
      world.network.heal('a', 'c');
      await world.advance('15s');
      expect(await everywhere([a, b, c])).to.deep.equal(['x2@a', 'x@a', 'z@c']);
    });

    it('recovers from the crash of a registry: its successor knows the members of both nodes', async () => {
      const a = await start('a');
      const b = await world.start('b', { onError: () => {} });
      b.spawn(new Supervisor('boss', { children: [{ id: 'registry', start: () => new Registry() }] }));
      await world.settle();
      await add(a, 'x');
      await add(b, 'y');
      await world.advance('1s');
      void b.dispatch(Registry.of(b), () => {
        throw new Error('a fault');
      });
      await world.advance('1s');
      expect(await everywhere([a, b])).to.deep.equal(['x@a', 'y@b']);
      b.terminate(b.pid('y'));
      await world.advance('1s');
      expect(await everywhere([a, b])).to.deep.equal(['x@a']);
    });

    it('keeps to registries of its own topic', async () => {
      const a = await start('a', { topic: 'blue' });
      const b = await start('b', { topic: 'red' });
      const c = await start('c', { topic: 'blue' });
      for (const runtime of [a, b, c]) await add(runtime, 'x');
      await world.advance('10s');
      expect(await everywhere([a, c])).to.deep.equal(['x@a', 'x@c']);
      expect(await everywhere([b])).to.deep.equal(['x@b']);
    });

    it("asks anew for a peer's names after a change it missed", async () => {
      const a = await start('a');
      const b = await start('b');
      await add(b, 'x');
      await world.advance('1s');
      // As if our mailbox had lost one.
      const told = { name: 'adders', present: true, id: 'ghost', generation: 7 };
      void b.dispatch(Registry.of(b), (one) =>
        b.delivery.message(a.pid('registry@a'), Change, { version: 9, ...told }, one.self),
      );
      await world.advance('1s');
      expect(await everywhere([a, b])).to.deep.equal(['x@b']);
      await add(b, 'y');
      await world.advance('1s');
      expect(await everywhere([a, b])).to.deep.equal(['x@b', 'y@b']);
    });

    it('asks again when nothing came of it', async () => {
      const a = await start('a');
      const b = await start('b');
      using interception = intercept(b);
      const dropped = interception.drop.message(Follow);
      await add(b, 'x');
      await world.advance('1s');
      expect(dropped.isReady).to.equal(true);
      expect(await everywhere([a])).to.deep.equal([]);
      await world.advance('6s');
      expect(await everywhere([a, b])).to.deep.equal(['x@b']);
    });

    it('tells everything anew to a peer that could not be told of a change', async () => {
      const a = await start('a');
      const b = await start('b');
      a.spawn(new Listener('listener'));
      await world.advance('1s');
      // What waits for the session is bounded, so at some point the next message is refused.
      const listener = b.pid('listener@a');
      const limit = 200_000;
      let sent = 0;
      while (b.send(listener, Text, 'fill') && sent < limit) sent++;
      expect(sent).to.be.below(limit);
      await add(b, 'x');
      await world.advance('10s');
      expect(await everywhere([a, b])).to.deep.equal(['x@b']);
    });

    it('publishes to every member once, in the name of the publisher', async () => {
      const a = await start('a');
      const b = await start('b');
      const listeners = [new Listener('l1'), new Listener('l2'), new Listener('l3'), new Listener('l4')];
      for (const [index, listener] of listeners.entries()) {
        const runtime = index < 2 ? a : b;
        const pid = runtime.spawn(listener);
        if (index > 0) await register(runtime, 'news', pid);
      }
      await world.advance('1s');
      const from = a.spawn(new Adder('editor'));
      const count = await dispatch(Registry.of(a), (one) => one.publish('news', Text, 'hello', from));
      await world.advance('100ms');
      expect(count).to.equal(3);
      expect(listeners.map(({ bodies }) => bodies)).to.deep.equal([[], ['hello'], ['hello'], ['hello']]);
      for (const { senders } of listeners.slice(1)) expect(senders[0]?.equals(from)).to.equal(true);
    });

    it('publishes nothing to nobody', async () => {
      const a = await start('a');
      expect(await dispatch(Registry.of(a), (one) => one.publish('news', Text, 'hello'))).to.equal(0);
    });
  });

  describe('among strangers', () => {
    it('a node speaks of its own processes only, and only its registry does', async () => {
      const a = await start('a');
      const b = await start('b');
      const evil = await start('evil');
      await register(b, 'adders', b.spawn(new Adder('x')));
      await world.advance('1s');
      const version = 1;
      const target = evil.pid('registry@a');
      const forged = { name: 'adders', id: 'x', generation: b.cell('x')?.pid.generation ?? 0 };
      // From another process than the registry: not heard at all.
      const liar = evil.spawn(new Adder('liar'));
      evil.delivery.message(target, State, { version: 5, entries: [forged] }, liar);
      evil.delivery.message(target, Change, { version, present: true, ...forged }, liar);
      evil.delivery.message(target, Follow, { protocol: 1 }, liar);
      await world.advance('1s');
      expect(await seen(a, 'adders')).to.deep.equal(['x@b']);
      await register(a, 'others', a.spawn(new Adder('y')));
      await world.advance('1s');
      expect(await seen(evil, 'others')).to.deep.equal(['y@a']);
      // From the registry: it cannot take out what another node put in, and what it puts in is on its own node.
      void evil.dispatch(Registry.of(evil), ({ self }) => {
        evil.delivery.message(target, Change, { version, present: false, ...forged }, self);
        evil.delivery.message(target, Change, { version: version + 1, present: true, ...forged }, self);
      });
      await world.advance('1s');
      expect(await seen(a, 'adders')).to.deep.equal(['x@b', 'x@evil']);
      world.crash('evil');
      await world.advance('10s');
      expect(await seen(a, 'adders')).to.deep.equal(['x@b']);
    });

    it('a flood of hints costs a bounded number of sessions, and true ones come through', async () => {
      const tried = new Map<string, number>();
      await world.stop();
      world = new Simulation({
        fate: (_from, to) => {
          if (to.startsWith('fake')) tried.set(to, world.clock.now());
          return { delay: 1 };
        },
      });
      const a = await start('a', { mostAttempts: 4 });
      const evil = await world.start('evil');
      for (let second = 0; second < 20; second++) {
        for (let index = 0; index < 200; index++) {
          evil.announce('registry', new TextEncoder().encode(`fake-${second}-${index}`));
        }
        await world.advance('1s');
        const recent = [...tried.values()].filter((time) => time > world.clock.now() - 6000);
        // Four per interval of at least 4 s, each for at most the link timeout of 5 s.
        expect(recent.length).to.be.at.most(12);
      }
      expect(tried.size).to.be.within(8, 24);
      const b = await start('b');
      await register(b, 'adders', b.spawn(new Adder('x')));
      await world.advance('1mins');
      expect(await seen(a, 'adders')).to.deep.equal(['x@b']);
    });

    it('a flood of hints does not fill the mailbox', async () => {
      const a = await start('a');
      const evil = await world.start('evil');
      let deepest = 0;
      a.interceptor = (_event, to) => {
        deepest = Math.max(deepest, a.cell(to.id)?.depth ?? 0);
        return 'serve';
      };
      for (let index = 0; index < 5000; index++) evil.announce('registry', new TextEncoder().encode(`fake-${index}`));
      await world.advance('1s');
      expect(deepest).to.be.within(10, 100);
    });

    it('what is no name of a node is ignored', async () => {
      const tried = new Set<string>();
      await world.stop();
      world = new Simulation({
        fate: (_from, to) => {
          tried.add(to);
          return { delay: 1 };
        },
      });
      await start('a');
      const evil = await world.start('evil');
      for (const text of ['', 'a.b', 'x y', '*', '>', 'n'.repeat(129), 'name', 'a']) {
        evil.announce('registry', new TextEncoder().encode(text));
      }
      evil.announce('registry', Uint8Array.of(0xff, 0xfe));
      await world.advance('1s');
      expect([...tried]).to.deep.equal(['a']);
    });

    it('has no more peers than it may', async () => {
      const a = await start('a', { mostPeers: 2 });
      for (const name of ['b', 'c', 'd', 'e']) await start(name);
      await world.advance('30s');
      expect(await dispatch(Registry.of(a), (one) => one.nodes())).to.have.length(2);
    });
  });

  it('comes to the same view everywhere, whatever happened before', async function () {
    this.timeout(60_000);
    for (let seed = 1; seed <= 40; seed++) await turmoil(seed);
  });
});

/** Half a minute of partitions, crashes, restarts, registrations and ends; then peace. */
async function turmoil(seed: number): Promise<void> {
  await using world = new Simulation({ seed, latency: [1, 20] });
  const names = ['a', 'b', 'c', 'd'];
  const runtimes = new Map<string, Runtime>();
  const truth = new Map<string, Set<string>>();
  const start = async (name: string): Promise<void> => {
    const runtime = await world.start(name, { onError: () => {} });
    Registry.of(runtime);
    runtimes.set(name, runtime);
    truth.set(name, new Set());
  };
  const pick = <T>(from: readonly T[]): T | undefined => from[Math.floor(world.random.next() * from.length)];
  for (const name of names) await start(name);
  for (let step = 0; step < 60; step++) {
    const [one = 'a', other = 'b'] = [pick(names), pick(names)];
    const runtime = runtimes.get(one);
    const chance = world.random.next();
    if (chance < 0.15) world.network.partition(one, other);
    else if (chance < 0.3) world.network.heal(one, other);
    else if (chance < 0.4) {
      if (runtime === undefined) await start(one);
      else {
        world.crash(one);
        runtimes.delete(one);
        truth.delete(one);
      }
    } else if (chance < 0.45) world.network.disconnect(one);
    else if (chance < 0.5) world.network.reconnect(one);
    else if (runtime !== undefined) {
      const id = `p${Math.floor(world.random.next() * 6)}`;
      const members = truth.get(one) ?? new Set();
      if (members.has(id)) {
        runtime.terminate(runtime.pid(id));
        members.delete(id);
      } else {
        await world.settle();
        void register(runtime, `name-${step % 2}`, runtime.spawn(new Adder(id)));
        members.add(id);
      }
      truth.set(one, members);
    }
    await world.advance(world.random.next() * 1500);
  }
  for (const one of names) {
    world.network.reconnect(one);
    for (const other of names) world.network.heal(one, other);
    if (!runtimes.has(one)) await start(one);
  }
  await world.advance('40s');
  const expected = [...truth].flatMap(([node, ids]) => [...ids].map((id) => `${id}@${node}`)).sort();
  for (const [node, runtime] of runtimes) {
    const found = [...(await seen(runtime, 'name-0')), ...(await seen(runtime, 'name-1'))].sort();
    expect(found, `seed ${seed}, node ${node}`).to.deep.equal(expected);
    expect((await dispatch(Registry.of(runtime), (one) => one.nodes())).length, `seed ${seed}`).to.equal(3);
  }
}

inEveryWorld((world: World) => {
  it("Registry: nodes find each other and each other's members, and lose them", async () => {
    const a = await world.start('a');
    const b = await world.start('b');
    for (const runtime of [a, b]) runtime.spawn(new Registry({ announceInterval: '200ms' }));
    await outcome(world, register(a, 'adders', a.spawn(new Adder('x'))));
    await outcome(world, register(b, 'adders', b.spawn(new Adder('y'))));
    let views: string[][] = [];
    const look = (): void => {
      void Promise.all([a, b].map((runtime) => seen(runtime, 'adders'))).then((found) => void (views = found));
    };
    const both = JSON.stringify([
      ['x@a', 'y@b'],
      ['x@a', 'y@b'],
    ]);
    await world.until(() => {
      look();
      return JSON.stringify(views) === both;
    });
    world.crash('b');
    await world.until(() => {
      void seen(a, 'adders').then((found) => void (views = [found]));
      return JSON.stringify(views) === JSON.stringify([['x@a']]);
    });
  });
});
