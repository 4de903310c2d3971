import { readFileSync } from 'node:fs';

import { expect } from 'chai';

import { withNatsServer } from './nats-server.ts';

function stateOf(pid: number): string | undefined {
  return /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8'))?.[1];
}

describe('withNatsServer', () => {
  describe('with a server per test', () => {
    const nats = withNatsServer({ per: 'test' });

    it('freezes the server until it is thawed', async () => {
      await nats.freeze();
      expect(stateOf(nats.pid)).to.equal('T');
      nats.thaw();
      expect(nats.server.running).to.equal(true);
    });

    it('kills the server, and starts another on the same URL', async () => {
      const { url, pid } = nats;
      await nats.kill();
      expect(nats.server.running).to.equal(false);
      await nats.restart();
      expect(nats.url).to.equal(url);
      expect(nats.pid).not.to.equal(pid);
    });
  });

  describe('with a server per suite', () => {
    const nats = withNatsServer({ credentials: 'none' });
    let early: number;

    before(() => {
      early = nats.pid;
    });

    it('runs from before the tests until after them', () => {
      expect(nats.pid).to.equal(early);
      expect(nats.server.running).to.equal(true);
    });

    it('has no credentials file where it demands none', () => {
      expect(() => nats.credentialsFile).to.throw("credentials: 'none'");
    });
  });

  describe('before the tests run', () => {
    const nats = withNatsServer();
    let early: unknown;
    try {
      early = nats.url;
    } catch (error) {
      early = error;
    }

    it('there is no server to name', () => {
      expect(String(early)).to.include('not in describe()');
    });
  });
});
