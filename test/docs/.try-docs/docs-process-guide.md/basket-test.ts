import assert from 'node:assert/strict';
import { Simulation } from '@mezzo/process/testing';
import { Basket, Keep } from './basket.ts';

await using world = new Simulation();
const runtime = await world.start('shop');
const basket = new Basket('basket');
const pid = runtime.spawn(basket);

runtime.send(pid, Keep, 'lamp');
await world.advance('29mins');
assert.equal(basket.size(), 1);
await world.advance('1mins');
assert.equal(basket.size(), 0);
console.log('half an hour has passed');
