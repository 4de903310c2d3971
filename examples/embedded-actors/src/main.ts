import { dispatch, Runtime } from '@mezzo/process';
import { Get, Got, Keeper, Put } from './embedded-actors.ts';

await using runtime = await Runtime.start();
const keeper = runtime.spawn(new Keeper('keeper'));
const cache = await dispatch(keeper, (it) => it.cache);
if (cache === undefined) throw new Error('the keeper has no cache');
runtime.send(cache, Put, { key: 'greeting', value: 'hello' });
const { value } = await runtime.ask(cache, Get, { key: 'greeting' }, { reply: Got, timeout: '1s' });
console.log(value);
