import { jetStreamLease, type JetStreamLease, jetStreamLog } from '@mezzo/process/jetstream';
import type { FencedLog } from '@mezzo/process/log';
import { expect } from 'chai';

import { withConfiguredServer } from '../nats/configured-server.ts';
import { poll } from '../transport/worlds.ts';
import { failureOf, text, textOf, withStores } from './stores.ts';

const logger = [
  '$JS.API.STREAM.INFO.registry',
  '$JS.API.STREAM.CREATE.registry',
  '$JS.API.STREAM.MSG.GET.registry',
  '$JS.API.STREAM.PURGE.registry',
  'mezzo.@.log.registry',
];
const candidate = [
  '$JS.API.STREAM.INFO.KV_election',
  '$JS.API.STREAM.CREATE.KV_election',
  '$JS.API.STREAM.MSG.GET.KV_election',
  '$KV.election.leader',
];

function user(name: string, publish: readonly string[], subscribe: readonly string[]): string {
  const allowed = (subjects: readonly string[]): string => JSON.stringify(subjects);
  return `{ user: ${name}, password: secret, permissions: { publish: ${allowed(publish)}, subscribe: ${allowed(subscribe)} } }`;
}

describe('a store in JetStream whose user is confined', () => {
  const server = withConfiguredServer(
    (directory) => `jetstream { store_dir: "${directory}/store" }
      authorization { users: [
        ${user('logger', logger, ['_INBOX_registry.>'])}
        ${user('reader', logger.slice(0, 3), ['_INBOX_registry.>'])}
        ${user('candidate', candidate, ['_INBOX_KV_election.>', 'mezzo.@.lease.election.leader'])}
      ] }`,
  );
  const opened = withStores();

  const log = (name: string): FencedLog =>
    opened(jetStreamLog({ servers: server.url, user: name, password: 'secret', stream: 'registry' }));
  const lease = (): JetStreamLease =>
    opened(
      jetStreamLease({
        servers: server.url,
        user: 'candidate',
        password: 'secret',
        bucket: 'election',
        key: 'leader',
      }),
    );

  it('needs for a log no more than the page about it says', async () => {
    const one = log('logger');
    const first = await one.append(0, [text('a')]);
    const last = await one.snapshot(first, text('b'));
    expect(await one.read()).to.deep.equal({ snapshot: { sequence: last, state: text('b') }, entries: [], last });
  });

  it('says what it is not permitted to do', async () => {
    const { last } = await log('logger').read();
    const one = log('reader');
    expect((await one.read()).last).to.equal(last);
    const error = await failureOf(one.append(last, [text('c')]));
    expect(error.code).to.equal('LOG_UNAVAILABLE');
    expect(error.message)
      .to.match(/permission/i)
      .and.to.contain('mezzo.@.log.registry');
  });

  it('needs for a lease no more than the page about it says', async () => {
    const [one, other] = [lease(), lease()];
    const seen: (string | undefined)[] = [];
    other.watch(({ value }) => void seen.push(textOf(value)));
    const first = await one.write(0, text('a'));
    await poll(() => seen.at(-1) === 'a', 'the write is told');
    const written = performance.now();
    await one.write(first, undefined);
    await poll(() => seen.length === 2, 'the write is told');
    expect(performance.now() - written).to.be.lessThan(500);
    expect(await one.created()).to.be.greaterThan(0);
  });
});
