import { jetStreamLease, jetStreamLog } from '@mezzo/process/jetstream';

import { withNatsServer } from '../../../../test/support/nats-server.ts';
import { poll } from '../transport/worlds.ts';
import { withServerCluster } from './server-cluster.ts';
import { withStores } from './stores.ts';

// npx mocha packages/process/test/jetstream/figures.ts

interface Place {
  readonly servers: string | readonly string[];
  readonly nkeySeedFile?: string;
}

function figures(name: string, place: () => Place): void {
  const opened = withStores();

  it(`appends and reads, ${name}`, async () => {
    const log = opened(jetStreamLog({ ...place(), stream: 'figures' }));
    let { last } = await log.read();
    for (const [count, size] of [
      [500, 200],
      [3000, 200],
      [500, 20_000],
    ] as const) {
      const record = new Uint8Array(size);
      const begun = performance.now();
      for (let n = 0; n < count; n++) last = await log.append(last, [record]);
      console.log(`${name}: ${Math.round((count / (performance.now() - begun)) * 1000)} appends/s of ${size} bytes`);
    }
    const begun = performance.now();
    const { entries } = await log.read();
    console.log(`${name}: ${entries.length} entries read in ${Math.round(performance.now() - begun)} ms`);
  });

  it(`a lease that changes hands, ${name}`, async () => {
    const options = { ...place(), bucket: 'figures', key: 'leader', timeout: '10s' } as const;
    const [one, other] = [opened(jetStreamLease(options)), opened(jetStreamLease(options))];
    let { revision } = await one.read();
    let heard = 0;
    other.watch((record) => void (heard = record.revision));
    const writes: number[] = [];
    const news: number[] = [];
    for (let n = 0; n < 200; n++) {
      const begun = performance.now();
      revision = await one.write(revision, new Uint8Array(200));
      writes.push(performance.now() - begun);
      await poll(() => heard === revision, 'the write is told');
      news.push(performance.now() - begun);
    }
    const middle = (times: number[]): string => (times.toSorted((a, b) => a - b)[times.length / 2] ?? 0).toFixed(1);
    console.log(
      `${name}: a write is confirmed in ${middle(writes)} ms, others have it in ${middle(news)} ms (medians)`,
    );
  });
}

describe('figures of one server', () => {
  const server = withNatsServer();
  figures('one server', () => ({ servers: server.url, nkeySeedFile: server.credentialsFile }));
});

describe('figures of three servers', function () {
  this.timeout(60_000);
  const cluster = withServerCluster(3);
  const opened = withStores();
  figures('three replicas', () => ({ servers: cluster.urls }));

  it('the time without a leader', async () => {
    const log = opened(jetStreamLog({ servers: cluster.urls, stream: 'figures', timeout: '30s', reconnectWait: 50 }));
    const { last } = await log.read();
    await cluster.kill(await cluster.leader('figures'));
    const begun = performance.now();
    await log.append(last, [new Uint8Array(200)]);
    console.log(
      `three replicas: an append takes ${Math.round(performance.now() - begun)} ms when the leader was killed`,
    );
  });
});
