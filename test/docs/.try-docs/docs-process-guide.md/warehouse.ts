import { Runtime } from '@mezzo/process';
import { nats } from '@mezzo/process/nats';
import { Stock } from './stock.ts';

const runtime = await Runtime.start({
  name: 'warehouse',
  transport: nats({ servers: process.env['NATS_URL'] ?? 'nats://127.0.0.1:4222' }),
});
runtime.spawn(new Stock('stock'));
console.log('open');
