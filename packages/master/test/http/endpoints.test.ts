import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { type HttpResponse, Runtime } from '@mezzo/process';
import { schedulerMessages } from '@mezzo/protocol';
import { startMaster } from '@mezzo/master';
import { TestCluster } from '../cluster.ts';
import { taskInfo } from '../peers.ts';

async function get(cluster: TestCluster, path: string, method = 'GET'): Promise<HttpResponse> {
  const answer = cluster.master.http({ path, method });
  await cluster.world.settle();
  return answer.get();
}

async function textOf({ body }: HttpResponse): Promise<string> {
  if (body === undefined || typeof body === 'string') return body ?? '';
  if (body instanceof Uint8Array) return new TextDecoder().decode(body);
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of body) text += decoder.decode(chunk, { stream: true });
  return text;
}

describe('the endpoints of the master', () => {
  it('/state tells agents, frameworks, tasks and offers under Mesos’s names', async () => {
    await using cluster = await TestCluster.start({ cluster: 'blue' });
    const agent = await cluster.agent('agent-1', 'cpus:4;mem:4096;cpus(r):2;ports:[1-2,5-5];zones:{a}', {
      attributes: { rack: 'x' },
    });
    const scheduler = await cluster.scheduler('one', { name: 'words', failoverTimeout: 5000, labels: { k: 'v' } });
    scheduler.launch(scheduler.lastOffer, [taskInfo('t', agent.id, 'cpus:1;mem:96', { labels: { shard: '1' } })], 0);
    await cluster.advance('20ms');
    agent.update(scheduler.id, 't', 'TASK_RUNNING', { message: '<b>', data: new Uint8Array([1]) });
    await cluster.advance('2s');
    for (const path of ['/state', '/master/state']) {
      const response = await get(cluster, path);
      expect(response).to.deep.include({ status: 200, headers: { 'content-type': 'application/json' } });
      const state = JSON.parse(await textOf(response));
      expect(state).to.deep.include({
        cluster: 'blue',
        leader: 'master@master',
        activated_slaves: 1,
        deactivated_slaves: 0,
        unreachable_slaves: 0,
      });
      expect(state.start_time).to.equal(1_704_067_200);
      expect(state.slaves).to.have.length(1);
      expect(state.slaves[0]).to.deep.include({
        id: agent.id,
        hostname: 'agent-1',
        pid: 'agent@agent-1',
        attributes: { rack: 'x' },
        resources: { cpus: 6, gpus: 0, mem: 4096, disk: 0, ports: '[1-2, 5-5]', zones: '{a}' },
        used_resources: { cpus: 1, gpus: 0, mem: 96, disk: 0 },
        offered_resources: { cpus: 3, gpus: 0, mem: 4000, disk: 0, ports: '[1-2, 5-5]', zones: '{a}' },
        reserved_resources: { r: { cpus: 2, gpus: 0, mem: 0, disk: 0 } },
        active: true,
      });
      const [framework] = state.frameworks;
      expect(framework).to.deep.include({
        id: scheduler.id,
        name: 'words',
        pid: 'scheduler@one',
        role: '*',
        active: true,
        failover_timeout: 5,
        labels: [{ key: 'k', value: 'v' }],
        used_resources: { cpus: 1, gpus: 0, mem: 96, disk: 0 },
      });
      expect(framework.offers[0]).to.deep.include({
        framework_id: scheduler.id,
        slave_id: agent.id,
        allocation_info: { role: '*' },
      });
      expect(framework.tasks).to.have.length(1);
      expect(framework.tasks[0]).to.deep.include({
        id: 't',
        executor_id: '',
        framework_id: scheduler.id,
        slave_id: agent.id,
        state: 'TASK_RUNNING',
        role: '*',
        resources: { cpus: 1, gpus: 0, mem: 96, disk: 0 },
        labels: [{ key: 'shard', value: '1' }],
      });
      expect(framework.tasks[0].statuses).to.have.length(1);
      expect(framework.tasks[0].statuses[0]).not.to.have.property('data');
    }
  });

  it('/health and /version answer, and other methods are refused', async () => {
    await using cluster = await TestCluster.start();
    expect((await get(cluster, '/master/health')).status).to.equal(200);
    const manifest = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8'));
    expect(JSON.parse(await textOf(await get(cluster, '/version')))).to.deep.equal({ version: manifest.version });
    expect((await get(cluster, '/state', 'POST')).status).to.equal(405);
  });

  it('tells metrics under Mesos’s names, and frees them when the master ends', async () => {
    await using cluster = await TestCluster.start();
    const agent = await cluster.agent();
    const scheduler = await cluster.scheduler();
    scheduler.launch(scheduler.lastOffer, [taskInfo('t', agent.id, 'cpus:1;mem:1024')], 0);
    await cluster.advance('2s');
    const expected = {
      elected: 1,
      uptime_secs: 2.09,
      cpus_total: 4,
      cpus_used: 1,
      cpus_percent: 0.25,
      mem_percent: 0.25,
      slaves_active: 1,
      slaves_connected: 1,
      slave_registrations: 1,
      frameworks_active: 1,
      frameworks_connected: 1,
      tasks_staging: 1,
      tasks_running: 0,
      outstanding_offers: 1,
      messages_launch_tasks: 1,
    };
    for (const [name, value] of Object.entries(expected)) {
      expect(await cluster.metric(`master/${name}`), name).to.be.closeTo(value, 0.01);
    }
    agent.update(scheduler.id, 't', 'TASK_FINISHED');
    await cluster.advance('20ms');
    scheduler.tell(schedulerMessages.Teardown, { frameworkId: scheduler.id });
    await cluster.advance('20ms');
    expect(await cluster.metric('master/tasks_finished')).to.equal(1);
    cluster.master.terminate(cluster.master.pid('master'));
    cluster.master.terminate(cluster.master.pid('allocator'));
    await cluster.world.settle();
    const names = cluster.master.metrics.snapshot();
    await cluster.world.settle();
    expect([...names.get().keys()].filter((name) => /^(master|allocator)\//.test(name))).to.deep.equal([]);
  });

  it('serves the page and all it needs from its own folder, without anything from elsewhere', async () => {
    await using runtime = await Runtime.start({ name: 'master' });
    startMaster(runtime);
    const page = await runtime.http({ path: '/' });
    expect(page).to.deep.include({ status: 200 });
    expect(page.headers?.['content-type']).to.contain('text/html');
    const html = await textOf(page);
    const links = [...html.matchAll(/(?:src|href)="([^"]*)"/g)].map(([, link]) => link ?? '');
    expect(links).to.include.members(['/app.js', '/style.css', '/state']);
    for (const link of links.filter((found) => found.startsWith('/') && found !== '/state')) {
      const { status, body } = await runtime.http({ path: link });
      expect(status, link).to.equal(200);
      expect(await textOf({ status, body: body ?? '' })).to.equal(
        await readFile(new URL(`../../webui${link}`, import.meta.url), 'utf8'),
      );
    }
    for (const link of links) expect(link).to.match(/^(\/|data:,$)/);
    expect(await readFile(new URL('../../webui/app.js', import.meta.url), 'utf8')).not.to.match(
      /innerHTML|insertAdjacentHTML|https?:\/\//,
    );
  });
});
