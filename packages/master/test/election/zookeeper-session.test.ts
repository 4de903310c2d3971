import { expect } from 'chai';
import { parseZooKeeperUrl } from '../../src/election/zookeeper/zookeeper-url.ts';
import { ZooKeeperSession } from '../../src/election/zookeeper/zookeeper-session.ts';
import { CuttingProxy } from './cutting-proxy.ts';
import { ZooKeeperServer } from './zookeeper-server.ts';

describe('a session with ZooKeeper', function () {
  this.timeout(60_000);
  let server: ZooKeeperServer;
  before(async () => {
    server = await ZooKeeperServer.start();
  });
  after(() => server.stop());

  for (const keep of [1, 6, 20]) {
    it(`goes on when its connection is cut after ${keep} bytes of an answer`, async () => {
      await using proxy = await CuttingProxy.start(server.port);
      const session = new ZooKeeperSession(parseZooKeeperUrl(`zk://${proxy.address}/cut`), 5000, () => {});
      try {
        await session.ensure('/cut');
        proxy.cutNextAnswer(keep);
        const failed = await session.data('/cut', undefined).then(
          () => undefined,
          (error: unknown) => error,
        );
        expect(failed, 'what was asked meanwhile').to.be.instanceOf(Error);
        const path = await session.join('/cut/member-', Buffer.from('x'));
        expect(Buffer.from(await session.data(path, undefined)).toString()).to.equal('x');
        expect(proxy.connections).to.equal(2);
      } finally {
        session.close();
      }
    });
  }
});
