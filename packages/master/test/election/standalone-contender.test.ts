import { expect } from 'chai';
import { decodeLeader, detectTopic, type Leader, leaderTopic } from '@mezzo/protocol';
import { startMaster } from '@mezzo/master';
import { Simulation } from '@mezzo/process/testing';

async function setting(): Promise<{
  world: Simulation;
  heard: (Leader | undefined)[];
  ask: (cluster: string) => void;
  start: () => Promise<string>;
}> {
  const world = new Simulation();
  const listener = await world.start('listener');
  const heard: (Leader | undefined)[] = [];
  listener.listen(leaderTopic, (data) => void heard.push(decodeLeader(data)));
  const start = async (): Promise<string> =>
    startMaster(await world.start('master'), { cluster: 'blue' }).master.address;
  return { world, heard, start, ask: (cluster) => listener.announce(detectTopic, new TextEncoder().encode(cluster)) };
}

describe('the announcement of a standalone master', () => {
  it('comes at the start, every 5 s, and when somebody asks for its cluster', async () => {
    const { world, heard, ask, start } = await setting();
    await using _ = world;
    const address = await start();
    await world.advance('1s');
    expect(heard).to.deep.equal([
      { cluster: 'blue', address, term: { created: 1_704_067_200_000, revision: 1 }, url: '' },
    ]);
    ask('red');
    await world.advance('1s');
    expect(heard).to.have.length(1);
    ask('blue');
    await world.advance('1s');
    expect(heard).to.have.length(2);
    await world.advance('10s');
    expect(heard).to.have.length(4);
  });

  it('has a higher term after a restart', async () => {
    const { world, heard, start } = await setting();
    await using _ = world;
    await start();
    await world.advance('1s');
    world.crash('master');
    await world.advance('1s');
    await start();
    await world.advance('1s');
    const created = heard.map((leader) => leader?.term.created ?? 0);
    expect(created).to.deep.equal([1_704_067_200_000, 1_704_067_202_000]);
  });

  it('ends with its master', async () => {
    const { world, heard, ask } = await setting();
    await using _ = world;
    const runtime = await world.start('master');
    const { master } = startMaster(runtime, { cluster: 'blue' });
    await world.advance('1s');
    runtime.terminate(master);
    await world.advance('1s');
    ask('blue');
    await world.advance('1mins');
    expect(heard).to.have.length(1);
    expect(runtime.processes).to.deep.equal(['allocator-supervisor', 'allocator', 'registrar']);
  });
});
