import { readFileSync } from 'node:fs';
import { type LocalCluster, startLocalCluster } from '@mezzo/cli';
import { expect } from 'chai';
import { eventually } from '../support/command.ts';
import { skipBecause } from '../support/skip.ts';
import { makeText, stateOf, WordCountJob } from '../support/wordcount.ts';
import { locateNatsServer } from '@mezzo/cli';

/** Milliseconds that the whole job may take, with what is done to it. */
const limit = 90_000;

describe('the word count on OS processes over NATS stays exact', function () {
  this.timeout(2 * limit);
  let text: Awaited<ReturnType<typeof makeText>>;
  let cluster: LocalCluster;

  before(async function () {
    if (locateNatsServer() === undefined) skipBecause(this, 'no nats-server can be had');
    text = await makeText(240, 150_000);
  });
  after(() => text?.remove());
  beforeEach(async () => {
    cluster = await startLocalCluster({ agents: 3, port: 0, resources: 'cpus:1;mem:512' });
  });
  afterEach(() => cluster?.stop());

  /** A job that has done some of its work, and has much of it before it. */
  async function jobUnderWay(given: readonly string[] = []): Promise<WordCountJob> {
    const job = new WordCountJob(cluster, text.path, ['--shards', '240', ...given]);
    await eventually(
      () => (job.progress?.shards.finished ?? 0) >= 20,
      limit,
      () => `${job.running.stdout().slice(-500)} ${job.running.stderr()}`,
    );
    return job;
  }

  async function expectNothingLeft(): Promise<void> {
    await eventually(
      async () => {
        const { slaves, frameworks } = await stateOf(cluster);
        const busy = slaves.some(({ used_resources }) => Number(used_resources['cpus'] ?? 0) > 0);
        return !busy && frameworks.every(({ tasks }) => tasks.length === 0);
      },
      20_000,
      () => 'tasks or used resources are left',
    );
  }

  it('undisturbed', async () => {
    const job = new WordCountJob(cluster, text.path, ['--shards', '240']);
    const report = await job.exactResult();
    expect(report.tasks).to.deep.equal({ TASK_FINISHED: 240 });
    await expectNothingLeft();
  });

  it('when an agent gets kill -9 mid-job: its tasks are lost within seconds and run again elsewhere', async () => {
    const job = await jobUnderWay();
    const agent = cluster.members.find(({ name }) => name === 'agent-2');
    process.kill(agent?.pid ?? 0, 'SIGKILL');
    await eventually(
      () => (job.progress?.tasks['TASK_LOST'] ?? 0) > 0,
      15_000,
      () => job.running.stdout().slice(-300),
    );
    const report = await job.exactResult();
    expect(report.tasks['TASK_FINISHED']).to.equal(240);
    expect(report.tasks['TASK_LOST']).to.be.greaterThan(0);
    await expectNothingLeft();
  });

  it('when the NATS server is killed and started again mid-job', async () => {
    const job = await jobUnderWay();
    await cluster.nats?.server?.restart();
    await job.exactResult();
    await expectNothingLeft();
  });

  it('when the NATS server is frozen, and then killed with messages in its buffers', async () => {
    const job = await jobUnderWay();
    const server = cluster.nats?.server;
    const agents = cluster.members.filter(({ name }) => name !== 'master');
    const isIdle = ({ pid }: { readonly pid: number }): boolean =>
      readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8') === '';
    // Frozen at a moment at which tasks run: there will be news of their end.
    await eventually(
      () => {
        server?.kill('SIGSTOP');
        if (!agents.every(isIdle)) return true;
        server?.kill('SIGCONT');
        return false;
      },
      20_000,
      () => 'no task runs',
    );
    // No new task can come now. Once those that run have ended, the agents have sent the news into the frozen server.
    await eventually(
      () => agents.every(isIdle),
      20_000,
      () => 'tasks run on without an end',
    );
    server?.kill('SIGKILL');
    await server?.restart();
    await job.exactResult();
    await expectNothingLeft();
    // What died with the server was sent again by the sessions.
    expect(await sumOf('process/wire_resent')).to.be.greaterThan(0);
  });

  /** The sum of a metric over the OS processes of the cluster. */
  async function sumOf(metric: string): Promise<number> {
    const snapshots = cluster.members.map(async ({ url }) => {
      const values = (await (await fetch(`${url}/metrics/snapshot`)).json()) as Readonly<Record<string, number>>;
      return values[metric] ?? 0;
    });
    return (await Promise.all(snapshots)).reduce((sum, value) => sum + value, 0);
  }

  it('and when the framework gets kill -9, the cluster frees its resources', async () => {
    const job = await jobUnderWay(['--failover-timeout', '1s']);
    job.running.child.kill('SIGKILL');
    await expectNothingLeft();
    await eventually(
      async () => (await stateOf(cluster)).completed_frameworks.some(({ name }) => name === 'wordcount'),
      20_000,
      () => 'the framework is not completed',
    );
  });
});
