import { OutcomeUnknown, Runtime, type RuntimeOptions } from '@mezzo/process';
import { nats } from '@mezzo/process/nats';
import { expect } from 'chai';

import { withNatsServer } from '../../../../test/support/nats-server.ts';
import { Add, Adder, First, Listener, Second, Stuck, Sum } from '../transport/processes.ts';
import { deadLetters, failure, outcome, poll } from '../transport/worlds.ts';
import { withPeers } from './peers.ts';

const fixture = new URL('fixtures/peer.ts', import.meta.url);
const world = { until: poll };

describe('nodes over NATS', () => {
  const server = withNatsServer({ per: 'test' });
  const peers = withPeers();
  const runtimes = new Set<Runtime>();

  afterEach(async () => {
    for (const runtime of runtimes) await runtime.stop();
    runtimes.clear();
  });

  async function start(name: string, options: Partial<RuntimeOptions> = {}): Promise<Runtime> {
    const runtime = await Runtime.start({
      name,
      transport: nats({
        servers: server.url,
        nkeySeedFile: server.credentialsFile,
        reconnectWait: '50ms',
        pingInterval: '200ms',
        connectTimeout: '500ms',
      }),
      heartbeatInterval: '100ms',
      linkTimeout: '1s',
      onError: () => {},
      ...options,
    });
    runtimes.add(runtime);
    return runtime;
  }

  const peer = (name: string) =>
    peers.start(fixture, { NATS_URL: server.url, NODE_NAME: name, NKEY_FILE: server.credentialsFile });

  /** Sends `first 0`, `first 1`, … as fast as the session takes them, until stopped. */
  function stream(from: Runtime, to: string): { stop(): number } {
    const pid = from.pid(to);
    let sent = 0;
    let going = true;
    const some = (): void => {
      if (!going) return;
      for (let burst = 0; burst < 50; burst++) if (from.send(pid, First, { n: sent })) sent++;
      setImmediate(some);
    };
    some();
    return {
      stop() {
        going = false;
        return sent;
      },
    };
  }

  function numbered(count: number): string[] {
    return Array.from({ length: count }, (_, n) => `first ${n}`);
  }

  it('LP-LINK-03 hear of the exit of every linkee of a peer that is killed, once each', async () => {
    const child = await peer('b');
    const a = await start('a');
    const one = new Listener('one', a.pid('adder@b'), a.pid('other@b'));
    const two = new Listener('two', a.pid('adder@b'));
    a.spawn(one);
    a.spawn(two);
    await outcome(world, a.ask(a.pid('adder@b'), Add, { n: 1 }, { reply: Sum }));
    const asked = a.ask(a.pid('adder@b'), Stuck, { n: 1 }, { reply: Sum, timeout: '30s' });
    child.kill('SIGKILL');
    await poll(() => one.heard.length === 2 && two.heard.length === 1);
    expect(one.heard).to.deep.equal(['exited adder@b lost', 'exited other@b lost']);
    expect(two.heard).to.deep.equal(['exited adder@b lost']);
    expect(await failure(world, asked)).to.be.instanceOf(OutcomeUnknown);
    expect([one.heard.length, two.heard.length]).to.deep.equal([2, 1]);
  });

  it('LP-LINK-08 hear of no exit before the link timeout when a peer is frozen, and of one after it', async () => {
    const child = await peer('b');
    const a = await start('a');
    const listener = new Listener('listener', a.pid('adder@b'));
    a.spawn(listener);
    await outcome(world, a.ask(a.pid('adder@b'), Add, { n: 1 }, { reply: Sum }));
    const frozen = performance.now();
    child.kill('SIGSTOP');
    await poll(() => listener.heard.length > 0);
    expect(performance.now() - frozen).to.be.greaterThan(800);
    expect(listener.heard).to.deep.equal(['exited adder@b lost']);
    child.kill('SIGCONT');
    // A new session begins; nothing of the old one is heard.
    expect(await outcome(world, a.ask(a.pid('adder@b'), Add, { n: 1 }, { reply: Sum, timeout: '10s' }))).to.deep.equal({
      n: 2,
    });
    expect(listener.heard).to.deep.equal(['exited adder@b lost']);
  });

  it('lose nothing, keep the order and deliver nothing twice over restarts of the broker', async () => {
    const a = await start('a');
    const b = await start('b');
    const listener = new Listener('listener');
    b.spawn(listener);
    const adder = b.spawn(new Adder('adder'));
    const watcher = new Listener('watcher', a.pid('adder@b'));
    a.spawn(watcher);
    const streaming = stream(a, 'listener@b');
    for (let restart = 1; restart <= 2; restart++) {
      const before = listener.heard.length;
      await poll(() => listener.heard.length > before + 1000);
      await server.restart();
    }
    const before = listener.heard.length;
    await poll(() => listener.heard.length > before + 1000, 'messages flow again');
    const sent = streaming.stop();
    await poll(() => listener.heard.length >= sent, 'everything arrives');
    expect(listener.heard).to.deep.equal(numbered(sent));
    expect(watcher.heard).to.deep.equal([]);
    b.terminate(adder);
    await poll(() => watcher.heard.length > 0);
  });

  it('lose nothing of what a broker had in its buffers that was frozen and killed', async () => {
    const a = await start('a');
    const b = await start('b');
    const letters = deadLetters(a);
    const listener = new Listener('listener');
    b.spawn(listener);
    b.spawn(new Adder('adder'));
    const watcher = new Listener('watcher', a.pid('adder@b'));
    a.spawn(watcher);
    const streaming = stream(a, 'listener@b');
    await poll(() => listener.heard.length > 1000);
    await server.freeze();
    const asked = a.ask(a.pid('adder@b'), Add, { n: 41 }, { reply: Sum, timeout: '15s' });
    a.send(a.pid('listener@b'), Second, { n: 0 });
    const resent = a.metrics.wireResent;
    await server.kill();
    await server.restart();
    await poll(() => listener.heard.includes('second 0'), 'what the dead broker had arrives');
    const sent = streaming.stop();
    await poll(() => listener.heard.length >= sent + 1);
    expect(listener.heard.filter((line) => line !== 'second 0')).to.deep.equal(numbered(sent));
    expect(await outcome(world, asked)).to.deep.equal({ n: 42 });
    expect(watcher.heard).to.deep.equal([]);
    expect(letters.filter((letter) => !letter.startsWith('overflow'))).to.deep.equal([]);
    expect(a.metrics.wireResent).to.be.greaterThan(resent);
  });

  it('do not take the silence of a frozen broker for that of their peers', async () => {
    const child = await peer('b');
    const a = await start('a');
    const listener = new Listener('listener', a.pid('adder@b'));
    a.spawn(listener);
    await outcome(world, a.ask(a.pid('adder@b'), Add, { n: 1 }, { reply: Sum }));
    await server.freeze();
    // Longer than the link timeout.
    const frozen = performance.now();
    await poll(() => performance.now() - frozen > 2500);
    server.thaw();
    expect(await outcome(world, a.ask(a.pid('adder@b'), Add, { n: 1 }, { reply: Sum, timeout: '10s' }))).to.deep.equal({
      n: 2,
    });
    expect(listener.heard).to.deep.equal([]);
    child.kill('SIGKILL');
    await poll(() => listener.heard.length > 0, 'its death is heard of all the same');
  });

  it('stop in time though the broker is frozen', async () => {
    const a = await start('a');
    const b = await start('b');
    b.spawn(new Listener('listener'));
    await server.freeze();
    a.send(a.pid('listener@b'), First, { n: 1 });
    const started = performance.now();
    await Promise.all([a.stop(), b.stop()]);
    expect(performance.now() - started).to.be.lessThan(6000);
  });
});
