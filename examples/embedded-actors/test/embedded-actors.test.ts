import { expect } from 'chai';
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Runtime } from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';
import { Get, Got, Keeper, Put } from '../src/embedded-actors.ts';

describe('embedded actors', () => {
  async function ask(world: Simulation, node: Runtime, key: string): Promise<string | undefined> {
    const answer = node.ask(node.pid('cache'), Get, { key }, { reply: Got, timeout: '1s' });
    await world.settle();
    return answer.get().value;
  }

  it('keeps a value for a minute after it was last put', async () => {
    await using world = new Simulation();
    const node = await world.start('node');
    node.spawn(new Keeper('keeper'));
    await world.settle();
    node.send(node.pid('cache'), Put, { key: 'greeting', value: 'hello' });
    await world.advance('30s');
    node.send(node.pid('cache'), Put, { key: 'greeting', value: 'hello' });
    await world.advance('59s');
    expect(await ask(world, node, 'greeting')).to.equal('hello');
    await world.advance('2s');
    expect(await ask(world, node, 'greeting')).to.equal(undefined);
  });

  it('has a new cache when the old one has crashed', async () => {
    await using world = new Simulation();
    const node = await world.start('node', { onError: () => undefined });
    const keeper = new Keeper('keeper');
    node.spawn(keeper);
    await world.settle();
    const first = keeper.cache;
    if (first === undefined) throw new Error('the keeper has no cache');
    node.dispatch(first, () => {
      throw new Error('crash');
    });
    await world.settle();
    expect(keeper.cache?.address).to.not.equal(first.address);
    expect(await ask(world, node, 'greeting')).to.equal(undefined);
  });

  it('runs as a program', () => {
    const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));
    const options = ['--import', 'tsx', '--conditions', 'mezzo:source', main];
    expect(execFileSync(process.execPath, options, { encoding: 'utf8' })).to.equal('hello\n');
  });
});
