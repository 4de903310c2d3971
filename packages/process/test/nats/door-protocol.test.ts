import { Runtime } from '@mezzo/process';
import { nats } from '@mezzo/process/nats';
import { expect } from 'chai';

import { withNatsServer } from '../../../../test/support/nats-server.ts';
import { Add, Adder, First, Listener, Sum } from '../transport/processes.ts';
import { poll } from '../transport/worlds.ts';
import { PlainClient } from './plain-client.ts';

/** An actor anybody can ask. */
class Open extends Adder {
  protected override initialize(): void {
    super.initialize();
    this.open();
  }
}

describe('a socket that speaks the NATS protocol, and no more', () => {
  const server = withNatsServer({ credentials: 'none' });
  let a: Runtime;
  let client: PlainClient;

  beforeEach(async () => {
    a = await Runtime.start({ name: 'a', transport: nats({ servers: server.url }) });
    a.spawn(new Open('counter'));
    await poll(() => a.cell('counter')?.initialized === true);
    client = await PlainClient.connect(server.port);
    client.say('SUB _INBOX.plain.* 1');
  });
  afterEach(async () => {
    client.close();
    await a.stop();
  });

  const isAnswer = (line: string): boolean => /^H?MSG /.test(line);

  it('asks an actor by the kind in a header', async () => {
    client.sayWithHeaders('mezzo.name.counter', 'Mezzo-Kind: add', '{"n":41}', '_INBOX.plain.1');
    const { line, headers, payload } = await client.hear(isAnswer);
    expect(line).to.match(/^HMSG _INBOX\.plain\.1 1 \d+ \d+$/);
    expect(headers).to.equal('NATS/1.0\r\nMezzo-Kind: sum\r\n\r\n');
    expect(payload).to.equal('{"n":42}');
    await poll(() => a.processes.length === 1);
    await a.ask(a.pid('counter'), Add, { n: 1 }, { reply: Sum });
    await client.flush();
    expect(client.heard, 'it is answered once').to.deep.equal([]);
  });

  it('asks an actor without headers, by PUB', async () => {
    const json = '{"kind":"add","body":{"n":1}}';
    client.say(`PUB mezzo.name.counter _INBOX.plain.2 ${json.length}`, json);
    const { headers, payload } = await client.hear(isAnswer);
    expect(headers).to.equal('NATS/1.0\r\nMezzo-Kind: sum\r\n\r\n');
    expect(payload).to.equal('{"n":2}');
  });

  it('is told of its errors', async () => {
    client.sayWithHeaders('mezzo.name.counter', 'Mezzo-Kind: add', '{"n":"x"}', '_INBOX.plain.3');
    const { headers, payload } = await client.hear(isAnswer);
    expect(headers).to.equal('NATS/1.0\r\nMezzo-Error: MESSAGE_INVALID\r\n\r\n');
    expect(JSON.parse(payload)).to.deep.equal({
      code: 'MESSAGE_INVALID',
      message: "The body of 'add' does not satisfy its schema: not of the expected shape",
    });
  });

  it('tells an actor something, and hears nothing', async () => {
    const listener = new Listener('listener');
    a.open(a.spawn(listener));
    await a.ask(a.pid('counter'), Add, { n: 1 }, { reply: Sum });
    client.sayWithHeaders('mezzo.name.listener', 'Mezzo-Kind: first', '{"n":7}');
    await poll(() => listener.heard.length === 1);
    expect(listener.heard).to.deep.equal(['first 7']);
    await client.flush();
    expect(client.heard).to.deep.equal([]);
  });

  it('hears from the server when nobody has the door open', async () => {
    client.sayWithHeaders('mezzo.name.elsewhere', 'Mezzo-Kind: add', '{"n":1}', '_INBOX.plain.4');
    expect((await client.hear(isAnswer)).headers).to.match(/^NATS\/1\.0 503/);
  });

  it('finds the door open again once the server has been away', async () => {
    await server.restart();
    client.close();
    client = await PlainClient.connect(server.port);
    client.say('SUB _INBOX.plain.* 1');
    await poll(() => {
      client.sayWithHeaders('mezzo.name.counter', 'Mezzo-Kind: add', '{"n":1}', '_INBOX.plain.1');
      return client.heard.some(({ payload }) => payload === '{"n":2}');
    });
  });

  it('makes no node answer anywhere but in an inbox', async () => {
    client.say('SUB mezzo.> 2');
    client.say('SUB orders.> 3');
    const elsewhere = [
      'mezzo.b.a',
      'mezzo.a.a',
      'mezzo.@.topic.leader',
      '$JS.API.STREAM.DELETE.x',
      'orders.cancel',
      '_INBOXES',
    ];
    for (const reply of elsewhere) client.sayWithHeaders('mezzo.name.counter', 'Mezzo-Kind: add', '{"n":1}', reply);
    await poll(() => a.metrics.wireRejected === elsewhere.length);
    client.sayWithHeaders('mezzo.name.counter', 'Mezzo-Kind: add', '{"n":1}', '_INBOX_mine.x');
    client.sayWithHeaders('mezzo.name.counter', 'Mezzo-Kind: add', '{"n":1}', '_INBOX.plain.5');
    expect((await client.hear((line) => line.startsWith('HMSG _INBOX.plain.5'))).payload).to.equal('{"n":2}');
    expect(client.heard.filter(({ line }) => !line.includes(' mezzo.name.counter '))).to.deep.equal([]);
  });

  it('that sends headers which are none, or bytes which are no text, is answered and harms nobody', async () => {
    const broken = [
      'no colon',
      'bad key: x',
      ': x',
      'Mezzo-Kind',
      '\u0000\u0001: x',
      'Mezzo-Kind: add\r\nbad (key): y',
    ];
    for (const [index, headers] of broken.entries()) {
      client.sayWithHeaders('mezzo.name.counter', headers, '{"n":1}', `_INBOX.plain.${index}`);
      expect((await client.hear(isAnswer)).headers, headers).to.include('Mezzo-Error: MESSAGE_INVALID');
    }
    const noText = Buffer.from([0x22, 0xff, 0xfe, 0x22]);
    client.sayWithHeaders('mezzo.name.counter', 'Mezzo-Kind: add', noText, '_INBOX.plain.x');
    expect((await client.hear(isAnswer)).payload).to.include('The message is no JSON');
    client.sayWithHeaders('mezzo.name.counter', 'Mezzo-Kind: add', '{"n":1}', '_INBOX.plain.y');
    expect((await client.hear(isAnswer)).payload).to.equal('{"n":2}');
    expect(a.metrics.wireRejected).to.equal(broken.length + 1);
  });

  it('that sends a node broken headers and nothing else does not make it deaf', async () => {
    for (const headers of ['bad key: x', ': x', '(): x']) client.sayWithHeaders('mezzo.a.stranger', headers);
    await client.flush();
    await using b = await Runtime.start({ name: 'b', transport: nats({ servers: server.url }) });
    const listener = new Listener('listener');
    a.spawn(listener);
    b.send(b.pid('listener@a'), First, { n: 1 });
    await poll(() => listener.heard.length === 1);
    expect(a.metrics.wireRejected).to.equal(3);
  });
});
