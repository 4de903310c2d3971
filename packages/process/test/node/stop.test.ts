import { Simulation } from '@mezzo/process/testing';
import { expect } from 'chai';

import { First, Listener, Text } from '../transport/processes.ts';
import { deadLetters } from '../transport/worlds.ts';

describe('a node that stops', () => {
  it('waits for a peer that takes what is due to it slowly, however long that is', async () => {
    // There and back takes 1.4 s, and 8 MB are on the way at once.
    await using world = new Simulation({ latency: [700, 700] });
    const [a, b] = [await world.start('a'), await world.start('b')];
    const listener = new Listener('listener');
    b.spawn(listener);
    const letters = deadLetters(a);
    for (let part = 0; part < 40; part++) a.send(a.pid('listener@b'), Text, 'x'.repeat(1_000_000));
    a.send(a.pid('listener@b'), First, { n: 1 });
    await world.advanceUntil(() => listener.heard.length > 0, '10s');
    const before = world.clock.now();
    const stopped = a.stop();
    await world.advanceUntil(() => !stopped.isPending, '5mins');
    expect(world.clock.now() - before).to.be.greaterThan(2000);
    expect(listener.heard).to.have.length(41);
    expect(letters).to.deep.equal([]);
  });

  it('waits for a peer that the broker has just cut off and that comes back', async () => {
    await using world = new Simulation({ latency: [1, 5] });
    const [a, b] = [await world.start('a'), await world.start('b')];
    const listener = new Listener('listener');
    b.spawn(listener);
    a.send(a.pid('listener@b'), First, { n: 1 });
    await world.advanceUntil(() => listener.heard.length === 1, '1s');
    world.network.disconnect('b');
    a.send(a.pid('listener@b'), First, { n: 2 });
    // The broker says that nobody listens there.
    await world.advance('100ms');
    const letters = deadLetters(a);
    const stopped = a.stop();
    await world.advance('500ms');
    expect(stopped.isPending).to.equal(true);
    world.network.reconnect('b');
    await world.advanceUntil(() => !stopped.isPending, '5s');
    expect(listener.heard).to.have.length(2);
    expect(letters).to.deep.equal([]);
  });

  it('waits no longer than 2 s for one that takes nothing', async () => {
    await using world = new Simulation();
    const [a, b] = [await world.start('a'), await world.start('b')];
    const listener = new Listener('listener');
    b.spawn(listener);
    a.send(a.pid('listener@b'), First, { n: 1 });
    await world.advanceUntil(() => listener.heard.length === 1, '1s');
    world.network.partition('a', 'b');
    a.send(a.pid('listener@b'), First, { n: 2 });
    const before = world.clock.now();
    const stopped = a.stop();
    await world.advanceUntil(() => !stopped.isPending, '5mins');
    expect(world.clock.now() - before).to.be.within(2000, 4001);
  });
});
