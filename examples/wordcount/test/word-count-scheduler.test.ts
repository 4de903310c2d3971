import { expect } from 'chai';
import { Simulation } from '@mezzo/process/testing';
import type { TaskID, TaskInfo } from '@mezzo/protocol';
import { countShards, type Outcome, type Progress, type ShardTask } from '@mezzo/example-wordcount';
import { FakeMaster } from '../../../packages/frameworks/test/scheduler/fake-master.ts';

const result = (text: string): Uint8Array => Buffer.from(text);

function shardsOf(count: number): ShardTask[] {
  return Array.from({ length: count }, (_, index) => ({ index, list: `/lists/${index}`, bytes: 1 }));
}

/** A cluster that exists only as what the test says, and a job on it. */
class Job {
  readonly world = new Simulation({ latency: [1, 5] });
  readonly progress: Progress[] = [];
  master = new FakeMaster();
  outcome: Outcome | undefined;
  error: unknown;

  static async start(shards: number): Promise<Job> {
    const job = new Job();
    const master = await job.world.start('master');
    master.spawn(job.master);
    countShards(await job.world.start('wordcount'), {
      cluster: 'test',
      shards: shardsOf(shards),
      resources: 'cpus:1',
      onProgress: (progress) => void job.progress.push(progress),
    }).then(
      (outcome) => (job.outcome = outcome),
      (error: unknown) => (job.error = error),
    );
    await job.pass();
    return job;
  }

  async pass(time: '50ms' | '1mins' = '50ms'): Promise<void> {
    await this.world.advance(time);
  }

  /** Offers so many cpus; the tasks that are launched with them. */
  async offer(cpus: number): Promise<readonly TaskInfo[]> {
    const before = this.launched().length;
    this.master.offer(`cpus:${cpus};mem:64`);
    await this.pass();
    return this.launched().slice(before);
  }

  launched(): readonly TaskInfo[] {
    return this.master
      .calls('Accept')
      .flatMap(({ operations }) => operations)
      .flatMap((operation) => (operation.type === 'LAUNCH' ? operation.tasks : []));
  }

  async finish(task: TaskInfo, data = result('word 1\n. 1\n')): Promise<void> {
    this.master.update(task.taskId, 'TASK_FINISHED', { data });
    await this.pass();
  }

  acknowledged(): readonly TaskID[] {
    return this.master.calls('Acknowledge').map(({ taskId }) => taskId);
  }

  get last(): Progress | undefined {
    return this.progress.at(-1);
  }
}

function only(tasks: readonly TaskInfo[]): TaskInfo {
  const [task, ...others] = tasks;
  if (task === undefined || others.length > 0) throw new Error(`expected one task, got ${tasks.length}`);
  return task;
}

function listOf(task: TaskInfo): string | undefined {
  return task.command?.environment['WORDCOUNT_LIST'];
}

describe('WordCountScheduler', () => {
  const jobs: Job[] = [];
  async function start(shards: number): Promise<Job> {
    const job = await Job.start(shards);
    jobs.push(job);
    return job;
  }
  afterEach(async () => {
    for (const { world } of jobs.splice(0)) await world.stop();
  });

  it('counts every shard once, merges the results and tears the framework down', async () => {
    const job = await start(3);
    const [first, second] = await job.offer(2);
    if (first === undefined || second === undefined) throw new Error('two cpus are two tasks');
    expect(job.last?.shards).to.deep.equal({ total: 3, waiting: 1, staging: 2, running: 0, finished: 0 });
    job.master.update(first.taskId, 'TASK_RUNNING');
    await job.pass();
    expect(job.last?.shards).to.include({ staging: 1, running: 1 });
    await job.finish(first, result('the 2\na 1\n. 3\n'));
    await job.finish(second, result('the 5\n. 5\n'));
    const third = only(await job.offer(2));
    expect([first, second, third].map(listOf)).to.deep.equal(['/lists/0', '/lists/1', '/lists/2']);
    expect(job.outcome).to.equal(undefined);
    await job.finish(third, result('end 1\n. 1\n'));
    expect(job.outcome).to.deep.equal({
      words: 9,
      distinct: 3,
      top: [
        ['the', 7],
        ['a', 1],
        ['end', 1],
      ],
      tasks: { TASK_FINISHED: 3 },
    });
    expect(job.master.calls('Teardown')).to.have.length(1);
    expect(job.last?.shards).to.deep.equal({ total: 3, waiting: 0, staging: 0, running: 0, finished: 3 });
  });

  it('counts the shards of lost tasks again, however often, under new task ids', async () => {
    const job = await start(1);
    const ids = new Set<string>();
    for (const state of ['TASK_LOST', 'TASK_LOST', 'TASK_LOST', 'TASK_DROPPED', 'TASK_GONE', 'TASK_KILLED'] as const) {
      const task = only(await job.offer(1));
      ids.add(task.taskId);
      job.master.update(task.taskId, state);
      await job.pass();
    }
    const task = only(await job.offer(1));
    expect(ids.add(task.taskId).size).to.equal(7);
    await job.finish(task);
    expect(job.outcome?.tasks).to.deep.equal({
      TASK_LOST: 3,
      TASK_DROPPED: 1,
      TASK_GONE: 1,
      TASK_KILLED: 1,
      TASK_FINISHED: 1,
    });
    expect(job.outcome?.words).to.equal(1);
  });

  it('takes the first result of a shard and kills the task that replaced the one thought lost', async () => {
    const job = await start(2);
    const task = only(await job.offer(1));
    job.master.masterUpdate(task.taskId, 'TASK_LOST', 'REASON_AGENT_REMOVED');
    await job.pass();
    const [, replacement] = await job.offer(2);
    if (replacement === undefined) throw new Error('the lost shard was not launched again');
    expect(listOf(replacement)).to.equal(listOf(task));
    await job.finish(task, result('word 4\n. 4\n'));
    expect(job.master.calls('Kill').map(({ taskId }) => taskId)).to.deep.equal([replacement.taskId]);
    // It was quicker than the kill.
    await job.finish(replacement, result('word 4\n. 4\n'));
    expect(job.acknowledged()).to.include.members([task.taskId, replacement.taskId]);
    const other = job.launched()[1];
    if (other === undefined) throw new Error('there is another shard');
    await job.finish(other);
    expect(job.outcome?.words).to.equal(5);
  });

  it('launches nothing again for a held shard whose other task was killed', async () => {
    const job = await start(2);
    const task = only(await job.offer(1));
    job.master.masterUpdate(task.taskId, 'TASK_LOST', 'REASON_AGENT_REMOVED');
    await job.pass();
    const [other, replacement] = await job.offer(2);
    if (other === undefined || replacement === undefined) throw new Error('two shards waited');
    await job.finish(task);
    job.master.update(replacement.taskId, 'TASK_KILLED');
    await job.pass();
    expect(job.last?.shards).to.include({ waiting: 0, finished: 1 });
    expect(await job.offer(2)).to.deep.equal([]);
    await job.finish(other);
    expect(job.outcome?.words).to.equal(2);
  });

  it('counts a failure once, however often it is told', async () => {
    const job = await start(1);
    const task = only(await job.offer(1));
    job.master.update(task.taskId, 'TASK_FAILED');
    for (let times = 0; times < 3; times++)
      job.master.masterUpdate(task.taskId, 'TASK_FAILED', 'REASON_RECONCILIATION');
    await job.pass();
    await job.finish(only(await job.offer(1)));
    expect(job.outcome?.tasks).to.deep.equal({ TASK_FAILED: 1, TASK_FINISHED: 1 });
  });

  it('launches nothing again for a shard whose result came while it waited', async () => {
    const job = await start(1);
    const task = only(await job.offer(1));
    job.master.masterUpdate(task.taskId, 'TASK_LOST', 'REASON_AGENT_REMOVED');
    await job.pass();
    await job.finish(task);
    expect(job.outcome?.words).to.equal(1);
    expect(job.launched()).to.have.length(1);
  });

  it('acknowledges a result only once it holds it', async () => {
    const job = await start(1);
    const task = only(await job.offer(1));
    job.world.network.partition('master', 'wordcount');
    const status = job.master.update(task.taskId, 'TASK_FINISHED', { data: result('word 1\n. 1\n') });
    await job.pass();
    expect(job.acknowledged()).to.deep.equal([]);
    expect(job.last?.shards.finished).to.equal(0);
    job.world.network.heal('master', 'wordcount');
    await job.pass('1mins');
    expect(job.acknowledged()).to.deep.equal([status.taskId]);
    expect(job.last?.shards.finished).to.equal(1);
  });

  it('does not take an answer to reconciliation for a result', async () => {
    const job = await start(1);
    const task = only(await job.offer(1));
    job.master.masterUpdate(task.taskId, 'TASK_FINISHED', 'REASON_RECONCILIATION');
    await job.pass();
    expect(job.last?.shards).to.include({ staging: 1, finished: 0 });
    await job.finish(task);
    expect(job.outcome?.tasks).to.deep.equal({ TASK_FINISHED: 1 });
  });

  it('counts again when a task is known to have finished but its result never comes', async () => {
    const job = await start(1);
    const task = only(await job.offer(1));
    job.master.masterUpdate(task.taskId, 'TASK_FINISHED', 'REASON_RECONCILIATION');
    await job.pass('1mins');
    expect(job.last).to.deep.include({ tasks: { TASK_LOST: 1 } });
    await job.finish(only(await job.offer(1)));
    expect(job.outcome?.words).to.equal(1);
  });

  it('counts again after a failure, and after a damaged or missing result', async () => {
    for (const bad of [result('damaged'), undefined]) {
      const job = await start(1);
      const failing = only(await job.offer(1));
      job.master.update(failing.taskId, 'TASK_FAILED');
      await job.pass();
      const damaged = only(await job.offer(1));
      job.master.update(damaged.taskId, 'TASK_FINISHED', bad === undefined ? {} : { data: bad });
      await job.pass();
      expect(job.acknowledged()).to.deep.equal([failing.taskId, damaged.taskId]);
      await job.finish(only(await job.offer(1)));
      expect(job.outcome?.words).to.equal(1);
    }
  });

  it('fails the job at the third failure of a shard, with what the task said', async () => {
    const job = await start(2);
    for (let failures = 1; failures <= 3; failures++) {
      expect(job.error, `before failure ${failures}`).to.equal(undefined);
      const task = job.launched().length === 0 ? (await job.offer(1))[0] : only(await job.offer(1));
      if (task === undefined) throw new Error('nothing was launched');
      // The other shard is out of the way.
      if (listOf(task) !== '/lists/0') {
        await job.finish(task);
        failures--;
        continue;
      }
      const message = 'Command exited with status 1';
      job.master.update(task.taskId, 'TASK_FAILED', {
        message,
        data: result('cat: /gone: No such file or directory\n'),
      });
      await job.pass();
    }
    expect(job.error).to.be.instanceOf(Error);
    expect(String(job.error)).to.match(
      /JobFailed: Shard 0 failed 3 times, last as count-\d+: TASK_FAILED Command exited with status 1: cat: \/gone: No such file or directory$/,
    );
    expect(job.master.calls('Teardown')).to.have.length(1);
    expect(job.outcome).to.equal(undefined);
  });

  it('wants no offers while nothing waits, and wants them again when a task is lost', async () => {
    const job = await start(1);
    const task = only(await job.offer(1));
    expect(job.master.calls('Suppress')).to.have.length(1);
    expect(job.master.calls('Accept')[0]?.filters?.refuseSeconds).to.be.greaterThan(60);
    expect(job.master.calls('Revive')).to.have.length(0);
    job.master.update(task.taskId, 'TASK_LOST');
    await job.pass();
    expect(job.master.calls('Revive')).to.have.length(1);
    await job.offer(1);
    expect(job.master.calls('Suppress')).to.have.length(2);
  });

  it('gives back at once what it does not need while shards wait', async () => {
    const job = await start(3);
    await job.offer(1.5);
    expect(job.master.calls('Accept')[0]?.filters).to.deep.equal({ refuseSeconds: 0 });
    expect(await job.offer(0.5)).to.deep.equal([]);
    expect(job.master.calls('Decline')[0]?.filters).to.deep.equal({ refuseSeconds: 0 });
  });

  it('goes on with the next leader', async () => {
    const job = await start(2);
    const task = only(await job.offer(1));
    job.world.crash('master');
    await job.pass('1mins');
    job.master = FakeMaster.on(await job.world.start('master'), 2);
    await job.pass('1mins');
    expect(job.master.calls('Reconcile')[0]?.tasks.map(({ taskId }) => taskId)).to.deep.equal([task.taskId]);
    job.master.masterUpdate(task.taskId, 'TASK_LOST', 'REASON_RECONCILIATION');
    await job.pass();
    for (const again of await job.offer(2)) await job.finish(again);
    expect(job.outcome).to.deep.include({ words: 2, tasks: { TASK_LOST: 1, TASK_FINISHED: 2 } });
  });

  it('fails the job when the master refuses the framework', async () => {
    const job = await start(1);
    job.master.fail('Framework has been removed');
    await job.pass();
    expect(String(job.error)).to.equal('JobFailed: The master refused the framework: Framework has been removed');
  });

  it('is done at once when there is nothing to count', async () => {
    const job = await start(0);
    expect(job.outcome).to.deep.equal({ words: 0, distinct: 0, top: [], tasks: {} });
  });
});
