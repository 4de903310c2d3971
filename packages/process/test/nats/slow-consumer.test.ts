import { Runtime } from '@mezzo/process';
import { nats } from '@mezzo/process/nats';
import { expect } from 'chai';
import { get } from 'node:http';

import { deadLetters, poll } from '../transport/worlds.ts';
import { withConfiguredServer } from './configured-server.ts';
import { withPeers } from './peers.ts';
import { all, Item, Record, Report } from './sink.ts';

const fixture = new URL('fixtures/sink.ts', import.meta.url);
const filling = 'x'.repeat(1000);

describe('a node that does not read', function () {
  this.timeout(40_000);
  // As small as a server takes it: no larger than what may be on the way to one peer.
  const server = withConfiguredServer('max_payload: 1000000\nmax_pending: 1000000\n');
  const peers = withPeers();
  const runtimes = new Set<Runtime>();

  afterEach(async () => {
    for (const runtime of runtimes) await runtime.stop();
    runtimes.clear();
  });

  async function start(name: string): Promise<Runtime> {
    const runtime = await Runtime.start({
      name,
      transport: nats({ servers: server.url, reconnectWait: '50ms' }),
      heartbeatInterval: '100ms',
      linkTimeout: '15s',
      onError: () => {},
    });
    runtimes.add(runtime);
    return runtime;
  }

  const sink = (name: string) => peers.start(fixture, { NATS_URL: server.url, NODE_NAME: name });

  /** What the sink has by now; behind everything its asker has sent. */
  const report = (from: Runtime, to: string) => from.ask(from.pid(to), Report, 0, { reply: Record, timeout: '20s' });

  /** Items from `first` on, as many as are taken at once. */
  function fill(from: Runtime, to: string, first: number, limit = Number.POSITIVE_INFINITY): number {
    let n = first;
    while (n < limit && from.send(from.pid(to), Item, { n, filling })) n++;
    return n;
  }

  async function slowConsumers(): Promise<number> {
    const text = await new Promise<string>((resolve, reject) => {
      get(`${server.monitor}/varz`, (response) => {
        let heard = '';
        response.on('data', (data: Buffer) => (heard += data.toString()));
        response.on('end', () => resolve(heard));
      }).on('error', reject);
    });
    return Number(/"slow_consumers": (\d+)/.exec(text)?.[1]);
  }

  it('is cut off by the server, comes back, and has lost nothing and got nothing twice', async () => {
    const [a, b, child] = [await start('a'), await start('b'), await sink('c')];
    const letters = deadLetters(a);
    expect(await report(a, 'sink@c')).to.deep.equal(all(0));
    expect(await report(b, 'sink@c')).to.deep.equal(all(0));
    const before = await slowConsumers();
    child.kill('SIGSTOP');
    const sent = fill(a, 'sink@c', 0, 20_000);
    expect(fill(b, 'sink@c', 0, 20_000)).to.equal(sent);
    let cutOff = before;
    await poll(() => {
      void slowConsumers().then((now) => (cutOff = now));
      return cutOff > before;
    }, 'the server calls it a slow consumer');
    child.kill('SIGCONT');
    await report(a, 'sink@c');
    // Behind what b sent, and a's came before that.
    const { count, sum, disorder } = await report(b, 'sink@c');
    const each = all(sent);
    expect({ count, sum, disorder }).to.deep.equal({ count: 2 * each.count, sum: 2 * each.sum, disorder: 0 });
    expect(a.metrics.wireResent + b.metrics.wireResent).to.be.greaterThan(0);
    expect(letters).to.deep.equal([]);
  });

  it('is felt by whoever sends: send refuses, ready waits, and memory is bounded', async () => {
    const [a, child] = [await start('a'), await sink('c')];
    const pid = a.pid('sink@c');
    expect(await report(a, 'sink@c')).to.deep.equal(all(0));
    child.kill('SIGSTOP');
    const letters = deadLetters(a);
    // Turns pass between, so that what can leave does.
    let taken = 0;
    for (let still = 0; still < 5;) {
      const before = taken;
      taken = fill(a, 'sink@c', taken);
      still = taken === before ? still + 1 : 0;
      await new Promise((resolve) => setImmediate(resolve));
    }
    // 65,536 wait; what 8 MB hold has left.
    expect(taken).to.be.within(65_536, 65_536 + 8 * 1024 + 512);
    expect(letters.length).to.be.greaterThan(0);
    expect(letters.every((letter) => letter === 'overflow item sink@c')).to.equal(true);
    const ready = a.ready(pid);
    await new Promise((resolve) => setImmediate(resolve));
    expect(ready.isPending).to.equal(true);
    child.kill('SIGCONT');
    await ready;
    expect(a.send(pid, Item, { n: taken, filling })).to.equal(true);
    expect(await report(a, 'sink@c')).to.deep.equal(all(taken + 1));
  });

  it('has everything that a node has taken for it before that node stops', async () => {
    const [a, b] = [await start('a'), await start('b')];
    await sink('c');
    const pid = a.pid('sink@c');
    let taken = 0;
    while (taken < 100_000) {
      taken = fill(a, 'sink@c', taken, 100_000);
      if (taken < 100_000) await a.ready(pid);
    }
    await a.stop();
    expect(await report(b, 'sink@c')).to.deep.equal(all(100_000));
  });
});
