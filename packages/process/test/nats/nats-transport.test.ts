import { expect } from 'chai';
import { message, Process, Runtime, type WireSchema } from '@mezzo/process';
import { nats } from '@mezzo/process/nats';
import { withNatsServer } from '../../../../test/support/nats-server.ts';

const any = <T,>(): WireSchema<T> => ({ '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value: value as T }) } });
const Ping = message('ping', any<{ n: number }>());
const Pong = message('pong', any<{ n: number }>());
class Echo extends Process {
  protected override initialize(): void {
    this.install(Ping, ({ n }, from) => void this.send(from, Pong, { n: n + 1 }));
  }
}
describe('nats transport', () => {
  const server = withNatsServer();
  const start = (name: string) => Runtime.start({ name, transport: nats({ servers: server.url, nkeySeedFile: server.credentialsFile }) });
  it('asks', async () => {
    let t = performance.now();
    await using a = await start('a');
    await using b = await start('b');
    console.log('start', performance.now() - t);
    b.spawn(new Echo('echo'));
    t = performance.now();
    expect(await a.ask(a.pid('echo@b'), Ping, { n: 1 }, { reply: Pong })).to.deep.equal({ n: 2 });
    console.log('first ask', performance.now() - t);
    t = performance.now();
    for (let i = 0; i < 100; i++) await a.ask(a.pid('echo@b'), Ping, { n: 1 }, { reply: Pong });
    console.log('ask', (performance.now() - t) / 100);
    t = performance.now();
    let failure: unknown;
    try { await start('a'); } catch (error) { failure = error; }
    console.log(String(failure), performance.now() - t);
  });
});
