import { decodeLeader, type Leader } from '@mezzo/protocol';
import { expect } from 'chai';
import { encodeMember, leaderIn, lowest, masterInfo } from '../../src/election/zookeeper/master-info.ts';
import { parseZooKeeperUrl } from '../../src/election/zookeeper/zookeeper-url.ts';

describe('the URL of masters in ZooKeeper', () => {
  for (const [text, servers, path, credentials] of [
    ['zk://one:2181/mesos', 'one:2181', '/mesos', undefined],
    ['zk://one:1,two:2,three:3/a/b', 'one:1,two:2,three:3', '/a/b', undefined],
    ['zk://one,two:2/mesos', 'one:2181,two:2', '/mesos', undefined],
    ['zk://10.0.0.1,[::1]:9/mesos/', '10.0.0.1:2181,[::1]:9', '/mesos', undefined],
    ['zk://scott:tiger@one/mesos', 'one:2181', '/mesos', 'scott:tiger'],
    ['zk://scott:t:i@ger@one/mesos', 'one:2181', '/mesos', 'scott:t:i@ger'],
  ] as const) {
    it(`is read: ${text}`, () => expect(parseZooKeeperUrl(text)).to.deep.equal({ servers, path, credentials }));
  }

  for (const text of [
    '',
    'one:2181/mesos',
    'http://one/mesos',
    'zk://one',
    'zk://one/',
    'zk:///mesos',
    'zk://one//mesos',
    'zk://one:x/mesos',
    'zk://one:0/mesos',
    'zk://one:65536/mesos',
    'zk://one,,two/mesos',
    'zk://tiger@one/mesos',
    'zk://:tiger@one/mesos',
    'zk://scott:@one/mesos',
  ]) {
    it(`is refused: '${text}'`, () => {
      expect(() => parseZooKeeperUrl(text))
        .to.throw(RangeError, 'expected zk://')
        .that.satisfies(({ message }: Error) => !message.includes('tiger') && !message.includes('scott'));
    });
  }
});

describe('MasterInfo', () => {
  const options = { id: 'm', ip: '127.0.0.1', port: 5050, hostname: 'h', version: '1' };

  it('has the address as bytes, as text and as a process, as Mesos does', () => {
    expect(masterInfo(options)).to.deep.include({ ip: 16_777_343, port: 5050, pid: 'master@127.0.0.1:5050' });
    expect(masterInfo({ ...options, ip: '255.254.253.252' })['ip']).to.equal(4_244_504_319);
  });

  it('is refused for what is no IPv4 address and port', () => {
    for (const ip of ['', '::1', '1.2.3', '1.2.3.256', '1.2.3.4.5', 'host']) {
      expect(() => masterInfo({ ...options, ip }), ip).to.throw(RangeError, ip);
    }
    for (const port of [0, 65_536, 1.5, Number.NaN]) {
      expect(() => masterInfo({ ...options, port }), String(port)).to.throw(RangeError, 'port');
    }
  });

  it('carries the leader beside what Mesos knows', () => {
    const leader: Leader = { cluster: 'c', address: 'master@n#1.2', term: { created: 1, revision: 2 }, url: '' };
    const info = masterInfo(options);
    expect(leaderIn(encodeMember(info, leader))).to.deep.equal(leader);
    expect(leaderIn(encodeMember(info, undefined))).to.equal(undefined);
    for (const text of ['', 'null', '[]', '{', '{"mezzo": 1}', '{"mezzo": {"cluster": "c"}}']) {
      expect(leaderIn(new TextEncoder().encode(text)), text).to.equal(undefined);
      expect(decodeLeader(new TextEncoder().encode(text)), text).to.equal(undefined);
    }
  });
});

describe('the leader among the nodes in ZooKeeper', () => {
  it('is the one with the lowest number, whatever else is there', () => {
    expect(
      lowest(['json.info_0000000010', 'log_replicas', 'json.info_0000000009', 'info_0000000001', 'json.info_1']),
    ).to.equal('json.info_0000000009');
    expect(lowest(['log_replicas'])).to.equal(undefined);
  });
});
