import { gzipSync } from 'node:zlib';
import { startAgent } from '@mezzo/agent';
import { countShards, type ShardTask } from '@mezzo/example-wordcount';
import { createAllocator, Master, Registrar, StandaloneContender, startMaster } from '@mezzo/master';
import { memoryLog } from '@mezzo/process/log';
import { Future } from '@mezzo/process';
import { type Script, Simulation } from '@mezzo/process/testing';
import { expect } from 'chai';

const agents = ['agent-1', 'agent-2', 'agent-3'];
const shardCount = 120;
const shards: readonly ShardTask[] = Array.from({ length: shardCount }, (_, index) => ({
  index,
  list: `/job/${index}.list`,
  bytes: 100,
}));

/** A task that takes twelve seconds and finds `index` times "even" or "odd", and "all" once. */
const script: Script = ({ environment }) => ({
  duration: '12s',
  finish: (files) => {
    const index = Number(/(\d+)\.list$/.exec(environment['WORDCOUNT_LIST'] ?? '')?.[1]);
    const lines = [
      'all 1',
      ...(index > 0 ? [`${index % 2 === 0 ? 'even' : 'odd'} ${index}`] : []),
      `. ${index + 1}`,
      '',
    ];
    files.write(`${environment['MESOS_SANDBOX']}/status.data`, gzipSync(lines.join('\n')));
  },
});

const expected = {
  words: (shardCount * (shardCount - 1)) / 2 + shardCount,
  distinct: 3,
  top: [
    ['odd', 3600],
    ['even', 3540],
    ['all', 120],
  ],
};

/** Master and allocator in one runtime. */
async function together(world: Simulation): Promise<void> {
  startMaster(await world.start('master'), { cluster: 'sim' });
}

/** Master, allocator and election in a runtime each, with the codec between them. */
async function exploded(world: Simulation): Promise<void> {
  const term = { created: world.clock.now(), revision: 1 };
  const allocator = (await world.start('allocation')).spawn(createAllocator('hierarchical', {}));
  const registrar = (await world.start('registry')).spawn(new Registrar({ log: memoryLog() }));
  const owner = (await world.start('election')).spawn(new StandaloneContender({ cluster: 'sim' }));
  (await world.start('master')).spawn(new Master({ cluster: 'sim', allocator, registrar, owner, term }));
}

async function addAgent(world: Simulation, name: string): Promise<void> {
  const started = startAgent(await world.start(name), {
    cluster: 'sim',
    workDirectory: `/work/${name}`,
    resources: 'cpus:2;mem:1024',
  });
  expect(await world.advanceUntil(() => started.isReady, '1s'), started.toString()).to.equal(true);
}

/** Runs the count for at most a minute of the cluster's time, with `disturb` called once a third is done. */
async function count(
  world: Simulation,
  disturb: () => void = () => {},
): Promise<Awaited<ReturnType<typeof countShards>>> {
  const runtime = await world.start('wordcount');
  let finished = 0;
  const outcome = Future.from(
    countShards(runtime, {
      cluster: 'sim',
      shards,
      resources: 'cpus:0.25;mem:32',
      onProgress: (progress) => {
        finished = progress.shards.finished;
      },
    }),
  );
  expect(await world.advanceUntil(() => finished >= shardCount / 3, '1mins')).to.equal(true);
  disturb();
  await world.advanceUntil(() => !outcome.isPending, '5mins');
  return outcome.get();
}

for (const [how, start] of [
  ['with the allocator beside the master', together],
  ['exploded: master, allocator and election in a runtime each', exploded],
] as const) {
  describe(`the word count under virtual time, ${how}`, () => {
    it('runs in one OS process, the shipping master, allocator, agents and framework', async () => {
      await using world = new Simulation({ latency: [0.2, 2], script });
      await start(world);
      for (const name of agents) await addAgent(world, name);
      const started = world.clock.now();
      const { tasks, ...counts } = await count(world);
      expect(world.clock.now() - started).to.be.greaterThan(60_000);
      expect(counts).to.deep.equal(expected);
      expect(tasks).to.deep.equal({ TASK_FINISHED: shardCount });
    });

    it('stays exact when an agent crashes, and its tasks are lost', async () => {
      await using world = new Simulation({ latency: [0.2, 2], script });
      await start(world);
      for (const name of agents) await addAgent(world, name);
      const { tasks, ...counts } = await count(world, () => world.crash('agent-2'));
      expect(counts).to.deep.equal(expected);
      expect(tasks.TASK_FINISHED).to.equal(shardCount);
      expect(tasks.TASK_LOST).to.be.greaterThan(0);
    });

    it('stays exact when an agent is cut off for longer than its link holds', async () => {
      await using world = new Simulation({ latency: [0.2, 2], script });
      await start(world);
      for (const name of agents) await addAgent(world, name);
      const { tasks, ...counts } = await count(world, () => {
        for (const other of ['master', 'wordcount']) world.network.partition('agent-3', other);
        world.clock.timer(12_000, () => {
          for (const other of ['master', 'wordcount']) world.network.heal('agent-3', other);
        });
      });
      expect(counts).to.deep.equal(expected);
      expect(tasks.TASK_FINISHED).to.be.greaterThan(shardCount - 1);
    });
  });
}

describe('virtual time', () => {
  it('gives the same history for the same seed, and another for another', async () => {
    const history = async (seed: number): Promise<readonly string[]> => {
      const events: string[] = [];
      await using world = new Simulation({ seed, latency: [0.2, 2], script });
      await exploded(world);
      for (const name of agents) await addAgent(world, name);
      const runtime = await world.start('wordcount');
      runtime.interceptor = (event, to) => {
        events.push(`${world.clock.now()} ${event.kind} ${event.name} ${event.from?.address ?? ''} ${to.address}`);
        return 'serve';
      };
      const outcome = Future.from(countShards(runtime, { cluster: 'sim', shards, resources: 'cpus:0.25;mem:32' }));
      await world.advanceUntil(() => !outcome.isPending, '5mins');
      return events;
    };
    const first = await history(7);
    expect(first.length).to.be.greaterThan(300);
    expect(await history(7)).to.deep.equal(first);
    expect(await history(8)).to.not.deep.equal(first);
  });
});
