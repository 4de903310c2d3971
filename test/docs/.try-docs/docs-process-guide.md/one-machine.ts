import { ProcessError, Runtime } from '@mezzo/process';
import { Reserve } from './messages.ts';
import { Stock } from './stock.ts';

await using runtime = await Runtime.start();
const stock = runtime.spawn(new Stock('stock'));

const { left } = await runtime.ask(stock, Reserve, { item: 'lamp', count: 2 });
console.log(`${left} left`);

try {
  await runtime.ask(stock, Reserve, { item: 'lamp', count: 2 });
} catch (error) {
  if (error instanceof ProcessError) console.log(error.code, error.message.split(': ')[1]);
}
