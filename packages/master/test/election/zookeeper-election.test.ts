import { message, Network, nodePlatform, type PID, Process, Runtime } from '@mezzo/process';
import { compareTerms, Detect, Detected, type Leader, type Term } from '@mezzo/protocol';
import { expect } from 'chai';
import zookeeper from 'node-zookeeper-client';
import { Deposed, Elected, Leads } from '../../src/election/contender-messages.ts';
import { masterInfo } from '../../src/election/zookeeper/master-info.ts';
import { ZooKeeperContender } from '../../src/election/zookeeper/zookeeper-contender.ts';
import { ZooKeeperDetector } from '../../src/election/zookeeper/zookeeper-detector.ts';
import { ZooKeeperServer } from './zookeeper-server.ts';

const sessionTimeout = 2000;

class Reigning extends Process {}

class Owner extends Process {
  readonly log: string[] = [];
  term: Term | undefined;
  readonly terms: Term[] = [];
  master: PID | undefined;
  contender: PID | undefined;
  readonly #url: string;
  readonly #number: number;
  readonly #timeout: number;

  constructor(url: string, number: number, timeout: number) {
    super('owner');
    this.#timeout = timeout;
    this.#url = url;
    this.#number = number;
    this.install(Elected, ({ term }, from) => {
      this.log.push('elected');
      this.terms.push(term);
      this.term = term;
      this.master = this.runtime.spawn(new Reigning(this.runtime.generateId('master')));
      this.send(from, Leads, { term, master: this.master });
    });
    this.install(Deposed, ({ reason }) => {
      this.log.push(reason);
      if (this.master !== undefined) this.runtime.terminate(this.master);
      this.term = this.master = undefined;
    });
  }

  protected override initialize(): void {
    const info = masterInfo({
      id: `master-${this.#number}`,
      ip: '10.0.0.1',
      port: 5050 + this.#number,
      hostname: 'host',
      version: '1.12.0',
    });
    const options = { cluster: 'test', url: this.#url, info, owner: this.self, sessionTimeout: this.#timeout };
    this.contender = this.runtime.spawn(new ZooKeeperContender(options));
  }
}

const Ask = message<void>('ask');

class Asker extends Process {
  readonly answers: (Leader | undefined)[] = [];

  constructor(detector: PID) {
    super('asker');
    this.install(Detected, ({ leader }) => {
      this.answers.push(leader);
      this.send(detector, Detect, { previous: leader });
    });
    this.install(Ask, () => void this.send(detector, Detect, { previous: undefined }));
  }
}

async function until(condition: () => boolean, what: string, limit = 15_000): Promise<number> {
  const start = Date.now();
  while (!condition()) {
    if (Date.now() - start > limit) throw new Error(`Not within ${limit} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return Date.now() - start;
}

/** What another program finds there: names and contents. */
async function read(server: ZooKeeperServer, path: string): Promise<ReadonlyMap<string, Record<string, unknown>>> {
  const client = zookeeper.createClient(server.address, { sessionTimeout: 5000 });
  client.connect();
  try {
    const names = await new Promise<string[]>((resolve, reject) =>
      client.getChildren(path, (error, found) => (error ? reject(error as Error) : resolve(found))),
    );
    const found = new Map<string, Record<string, unknown>>();
    for (const name of names.sort()) {
      const data = await new Promise<Buffer>((resolve, reject) =>
        client.getData(`${path}/${name}`, (error, bytes) => (error ? reject(error as Error) : resolve(bytes))),
      );
      found.set(name, JSON.parse(data.toString()) as Record<string, unknown>);
    }
    return found;
  } finally {
    client.close();
  }
}

describe('an election in ZooKeeper', function () {
  this.timeout(90_000);
  let server: ZooKeeperServer;
  const runtimes: Runtime[] = [];
  let network: Network;
  let count = 0;

  before(async () => {
    server = await ZooKeeperServer.start();
  });
  beforeEach(() => {
    network = new Network({ clock: nodePlatform().clock });
    count++;
  });
  afterEach(async () => {
    for (const runtime of runtimes.splice(0)) await runtime.stop();
  });
  after(async () => server.stop());

  async function node(name: string): Promise<Runtime> {
    const runtime = await Runtime.start({ name, transport: network.transport(), onError: console.error });
    runtimes.push(runtime);
    return runtime;
  }

  async function owners(
    many: number,
    credentials = '',
    timeout = sessionTimeout,
  ): Promise<{ url: string; path: string; all: Owner[]; nodes: Runtime[] }> {
    const path = `/mezzo/test-${count}`;
    const url = `zk://${credentials}${server.address}${path}`;
    const [all, nodes]: [Owner[], Runtime[]] = [[], []];
    for (let number = 0; number < many; number++) {
      const runtime = await node(`node-${number}`);
      const owner = new Owner(url, number, timeout);
      runtime.spawn(owner);
      await until(() => owner.contender !== undefined, 'a contender');
      all.push(owner);
      nodes.push(runtime);
    }
    await until(() => all.some(({ master }) => master !== undefined), 'a leader');
    return { url, path, all, nodes };
  }

  const leading = (all: readonly Owner[]): number => all.findIndex(({ term }) => term !== undefined);

  it('has the masters where Mesos has them: in nodes in sequence, with MasterInfo as JSON', async () => {
    const { path, all } = await owners(3);
    await until(() => all.filter(({ term }) => term !== undefined).length === 1, 'one leader');
    let found = await read(server, path);
    for (const deadline = Date.now() + 10_000; found.size < 3 && Date.now() < deadline;)
      found = await read(server, path);
    const names = [...found.keys()];
    expect(names).to.have.length(3);
    for (const name of names) expect(name).to.match(/^json\.info_\d{10}$/);
    const leader = all[leading(all)];
    const { mezzo, ...first } = found.get(names[0] ?? '') ?? {};
    expect(first).to.deep.equal({
      id: `master-${leading(all)}`,
      ip: 16_777_226,
      port: 5050 + leading(all),
      pid: `master@10.0.0.1:${5050 + leading(all)}`,
      hostname: 'host',
      version: '1.12.0',
      address: { hostname: 'host', ip: '10.0.0.1', port: 5050 + leading(all) },
      capabilities: [{ type: 'AGENT_UPDATE' }, { type: 'AGENT_DRAINING' }, { type: 'QUOTA_V2' }],
    });
    expect(mezzo).to.deep.equal({ cluster: 'test', address: leader?.master?.address, term: leader?.term, url: '' });
    expect(found.get(names[1] ?? '')).to.not.have.property('mezzo');
  });

  it('goes on to the next master when the leader ends, with a higher term', async () => {
    const { path, all, nodes } = await owners(3, '', 20_000);
    // All have joined and looked, and will not look again by themselves for 4 s.
    while ((await read(server, path)).size < 3);
    for (let looks = 0; looks < 20; looks++) await read(server, path);
    const first = leading(all);
    const [owner, runtime] = [all[first], nodes[first]];
    if (owner?.contender === undefined || owner.term === undefined) throw new Error('no leader');
    const term = owner.term;
    runtime?.terminate(owner.self);
    await until(() => all.some(({ terms }, index) => index !== first && terms.length > 0), 'a new leader', 2000);
    const next = all.find(({ terms }, index) => index !== first && terms.length > 0);
    expect(compareTerms(next?.terms[0] ?? term, term)).to.be.greaterThan(0);
    expect(next?.terms[0]?.created).to.equal(term.created);
  });

  it('goes on to the next master when the one that leads ends by itself, and back when that does', async () => {
    const { all, nodes } = await owners(2);
    const first = leading(all);
    const master = all[first]?.master;
    if (master === undefined) throw new Error('no master');
    nodes[first]?.terminate(master);
    await until(() => leading(all) === 1 - first, 'the other leads');
    expect(all[first]?.log).to.deep.equal(['elected', 'the master has ended: terminated']);
    const other = all[1 - first]?.master;
    if (other !== undefined) nodes[1 - first]?.terminate(other);
    // It stayed away for the time of a session.
    expect(await until(() => leading(all) === first, 'the first leads again')).to.be.greaterThan(sessionTimeout / 2);
    const [before, after] = all[first]?.terms ?? [];
    if (before === undefined || after === undefined) throw new Error('no terms');
    expect(compareTerms(after, before)).to.be.greaterThan(0);
  });

  it('tells a detector who leads, and when nobody does', async () => {
    const { url, all, nodes } = await owners(2);
    const guide = await node('guide');
    const asker = new Asker(guide.spawn(new ZooKeeperDetector({ url, sessionTimeout })));
    guide.send(guide.spawn(asker), Ask);
    await until(() => asker.answers.length > 0, 'an answer');
    const first = leading(all);
    expect(asker.answers[0]).to.deep.equal({
      cluster: 'test',
      address: all[first]?.master?.address,
      term: all[first]?.term,
      url: '',
    });
    nodes[first]?.terminate(all[first]?.self ?? guide.pid('nobody'));
    await until(() => asker.answers.at(-1)?.address === all[1 - first]?.master?.address, 'the next leader');
    nodes[1 - first]?.terminate(all[1 - first]?.self ?? guide.pid('nobody'));
    await until(() => asker.answers.at(-1) === undefined, 'nobody');
  });

  it('keeps strangers from writing where it was given credentials', async () => {
    const { path, all } = await owners(1, 'scott:tiger@');
    const [name = ''] = (await read(server, path)).keys();
    const client = zookeeper.createClient(server.address);
    client.connect();
    const refused = await new Promise((resolve) => client.setData(`${path}/${name}`, Buffer.from('x'), resolve));
    client.close();
    expect(refused).to.have.property('code', zookeeper.Exception.NO_AUTH);
    expect(all[0]?.log).to.deep.equal(['elected']);
  });

  it('stays as it is while the server is away for less than a session', async () => {
    const { path, all } = await owners(2, 'scott:tiger@', 20_000);
    await until(() => all.every(({ contender }) => contender !== undefined), 'contenders');
    await server.kill();
    await server.run();
    // Each looks again, with its credentials.
    await new Promise((resolve) => setTimeout(resolve, 5000));
    expect(all.flatMap(({ log }) => log)).to.deep.equal(['elected']);
    expect(await read(server, path)).to.have.property('size', 2);
  });

  it('a leader that hears nothing of ZooKeeper stops before its session can be over, and another term follows', async () => {
    const { url, all } = await owners(2);
    const guide = await node('guide');
    const asker = new Asker(guide.spawn(new ZooKeeperDetector({ url, sessionTimeout })));
    guide.send(guide.spawn(asker), Ask);
    await until(() => asker.answers.length > 0, 'an answer');
    const first = leading(all);
    const term = all[first]?.term;
    server.signal('SIGSTOP');
    try {
      expect(await until(() => leading(all) === -1, 'nobody leads')).to.be.within(500, sessionTimeout);
      await until(() => asker.answers.at(-1) === undefined, 'the detector gives up');
    } finally {
      server.signal('SIGCONT');
    }
    await until(() => all.some(({ master }) => master !== undefined), 'a new leader');
    const next = all[leading(all)]?.term;
    if (term === undefined || next === undefined) throw new Error('no terms');
    expect(compareTerms(next, term)).to.be.greaterThan(0);
    await until(() => asker.answers.at(-1)?.address === all[leading(all)]?.master?.address, 'the detector finds it');
    expect(all.flatMap(({ terms }) => terms.map(({ revision }) => revision))).to.satisfy(
      (revisions: readonly number[]) => new Set(revisions).size === revisions.length,
    );
  });
});
