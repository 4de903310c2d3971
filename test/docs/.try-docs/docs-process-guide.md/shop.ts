import { Runtime } from '@mezzo/process';
import { nats } from '@mezzo/process/nats';
import { Reserve } from './messages.ts';

await using runtime = await Runtime.start({
  name: 'shop',
  transport: nats({ servers: process.env['NATS_URL'] ?? 'nats://127.0.0.1:4222' }),
});
const stock = runtime.pid('stock@warehouse');
const answer = await runtime.ask(stock, Reserve, { item: 'lamp', count: 1 });
console.log(`${answer.left} left at ${stock.node}`);
