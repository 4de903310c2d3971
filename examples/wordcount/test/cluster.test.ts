import { expect } from 'chai';
import { startAgent } from '@mezzo/agent';
import { startMaster } from '@mezzo/master';
import { Network, nodePlatform, Runtime } from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';
import {
  countSequentially,
  countShards,
  countWords,
  listTextFiles,
  type Outcome,
  type Progress,
} from '@mezzo/example-wordcount';
import { writeNastyFiles } from './nasty-files.ts';
import { TemporaryFolder } from './temporary-folder.ts';

describe('wordcount on a cluster', () => {
  it('counts what one sequential pipeline counts, with real tasks', async () => {
    await using input = await TemporaryFolder.create();
    await using work = await TemporaryFolder.create();
    await writeNastyFiles(input);
    const network = new Network({ clock: nodePlatform().clock });
    await using master = await Runtime.start({ name: 'master', transport: network.transport() });
    await using agent = await Runtime.start({ name: 'agent-1', transport: network.transport() });
    await using framework = await Runtime.start({ name: 'wordcount', transport: network.transport() });
    startMaster(master, { cluster: 'test', allocationInterval: '20ms' });
    await startAgent(agent, {
      cluster: 'test',
      workDirectory: `${work.path}/agent`,
      resources: 'cpus:2;mem:512',
      registrationBackoffFactor: '10ms',
    });
    const progress: Progress[] = [];
    const report = await countWords(framework, {
      cluster: 'test',
      input: input.path,
      shards: 6,
      jobFolder: work.path,
      onProgress: (now) => void progress.push(now),
    });
    const { files, bytes } = await listTextFiles(input.path);
    expect(report).to.deep.include({
      ...(await countSequentially(files)),
      files: files.length,
      bytes,
      tasks: { TASK_FINISHED: 6 },
    });
    expect(progress.some(({ shards }) => shards.running > 0)).to.equal(true);
  });

  it('counts exactly in virtual time although an agent is lost on the way', async () => {
    // Each shard holds one word of its own and one that all have.
    const shards = Array.from({ length: 40 }, (_, index) => ({ index, list: `/lists/${index}`, bytes: 1 }));
    await using world = new Simulation({
      latency: [1, 5],
      script: ({ environment }) => ({
        duration: '2s',
        finish: (files) => {
          const index = Number(environment['WORDCOUNT_LIST']?.split('/').at(-1));
          const own = String.fromCharCode(97 + (index % 26), 97 + Math.floor(index / 26));
          files.write(`${environment['MESOS_SANDBOX']}/status.data`, `all ${index}\n${own} 1\n. ${index + 1}\n`);
        },
      }),
    });
    startMaster(await world.start('master'), { cluster: 'test', agentPingTimeout: '1s', maxAgentPingTimeouts: 2 });
    for (const name of ['agent-1', 'agent-2', 'agent-3']) {
      const started = startAgent(await world.start(name), {
        cluster: 'test',
        workDirectory: '/work',
        resources: 'cpus:2;mem:1024',
      });
      await world.settle();
      started.get();
    }
    let outcome: Outcome | undefined;
    let progress: Progress | undefined;
    const job = countShards(await world.start('wordcount'), {
      cluster: 'test',
      shards,
      onProgress: (now) => (progress = now),
    });
    job.then(
      (it) => (outcome = it),
      () => undefined,
    );
    await world.advanceUntil(() => (progress?.shards.finished ?? 0) > 10, '1mins');
    world.crash('agent-2');
    await world.advanceUntil(() => outcome !== undefined, '5mins');
    expect(outcome).to.deep.include({ words: 780 + 40, distinct: 41 });
    expect(outcome?.top[0]).to.deep.equal(['all', 780]);
    expect(outcome?.tasks.TASK_FINISHED).to.equal(40);
    expect(outcome?.tasks.TASK_LOST).to.be.within(1, 4);
  });
});
