import { Runtime, type ProcessError, type Transport } from '@mezzo/process';
import { nats } from '@mezzo/process/nats';
import { expect } from 'chai';
import { connect, type NatsConnection, nkeyAuthenticator } from 'nats';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';

import { withNatsServer } from '../../../../test/support/nats-server.ts';
import { Add, Adder, First, Listener, Sum } from '../transport/processes.ts';
import { deaf, poll } from '../transport/worlds.ts';

describe('the NATS transport', () => {
  const server = withNatsServer();
  const runtimes = new Set<Runtime>();
  const transports = new Set<Transport>();
  const connections = new Set<NatsConnection>();

  afterEach(async () => {
    for (const runtime of runtimes) await runtime.stop();
    for (const transport of transports) await transport.stop();
    for (const connection of connections) await connection.close();
    runtimes.clear();
    transports.clear();
    connections.clear();
  });

  function transport(options: Partial<Parameters<typeof nats>[0]> = {}): Transport {
    const made = nats({ servers: server.url, nkeySeedFile: server.credentialsFile, ...options });
    transports.add(made);
    return made;
  }

  async function start(name: string, errors: unknown[] = []): Promise<Runtime> {
    const runtime = await Runtime.start({ name, transport: transport(), onError: (error) => errors.push(error) });
    runtimes.add(runtime);
    return runtime;
  }

  /** A client that knows nothing of nodes. */
  async function client(): Promise<NatsConnection> {
    const seed = Buffer.from((await readFile(server.credentialsFile, 'utf8')).trim());
    const connection = await connect({ servers: server.url, authenticator: nkeyAuthenticator(seed) });
    connections.add(connection);
    return connection;
  }

  async function refusal(work: PromiseLike<unknown>): Promise<ProcessError> {
    try {
      await work;
    } catch (error) {
      return error as ProcessError;
    }
    throw new Error('it did not fail');
  }

  it('refuses to start under the name of a living node, which goes on', async () => {
    const a = await start('a');
    a.spawn(new Adder('adder'));
    const error = await refusal(start('a'));
    expect(error.code).to.equal('NODE_NAME_TAKEN');
    expect(error.message).to.include("'a'").and.include(server.url);
    const b = await start('b');
    expect(await b.ask(b.pid('adder@a'), Add, { n: 1 }, { reply: Sum })).to.deep.equal({ n: 2 });
  });

  it('starts under a name again once its holder has stopped', async () => {
    const a = await start('a');
    await a.stop();
    await start('a');
  });

  it('lets at most one of two start that begin together', async () => {
    const results = await Promise.allSettled([start('twin'), start('twin')]);
    const started = results.filter(({ status }) => status === 'fulfilled');
    expect(started.length).to.be.at.most(1);
    for (const result of results) {
      if (result.status === 'rejected') expect(result.reason).to.have.property('code', 'NODE_NAME_TAKEN');
    }
  });

  it('ends the newer of two nodes that find each other with one name', async () => {
    const errors: unknown[] = [];
    const a = await start('a', errors);
    a.spawn(new Adder('adder'));
    const other = await client();
    // What a node says that was cut off when `a` started, and is back.
    other.publish('mezzo.a.a', 'returned 5');
    await poll(() => errors.length > 0);
    expect(errors[0]).to.have.property('code', 'NODE_NAME_TAKEN');
    await poll(() => a.processes.length === 0, 'the runtime has stopped');
  });

  it('holds against a newer node that is back: that one is told to end', async () => {
    const a = await start('a');
    a.spawn(new Adder('adder'));
    const other = await client();
    const heard: string[] = [];
    other.subscribe('mezzo.a.a', { callback: (_error, { data }) => heard.push(Buffer.from(data).toString()) });
    other.publish('mezzo.a.a', `returned ${a.incarnation + 1}`);
    await poll(() => heard.includes(`taken ${a.incarnation}`));
    expect(a.processes).to.deep.equal(['adder']);
  });

  it('keeps prefixes apart', async () => {
    const a = await start('a');
    a.spawn(new Adder('adder'));
    const elsewhere = await Runtime.start({ name: 'a', transport: transport({ prefix: 'else.where' }) });
    runtimes.add(elsewhere);
    expect(elsewhere.incarnation).not.to.equal(a.incarnation);
  });

  it('announces to whoever listens on the topic, itself included', async () => {
    const a = await start('a');
    const b = await start('b');
    const heard: string[] = [];
    for (const runtime of [a, b]) {
      const name = runtime.name;
      runtime.listen('leader.one', (data) => heard.push(`${name} ${Buffer.from(data).toString()}`));
    }
    const unheard = b.listen('leader.two', () => heard.push('another topic'));
    unheard.cancel();
    await poll(() => {
      a.announce('leader.one', Buffer.from('me'));
      return heard.includes('a me') && heard.includes('b me');
    });
    a.announce('leader.two', Buffer.from('me'));
    expect(() => a.announce('no topic', Buffer.from('me')))
      .to.throw('no topic')
      .with.property('code', 'TOPIC_INVALID');
    expect(heard).not.to.include('another topic');
  });

  it('goes on when whoever listens to a topic throws, and reports it', async () => {
    const errors: unknown[] = [];
    const a = await start('a', errors);
    a.spawn(new Adder('adder'));
    const b = await start('b');
    a.listen('leader', () => {
      throw new Error('out of order');
    });
    await poll(() => {
      b.announce('leader', Buffer.from('me'));
      return errors.length > 0;
    });
    expect(errors[0]).to.have.property('message', 'out of order');
    expect(await b.ask(b.pid('adder@a'), Add, { n: 1 }, { reply: Sum })).to.deep.equal({ n: 2 });
  });

  it('names the peer that nobody answers for', async () => {
    const silent: string[] = [];
    const one = transport();
    await one.start('one', 1, { ...deaf, noResponders: (peer) => silent.push(peer) });
    one.publish('nobody', Buffer.from('anybody?'));
    await poll(() => silent.length > 0);
    expect(silent).to.deep.equal(['nobody']);
  });

  it('knows the largest frame of the server', async () => {
    const one = transport();
    await one.start('one', 1, deaf);
    expect(one.maxPayload).to.equal(1024 * 1024);
  });

  describe('fails with one line that names the server and the cause', () => {
    async function failing(options: Partial<Parameters<typeof nats>[0]>): Promise<string> {
      const error = await refusal(Runtime.start({ name: 'x', transport: nats({ servers: server.url, ...options }) }));
      expect(error.code).to.equal('TRANSPORT_UNAVAILABLE');
      expect(error.message).not.to.include('\n');
      return error.message;
    }

    it('when nothing listens there, without the password in the URL', async () => {
      const port = await freePort();
      expect(await failing({ servers: `nats://me:secret@127.0.0.1:${port}` })).to.equal(
        `NATS server nats://127.0.0.1:${port}: connection refused; is a server running there?`,
      );
    });

    it('when what listens there says nothing', async () => {
      const mute = createServer(() => {});
      await new Promise<void>((resolve) => mute.listen(0, '127.0.0.1', resolve));
      const address = mute.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      expect(await failing({ servers: `nats://127.0.0.1:${port}`, connectTimeout: '100ms' })).to.include(
        'no answer in time',
      );
      mute.close();
    });

    it('when what listens there is something else', async () => {
      const other = createServer((socket) => socket.end('SSH-2.0-none\r\n'));
      await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
      const address = other.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      expect(await failing({ servers: `nats://127.0.0.1:${port}` })).to.include('no NATS server');
      other.close();
    });

    it('when it refuses our credentials', async () => {
      expect(await failing({ user: 'me', password: 'secret' })).to.equal(
        `NATS server ${server.url}: it refused our credentials`,
      );
    });

    it('when the credentials file cannot be read', async () => {
      expect(await failing({ nkeySeedFile: '/nowhere/seed.nk' })).to.include('/nowhere/seed.nk');
    });
  });

  for (const [what, options, told] of [
    ['no server', { servers: [] }, 'at least one URL'],
    ['a server of another kind', { servers: 'http://127.0.0.1:80' }, 'http://127.0.0.1:80'],
    ['a URL with a password that cannot be parsed', { servers: 'nats://me:secret@:x' }, 'servers'],
    ['a prefix that is no subject', { servers: 'nats://127.0.0.1', prefix: 'a.*' }, 'a.*'],
    ['two kinds of credentials', { servers: 'nats://127.0.0.1', token: 'x', user: 'y' }, 'one of'],
  ] as const) {
    it(`refuses ${what} as an option`, () => {
      expect(() => nats(options))
        .to.throw(told)
        .with.property('code', 'TRANSPORT_OPTION_INVALID');
      expect(() => nats(options)).to.not.throw('secret');
    });
  }
});

describe('the NATS transport with a server of large frames', () => {
  const server = withNatsServer({ credentials: 'none', maxPayload: 16 * 1024 * 1024 });

  it('survives 10 MB of garbage on a mailbox subject', async () => {
    await using a = await Runtime.start({ name: 'a', transport: nats({ servers: server.url }) });
    const listener = new Listener('listener');
    a.spawn(listener);
    const stranger = await connect({ servers: server.url });
    const garbage = Buffer.alloc(10 * 1024 * 1024);
    for (let at = 0; at < garbage.length; at++) garbage[at] = (at * 2654435761) >>> 13;
    stranger.publish('mezzo.a.stranger', garbage);
    stranger.publish('mezzo.a.stranger', Buffer.alloc(10 * 1024 * 1024, 0x91));
    await stranger.flush();
    await poll(() => a.metrics.wireRejected === 2);
    await stranger.close();
    await using b = await Runtime.start({ name: 'b', transport: nats({ servers: server.url }) });
    b.send(b.pid('listener@a'), First, { n: 1 });
    await poll(() => listener.heard.length === 1);
    expect(a.metrics.errors).to.equal(0);
  });
});

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
