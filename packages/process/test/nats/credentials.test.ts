import { type ProcessError, Runtime } from '@mezzo/process';
import { nats, type NatsOptions } from '@mezzo/process/nats';
import { expect } from 'chai';
import { nkeyAuthenticator } from 'nats';
import { createUser } from 'nkeys.js';
import { spawnSync } from 'node:child_process';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Add, Adder, Sum } from '../transport/processes.ts';
import { poll } from '../transport/worlds.ts';
import { Authority } from './certificates.ts';
import { type ConfiguredServer, withConfiguredServer } from './configured-server.ts';
import { Operator } from './operator.ts';
import { programArguments, withPeers } from './peers.ts';

const fixture = new URL('fixtures/peer.ts', import.meta.url);

type Given = Partial<NatsOptions>;

/** Two nodes with these options reach each other. */
async function works(server: ConfiguredServer, options: Given): Promise<void> {
  const start = (name: string): Promise<Runtime> =>
    Runtime.start({ name, transport: nats({ servers: server.url, ...options }) });
  await using a = await start('a');
  await using b = await start('b');
  b.spawn(new Adder('adder'));
  expect(await a.ask(a.pid('adder@b'), Add, { n: 1 }, { reply: Sum })).to.deep.equal({ n: 2 });
}

/** The one line that tells why a node does not start. */
async function refusal(server: ConfiguredServer, options: Given, secrets: readonly string[] = []): Promise<string> {
  let error: ProcessError | undefined;
  try {
    await using runtime = await Runtime.start({ name: 'x', transport: nats({ servers: server.url, ...options }) });
    throw new Error(`${runtime.name} was let in`);
  } catch (thrown) {
    error = thrown as ProcessError;
  }
  expect(error.code, error.message).to.equal('TRANSPORT_UNAVAILABLE');
  const whole = `${error.message}\n${error.stack}\n${String(error.cause)}`;
  for (const secret of secrets) expect(whole).not.to.include(secret);
  expect(error.message).not.to.include('\n');
  return error.message;
}

function nkey(): { readonly seed: string; readonly publicKey: string } {
  const user = createUser();
  return { seed: Buffer.from(user.getSeed()).toString(), publicKey: user.getPublicKey() };
}

describe('credentials for a NATS server', () => {
  describe('that wants an nkey', () => {
    const [ours, next, foreign] = [nkey(), nkey(), nkey()];
    const only = ({ publicKey }: typeof ours): string => `authorization { users: [ { nkey: ${publicKey} } ] }\n`;
    const server = withConfiguredServer(only(ours));

    for (const [what, options] of [
      ['its seed', { nkeySeed: ours.seed }],
      ['a function that gives its seed', { nkeySeed: () => ours.seed }],
      ['an authenticator', { authenticator: nkeyAuthenticator(Buffer.from(ours.seed)) }],
    ] as const satisfies readonly (readonly [string, Given])[]) {
      it(`are ${what}`, () => works(server, options));
    }

    it('are refused without a word of the seed', async () => {
      for (const options of [{ nkeySeed: foreign.seed }, { nkeySeed: () => foreign.seed }]) {
        expect(await refusal(server, options, [foreign.seed])).to.equal(
          `NATS server ${server.url}: it refused our credentials`,
        );
      }
    });

    it('that are no seed are told so without a word of them', async () => {
      const broken = `${ours.seed.slice(0, -4)}AAAA`;
      for (const nkeySeed of [broken, 'SUnonsense', '']) {
        expect(await refusal(server, { nkeySeed }, [broken, 'nonsense'])).to.include('nkey seed');
      }
    });

    it('that a function cannot give end the start with its reason', async () => {
      const nkeySeed = (): string => {
        throw new Error('the vault is sealed');
      };
      expect(await refusal(server, { nkeySeed })).to.include('the vault is sealed');
    });

    it('are read again at every connect, so that they can be rotated, and end the node that has old ones', async () => {
      const file = join(server.directory, 'seed.nk');
      writeFileSync(file, `${ours.seed}\n`);
      const told: unknown[] = [];
      const start = (name: string, options: Given): Promise<Runtime> =>
        Runtime.start({
          name,
          transport: nats({ servers: server.url, reconnectWait: '20ms', ...options }),
          onError: (error) => told.push(error),
        });
      await using a = await start('a', { nkeySeedFile: file });
      await using b = await start('b', { nkeySeedFile: file });
      await using old = await start('old', { nkeySeed: ours.seed });
      b.spawn(new Adder('adder'));
      writeFileSync(`${file}.new`, next.seed);
      renameSync(`${file}.new`, file);
      await server.reload(only(next));
      expect(await a.ask(a.pid('adder@b'), Add, { n: 1 }, { reply: Sum, timeout: '10s' })).to.deep.equal({ n: 2 });
      await poll(() => told.length > 0, 'the one with the old seed is told');
      expect(told[0]).to.have.property('code', 'TRANSPORT_UNAVAILABLE');
      expect(String(told[0])).to.include('refused our credentials');
      expect(old.send(old.pid('adder@b'), Add, { n: 1 })).to.equal(false);
    });
  });

  describe('that cannot be had for a while', () => {
    const { seed, publicKey } = nkey();
    const only = `authorization { users: [ { nkey: ${publicKey} } ] }\n`;
    const server = withConfiguredServer(only);

    it('are those of before: a node that was let in once goes on', async () => {
      const file = join(server.directory, 'seed.nk');
      writeFileSync(file, seed);
      let sealed = 0;
      let open = true;
      const nkeySeed = (): string => {
        if (open) return seed;
        sealed++;
        throw new Error('the vault is sealed');
      };
      await using a = await Runtime.start({ name: 'a', transport: nats({ servers: server.url, nkeySeed }) });
      await using b = await Runtime.start({ name: 'b', transport: nats({ servers: server.url, nkeySeedFile: file }) });
      a.spawn(new Adder('adder'));
      open = false;
      // Somebody has begun to write another one.
      writeFileSync(file, 'SU');
      await server.restart(only);
      expect(await b.ask(b.pid('adder@a'), Add, { n: 1 }, { reply: Sum, timeout: '10s' })).to.deep.equal({ n: 2 });
      expect(sealed).to.be.greaterThan(0);
    });
  });

  describe('that wants a user and password', () => {
    const server = withConfiguredServer('authorization { users: [ { user: us, password: "pass:w@rd" } ] }\n');

    it('are those, also from functions or the URL', async () => {
      await works(server, { user: 'us', password: 'pass:w@rd' });
      await works(server, { user: () => 'us', password: () => 'pass:w@rd' });
      await works(server, { servers: server.url.replace('//', `//us:${encodeURIComponent('pass:w@rd')}@`) });
    });

    it('are refused without a word of them', async () => {
      const told = `NATS server ${server.url}: it refused our credentials`;
      expect(await refusal(server, { user: 'us', password: 'sesame' }, ['sesame'])).to.equal(told);
      expect(await refusal(server, { servers: server.url.replace('//', '//us:sesame@') }, ['sesame'])).to.equal(told);
      expect(await refusal(server, {})).to.equal(told);
    });
  });

  describe('that wants a token', () => {
    const server = withConfiguredServer('authorization { token: "t0ken" }\n');

    it('are that, also from a function or the URL', async () => {
      await works(server, { token: 't0ken' });
      await works(server, { token: () => 't0ken' });
      await works(server, { servers: server.url.replace('//', '//t0ken@') });
    });

    it('are refused without a word of it', async () => {
      expect(await refusal(server, { token: 'sesame' }, ['sesame'])).to.include('it refused our credentials');
    });
  });

  describe('that trusts an operator', () => {
    const operator = new Operator();
    const server = withConfiguredServer(operator.configuration);
    const seedIn = (credentials: string): string => /SU[A-Z2-7]{20,}/.exec(credentials)?.[0] ?? 'no seed';

    it('are a .creds file or its text, also from a function', async () => {
      const credentialsFile = join(server.directory, 'user.creds');
      const credentials = operator.credentials('user');
      writeFileSync(credentialsFile, credentials);
      await works(server, { credentialsFile });
      await works(server, { credentials });
      await works(server, { credentials: () => credentials.trim() });
    });

    it('are refused if another operator signed them', async () => {
      const credentials = new Operator().credentials('user');
      const secrets = [seedIn(credentials)];
      expect(await refusal(server, { credentials }, secrets)).to.include('it refused our credentials');
    });

    it('are refused if the JWT belongs to another seed', async () => {
      const [one, two] = [operator.credentials('one'), operator.credentials('two')];
      const credentials = one.replace(seedIn(one), seedIn(two));
      expect(await refusal(server, { credentials }, [seedIn(two)])).to.include('it refused our credentials');
    });

    it('that are no .creds file are told so', async () => {
      const { seed } = nkey();
      expect(await refusal(server, { credentials: seed }, [seed])).to.include('.creds');
    });
  });

  describe('over TLS', () => {
    const authority = new Authority('test authority');
    const foreign = new Authority('another authority');
    const pem = (directory: string, name: string, text: string): string => {
      writeFileSync(join(directory, name), text, { mode: 0o600 });
      return join(directory, name);
    };
    const tlsConfiguration = (issuer: Authority, more: string, at?: string) => (directory: string) => {
      const { cert, key } = issuer.issue('server', at);
      const files = `cert_file: "${pem(directory, 's.pem', cert)}", key_file: "${pem(directory, 's.key', key)}"`;
      return `tls { ${files}, ca_file: "${pem(directory, 'ca.pem', authority.cert)}"${more} }\n`;
    };

    /** Environment of a node's OS process that trusts the authority as it trusts those of the world. */
    const trusting = (server: ConfiguredServer, name: string): Record<string, string> => ({
      NATS_URL: `nats://127.0.0.1:${server.port}`,
      NODE_NAME: name,
      NODE_EXTRA_CA_CERTS: join(server.directory, 'ca.pem'),
    });
    const peers = withPeers();

    describe('to a server whose certificate a given authority signed', () => {
      const server = withConfiguredServer(tlsConfiguration(authority, ''));

      it('are no more than the authority, as text or file', async () => {
        await works(server, { tls: { ca: authority.cert } });
        await works(server, { tls: { caFile: join(server.directory, 'ca.pem') } });
      });

      it('keep us from a server whose authority we do not trust', async () => {
        for (const tls of [undefined, {}, { ca: foreign.cert }]) {
          const told = await refusal(server, {
            servers: `127.0.0.1:${server.port}`,
            ...(tls === undefined ? {} : { tls }),
          });
          expect(told).to.include('certificate').and.include('tls.ca');
        }
      });

      it('are what Node trusts, if nothing else is said', async () => {
        const child = await peers.start(fixture, trusting(server, 'b'));
        expect(child.exitCode).to.equal(null);
      });

      it('that are files which do not exist are named', async () => {
        expect(await refusal(server, { tls: { caFile: '/nowhere/ca.pem' } })).to.include('/nowhere/ca.pem');
      });
    });

    describe('to a server with the certificate of another address', () => {
      const server = withConfiguredServer(tlsConfiguration(authority, '', '10.0.0.1'));

      it('keep us away', async () => {
        const told = await refusal(server, { tls: { ca: authority.cert } });
        expect(told).to.include('certificate').and.include('127.0.0.1');
      });
    });

    describe('to a server with the certificate of a host', () => {
      const server = withConfiguredServer(tlsConfiguration(authority, '', 'localhost'));

      it('take it for the host, or one of several, and not for its address', async () => {
        const [host, address] = [`tls://localhost:${server.port}`, `tls://127.0.0.1:${server.port}`];
        const tls = { ca: authority.cert };
        await works(server, { servers: host, tls });
        await works(server, { servers: [address, host], tls });
        expect(await refusal(server, { servers: address, tls })).to.include('another address');
      });

      it('do not take it for its address either if the URL says nothing of TLS', () => {
        const env = { ...process.env, ...trusting(server, 'b') };
        const { stderr } = spawnSync(process.execPath, [...programArguments, fileURLToPath(fixture)], {
          env,
          encoding: 'utf8',
          timeout: 15_000,
        });
        expect(stderr).to.include('its certificate is for another address');
      });
    });

    describe('to a server that verifies its clients', () => {
      const server = withConfiguredServer(tlsConfiguration(authority, ', verify: true'));

      it('are a certificate that its authority signed, and the key', async () => {
        const { cert, key } = authority.issue('client');
        await works(server, { tls: { ca: authority.cert, cert, key } });
        const certFile = pem(server.directory, 'c.pem', cert);
        const keyFile = pem(server.directory, 'c.key', key);
        await works(server, { tls: { ca: authority.cert, certFile, keyFile } });
      });

      it('are refused if another authority signed the certificate, or there is none', async () => {
        const { cert, key } = foreign.issue('client');
        const secret = key.split('\n')[1] ?? key;
        const options: Given = { connectTimeout: '300ms', tls: { ca: authority.cert, cert, key } };
        expect(await refusal(server, options, [secret])).to.include('certificate');
        expect(await refusal(server, { tls: { ca: authority.cert } })).to.include('give tls.cert');
      });
    });

    describe('to a server that has none', () => {
      const server = withConfiguredServer('');

      it('are not given away: a tls URL or option makes no connection in the clear', async () => {
        const servers = `tls://127.0.0.1:${server.port}`;
        expect(await refusal(server, { servers })).to.include('TLS');
        expect(await refusal(server, { tls: { ca: authority.cert } })).to.include('TLS');
      });
    });
  });
});
