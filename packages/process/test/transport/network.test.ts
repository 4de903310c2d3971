import { Network, type Transport } from '@mezzo/process';
import { VirtualClock } from '@mezzo/process/testing';
import { expect } from 'chai';

import { deaf } from './worlds.ts';

describe('the in-process network', () => {
  let clock: VirtualClock;
  let network: Network;
  let heard: string[];

  beforeEach(() => {
    clock = new VirtualClock(0);
    network = new Network({ clock });
    heard = [];
  });

  function join(name: string): Transport {
    const transport = network.transport();
    transport.start(name, 1, {
      ...deaf,
      frame: (peer, bytes) => heard.push(`${name} from ${peer}: ${Buffer.from(bytes).toString()}`),
      noResponders: (peer) => heard.push(`${name}: nobody is ${peer}`),
      connected: () => heard.push(`${name} connected`),
      disconnected: () => heard.push(`${name} disconnected`),
    });
    return transport;
  }

  const say = (transport: Transport, peer: string, text: string): void => transport.publish(peer, Buffer.from(text));

  it('carries frames in order, and names whom nobody answers for', () => {
    const a = join('a');
    join('b');
    say(a, 'b', '1');
    say(a, 'b', '2');
    say(a, 'c', '3');
    clock.fireDue();
    expect(heard).to.deep.equal(['b from a: 1', 'b from a: 2', 'a: nobody is c']);
  });

  it('refuses a second node of one name', () => {
    join('a');
    expect(network.transport().start('a', 2, deaf).isFailed).to.equal(true);
  });

  it('holds the frames of a frozen broker, in order, until it is thawed', () => {
    const a = join('a');
    join('b');
    say(a, 'b', 'under way');
    network.freezeBroker();
    say(a, 'b', 'held');
    const check = a.check();
    clock.fireDue();
    expect(heard).to.deep.equal([]);
    expect(check.isPending).to.equal(true);
    network.thawBroker();
    clock.fireDue();
    expect(heard).to.deep.equal(['b from a: under way', 'b from a: held']);
    expect(check.isReady).to.equal(true);
  });

  it('loses what a killed broker held or had under way, and disconnects everybody until it starts', () => {
    const a = join('a');
    join('b');
    say(a, 'b', 'under way');
    network.freezeBroker();
    say(a, 'b', 'held');
    network.killBroker();
    expect(a.connected).to.equal(false);
    say(a, 'b', 'into the void');
    clock.fireDue();
    expect(network.transport().start('c', 1, deaf).isFailed).to.equal(true);
    network.startBroker();
    say(a, 'b', 'after');
    clock.fireDue();
    expect(heard).to.deep.equal(['a disconnected', 'b disconnected', 'a connected', 'b connected', 'b from a: after']);
  });

  it('holds what a frozen node says and is told, and loses it when the node is killed', () => {
    const a = join('a');
    const b = join('b');
    network.freeze('b');
    say(a, 'b', 'question');
    say(b, 'a', 'unsent');
    clock.fireDue();
    expect(heard).to.deep.equal([]);
    network.thaw('b');
    clock.fireDue();
    expect(heard).to.deep.equal(['b from a: question', 'a from b: unsent']);
    heard.length = 0;
    network.freeze('b');
    say(a, 'b', 'question');
    say(b, 'a', 'unsent');
    clock.fireDue();
    b.stop();
    join('b');
    clock.fireDue();
    expect(heard).to.deep.equal([]);
  });

  it('refuses topics that could not be NATS subjects', () => {
    const a = join('a');
    for (const topic of ['', 'a b', 'a.', '>', 'a.*']) {
      expect(() => a.listen(topic, () => {}), topic)
        .to.throw()
        .with.property('code', 'TOPIC_INVALID');
    }
  });
});
