import { type ProcessError, Runtime } from '@mezzo/process';
import { type Grants, nats, type NatsOptions, permissionsFor, permissionsOf } from '@mezzo/process/nats';
import { expect } from 'chai';
import { type ConnectionOptions, connect, credsAuthenticator, headers, type NatsConnection } from 'nats';
import { createUser } from 'nkeys.js';

import { Add, Adder, First, Listener, Sum } from '../transport/processes.ts';
import { poll } from '../transport/worlds.ts';
import { type ConfiguredServer, withConfiguredServer } from './configured-server.ts';
import { Operator } from './operator.ts';

/** Everything a configuration could stumble over. */
const password = 'p"w\\d$HOME # } ] \' //x';
const has = { password };

const grants = {
  nodes: [
    { name: 'a', announces: ['leader.>'], opens: ['counter'], ...has },
    { name: 'b', listens: ['leader.*'], ...has },
    { name: 'shy', peers: ['a'], ...has },
    { name: 'mallory', announces: ['own'], listens: ['own'], opens: ['own'], ...has },
  ],
  callers: [
    { name: 'alice', doors: ['counter'], ...has },
    { name: 'eve', doors: ['own'], ...has },
    { name: 'nobody', doors: [], ...has },
  ],
} satisfies Grants;

/** What mallory, who has a node of her own with a topic and a door, may not publish to. */
const unpublishable: readonly (readonly [what: string, subject: string])[] = [
  ['a message in the name of another', 'mezzo.b.a'],
  ['an answer in the name of another', 'mezzo.a.b'],
  ['a message to herself in the name of another', 'mezzo.mallory.a'],
  ['a claim of the name of another', 'mezzo.a.a'],
  ['a claim of a name that nobody has', 'mezzo.ghost.ghost'],
  ["the broker's word that nobody listens", 'mezzo.a.~'],
  ['an announcement on the topic of another', 'mezzo.@.topic.leader.one'],
  ['an announcement below her own topic', 'mezzo.@.topic.own.more'],
  ['a message to a door', 'mezzo.name.counter'],
  ['a message to her own door', 'mezzo.name.own'],
  ['a message to a door that has her name', 'mezzo.name.mallory'],
  ['an answer to a caller of another door', '_INBOX_alice.x'],
  ['an answer to whoever asks', '_INBOX.x.1'],
  ['an answer across accounts', '_R_.x'],
  ['a message on another prefix', 'other.a.mallory'],
  ['a message to another program', 'orders.cancel'],
  ['a question to the server', '$SYS.REQ.SERVER.PING'],
  ['a question to JetStream', '$JS.API.STREAM.CREATE.x'],
  ['a write to a key-value bucket', '$KV.bucket.key'],
];

const unhearable: readonly (readonly [what: string, subject: string])[] = [
  ['everything', '>'],
  ['everything of one word or more', '*.>'],
  ['everything of the prefix', 'mezzo.>'],
  ['every mailbox', 'mezzo.*.*'],
  ['every mailbox, whatever the prefix', '*.*.*'],
  ['the mailbox of another', 'mezzo.b.*'],
  ['the mailbox of another and more', 'mezzo.b.>'],
  ['what one other sends another', 'mezzo.b.a'],
  ['what she herself sends', 'mezzo.*.mallory'],
  ['claims of a name', 'mezzo.a.a'],
  ['every topic', 'mezzo.@.topic.>'],
  ['the topic of another', 'mezzo.@.topic.leader.one'],
  ['more than topics', 'mezzo.@.>'],
  ['every door', 'mezzo.name.*'],
  ['every door and more', 'mezzo.name.>'],
  ['the door of another', 'mezzo.name.counter'],
  ['inboxes', '_INBOX.>'],
  ['the inbox of a caller', '_INBOX_alice.>'],
  ['the inbox of a caller of her own door', '_INBOX_eve.>'],
  ['answers across accounts', '_R_.>'],
  ['the server', '$SYS.>'],
  ['JetStream', '$JS.>'],
  ['a key-value bucket', '$KV.>'],
];

interface Login {
  node(name: string): Partial<NatsOptions>;
  client(name: string): Partial<ConnectionOptions>;
}

const operator = new Operator();
const tokens = new Map([...permissionsOf(grants)].map(([name, own]) => [name, operator.credentials(name, own)]));
const tokenOf = (name: string): string => tokens.get(name) ?? 'none';

describe('a broker with permissions made for its nodes', () => {
  describe('as a block of its configuration', () => {
    confines(withConfiguredServer(`jetstream: enabled\n${permissionsFor(grants)}`), {
      node: (name) => ({ user: name, password }),
      client: (name) => ({ user: name, pass: password }),
    });
  });

  describe('as the JWTs of its users', () => {
    confines(withConfiguredServer(operator.configuration), {
      node: (name) => ({ credentials: tokenOf(name) }),
      client: (name) => ({ authenticator: credsAuthenticator(Buffer.from(tokenOf(name))) }),
    });
  });
});

interface Client {
  readonly connection: NatsConnection;
  /** What the server did not permit it. */
  readonly refused: string[];
}

async function enter(server: ConfiguredServer, options: Partial<ConnectionOptions>): Promise<Client> {
  const connection = await connect({ servers: server.url, ...options });
  const refused: string[] = [];
  void (async () => {
    for await (const { permissionContext } of connection.status()) {
      if (permissionContext !== undefined) refused.push(`${permissionContext.operation} ${permissionContext.subject}`);
    }
  })();
  return { connection, refused };
}

function confines(server: ConfiguredServer, login: Login): void {
  const clients = new Map<string, Client>();
  let a: Runtime;
  let b: Runtime;
  let listener: Listener;

  const start = (name: string, as = name, errors: unknown[] = []): Promise<Runtime> =>
    Runtime.start({
      name,
      transport: nats({ servers: server.url, ...login.node(as) }),
      onError: (error) => errors.push(error),
    });
  /** As a client that knows nothing of nodes; one connection for all tests. */
  const client = async (name: string): Promise<Client> => {
    const options = { ...login.client(name), inboxPrefix: `_INBOX_${name}` };
    const entered = clients.get(name) ?? (await enter(server, options));
    clients.set(name, entered);
    entered.refused.length = 0;
    return entered;
  };

  before(async () => {
    [a, b] = [await start('a'), await start('b')];
    a.open(a.spawn(new Adder('counter')));
    listener = new Listener('listener');
    b.spawn(listener);
  });
  after(async () => {
    for (const { connection } of clients.values()) await connection.close();
    await a.stop();
    await b.stop();
  });

  it('lets nodes talk, ask and announce', async () => {
    expect(await b.ask(b.pid('counter@a'), Add, { n: 1 }, { reply: Sum })).to.deep.equal({ n: 2 });
    const heard: Uint8Array[] = [];
    b.listen('leader.one', (data) => heard.push(data));
    await poll(() => {
      a.announce('leader.one', Buffer.from('me'));
      return heard.length > 0;
    });
  });

  it('lets a caller ask at the doors that it may, with inboxes of its own', async () => {
    const { connection, refused } = await client('alice');
    const fields = headers();
    fields.set('Mezzo-Kind', 'add');
    const answer = await connection.request('mezzo.name.counter', '{"n":41}', { headers: fields, timeout: 5000 });
    expect(answer.string()).to.equal('{"n":42}');
    expect(refused).to.deep.equal([]);
  });

  for (const [caller, subject] of [
    ['eve', 'mezzo.name.counter'],
    ['eve', 'mezzo.a.eve'],
    ['nobody', 'mezzo.name.counter'],
    ['nobody', 'orders.cancel'],
  ] as const) {
    it(`does not let caller ${caller} publish to ${subject}`, async () => {
      const { connection, refused } = await client(caller);
      connection.publish(subject, '{}');
      await poll(() => refused.length > 0);
      expect(refused).to.deep.equal([`publish ${subject}`]);
    });
  }

  for (const [what, subject] of unpublishable) {
    it(`does not let a node publish ${what}: ${subject}`, async () => {
      const { connection, refused } = await client('mallory');
      const rejected = [a.metrics.wireRejected, b.metrics.wireRejected];
      connection.publish(subject, 'returned 1');
      await poll(() => refused.length > 0);
      expect(refused).to.deep.equal([`publish ${subject}`]);
      expect([a.metrics.wireRejected, b.metrics.wireRejected]).to.deep.equal(rejected);
    });
  }

  for (const [what, subject] of unhearable) {
    for (const queue of [undefined, 'mezzo']) {
      it(`does not let a node hear ${what}: ${subject}${queue === undefined ? '' : ` in queue ${queue}`}`, async () => {
        const { connection, refused } = await client('mallory');
        const heard: string[] = [];
        const subscription = connection.subscribe(subject, {
          ...(queue === undefined ? {} : { queue }),
          callback: (error, message) => void (error === null && heard.push(message.subject)),
        });
        await poll(() => refused.length > 0);
        expect(refused[0]).to.include(`subscription ${subject}`);
        a.send(a.pid('listener@b'), First, { n: 1 });
        a.announce('leader.one', Buffer.from('me'));
        await b.ask(b.pid('counter@a'), Add, { n: 1 }, { reply: Sum });
        await connection.flush();
        expect(heard).to.deep.equal([]);
        subscription.unsubscribe();
      });
    }
  }

  it('lets nobody earn a permission by a reply subject of its own making', async () => {
    const { connection, refused } = await client('mallory');
    const heard: string[] = [];
    const own = connection.subscribe('mezzo.mallory.*', { callback: (_error, { reply = '' }) => heard.push(reply) });
    connection.publish('mezzo.mallory.mallory', '', { reply: 'mezzo.b.a' });
    await poll(() => heard.includes('mezzo.b.a'));
    connection.publish('mezzo.b.a', 'as if from a');
    await poll(() => refused.length > 0);
    expect(refused).to.deep.equal(['publish mezzo.b.a']);
    own.unsubscribe();
  });

  it('takes what a node sends in its own name for what it is', async () => {
    const { connection, refused } = await client('mallory');
    const before = b.metrics.wireRejected;
    connection.publish('mezzo.b.mallory', 'garbage');
    await poll(() => b.metrics.wireRejected === before + 1);
    expect(refused).to.deep.equal([]);
  });

  it('lets a node of few peers talk to no others, and it is told so', async () => {
    const errors: unknown[] = [];
    const shy = await start('shy', 'shy', errors);
    expect(await shy.ask(shy.pid('counter@a'), Add, { n: 1 }, { reply: Sum })).to.deep.equal({ n: 2 });
    const before = listener.heard.length;
    shy.send(shy.pid('listener@b'), First, { n: 666 });
    await poll(() => errors.length > 0);
    expect(String(errors[0])).to.include("does not permit node 'shy'").and.include('mezzo.b.shy');
    expect(listener.heard.slice(before)).not.to.include('first 666');
    // It would wait for what b never takes.
    shy.crash();
  });

  it('does not let a node start under the name of another', async () => {
    let told: ProcessError | undefined;
    try {
      await start('a', 'mallory');
    } catch (error) {
      told = error as ProcessError;
    }
    expect(told?.code).to.equal('TRANSPORT_UNAVAILABLE');
    expect(told?.message).to.include(server.url).and.include("does not permit node 'a'").and.include('mezzo.a');
  });

  it('tells a node that opens a door, or hears a topic, that it may not', async () => {
    const errors: unknown[] = [];
    await using own = await start('mallory', 'mallory', errors);
    own.open(own.spawn(new Adder('adder')), 'counter');
    own.listen('leader.one', () => {});
    await poll(() => errors.length >= 2);
    expect(errors.map(String).join()).to.include('mezzo.name.counter').and.include('mezzo.@.topic.leader.one');
  });
}

describe('permissions', () => {
  const node = { name: 'a', password: 'x' };
  const publicKey = createUser().getPublicKey();

  for (const [what, given, code, told] of [
    ['a node name that is no word', { nodes: [{ ...node, name: 'a.b' }] }, 'NODE_NAME_INVALID', "'a.b'"],
    ['a node name with a wildcard', { nodes: [{ ...node, name: '*' }] }, 'NODE_NAME_INVALID', "'*'"],
    ['the word of doors for a node', { nodes: [{ ...node, name: 'name' }] }, 'NODE_NAME_INVALID', 'doors'],
    ['a peer that is no word', { nodes: [{ ...node, peers: ['>'] }] }, 'NODE_NAME_INVALID', "'>'"],
    ['a door that is no word', { nodes: [{ ...node, opens: ['*'] }] }, 'DOOR_NAME_INVALID', "'*'"],
    ['a topic with quotes', { nodes: [{ ...node, listens: ['a"b'] }] }, 'PERMISSION_INVALID', 'a"b'],
    ['a topic with > in the middle', { nodes: [{ ...node, listens: ['a.>.b'] }] }, 'PERMISSION_INVALID', 'a.>.b'],
    ['a topic with a wildcard in a word', { nodes: [{ ...node, announces: ['a*'] }] }, 'PERMISSION_INVALID', 'a*'],
    ['an empty topic', { nodes: [{ ...node, announces: [''] }] }, 'PERMISSION_INVALID', "''"],
    ['a prefix with a wildcard', { nodes: [node], prefix: '>' }, 'TRANSPORT_OPTION_INVALID', "'>'"],
    ['two of one name', { nodes: [node], callers: [{ ...node, doors: [] }] }, 'PERMISSION_INVALID', "'a' twice"],
    ['two of one user', { nodes: [node, { ...node, name: 'b', user: 'a' }] }, 'PERMISSION_INVALID', "'b'"],
    ['a password with a line end', { nodes: [{ ...node, password: 'x\ny' }] }, 'PERMISSION_INVALID', 'printable'],
    ['an empty password', { nodes: [{ ...node, password: '' }] }, 'PERMISSION_INVALID', 'printable'],
    ['a seed for a public key', { nodes: [{ name: 'a', nkey: 'SUSEED' }] }, 'PERMISSION_INVALID', 'public key'],
  ] as const) {
    it(`refuse ${what}`, () => {
      const make = (): string => permissionsFor(given);
      expect(make).to.throw(told).with.property('code', code);
      expect(make).to.not.throw('SUSEED');
    });
  }

  it('give one who may send to no door no right to publish at all: an empty list would allow everything', () => {
    const [only] = permissionsOf({ nodes: [], callers: [{ name: 'c', doors: [] }] }).values();
    expect(only?.pub).to.deep.equal({ allow: [], deny: ['>'] });
  });

  it('know users by nkey, and nodes of any prefix', () => {
    const text = permissionsFor({ prefix: 'my.app', nodes: [{ name: 'a', nkey: publicKey, listens: ['>', '*.x'] }] });
    expect(text).to.equal(`authorization {
  users = [
    # a
    { nkey: ${publicKey}, permissions: {
        publish: { allow: ["my.app.*.a", "my.app.a.a"], deny: ["my.app.name.>"] },
        subscribe: { allow: ["my.app.a.*", "my.app.@.topic.>", "my.app.@.topic.*.x"] } } }
  ]
}
`);
  });
});
