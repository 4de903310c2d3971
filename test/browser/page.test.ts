import { existsSync } from 'node:fs';
import { type LocalCluster, startLocalCluster } from '@mezzo/cli';
import { Basket, shellTask, startScheduler } from '@mezzo/frameworks';
import { dispatch, Runtime } from '@mezzo/process';
import { TaskID } from '@mezzo/protocol';
import { expect } from 'chai';
import { type Browser, chromium, type Page } from 'playwright-core';
import { skipBecause } from '../support/skip.ts';

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);

describe('the web page in a real browser', function () {
  this.timeout(60_000);
  let browser: Browser | undefined;
  let cluster: LocalCluster | undefined;
  let page: Page;
  const errors: string[] = [];

  before(async function () {
    if (executablePath === undefined) skipBecause(this, 'no Chromium is installed (package chromium)');
    cluster = await startLocalCluster({ agents: 2, port: 0, embedded: true, resources: 'cpus:2;mem:512' });
    browser = await chromium.launch({
      executablePath,
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-quic',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
      ],
    });
    page = await browser.newPage();
    page.on('pageerror', (error) => errors.push(error.message));
    page.on('console', (message) => message.type() === 'error' && errors.push(message.text()));
    await page.goto(cluster.url);
  });

  function running(): LocalCluster {
    if (cluster === undefined) throw new Error('the cluster did not start');
    return cluster;
  }

  after(async () => {
    await browser?.close();
    await cluster?.stop();
  });

  it('shows every agent with its resources', async () => {
    await page.getByText('agent-1').first().waitFor();
    await page.getByText('agent-2').first().waitFor();
    const text = await page.locator('body').innerText();
    expect(text).to.match(/cpus/i).and.match(/mem/i);
  });

  it('shows frameworks, tasks with their states, and what is used and offered, as they change', async () => {
    const { cluster: name, transport } = running();
    await using runtime = await Runtime.start({ name: 'page-test', transport: transport() });
    const ended: string[] = [];
    let launched = false;
    const driver = startScheduler(runtime, {
      cluster: name,
      framework: { name: 'sleepers <b>' },
      scheduler: {
        offers(calls, offers) {
          for (const offer of offers) {
            const resources = launched ? undefined : new Basket(offer).take('cpus:1.5;mem:100');
            const tasks = resources ? [shellTask(offer, { id: 'sleeper-1', command: 'sleep 600', resources })] : [];
            launched ||= tasks.length > 0;
            calls.accept(offer, tasks, { refuseSeconds: 600 });
          }
        },
        update: (_, { state }) => void ended.push(state),
      },
    });
    const task = page.getByRole('row').filter({ hasText: 'sleeper-1' });
    await task.filter({ hasText: 'running' }).waitFor();
    const body = page.locator('body');
    // Markup in a name is text.
    expect(await body.innerText())
      .to.include('sleepers <b>')
      .and.match(/1\.5 used/);
    await dispatch(driver, (it) => it.kill(TaskID('sleeper-1')));
    await task.filter({ hasText: 'killed' }).waitFor();
    await page.waitForFunction(() => !document.body.innerText.includes('1.5 used'));
    expect(ended).to.deep.equal(['TASK_STARTING', 'TASK_RUNNING', 'TASK_KILLED']);
    await dispatch(driver, (it) => it.teardown());
    await runtime.wait(driver);
  });

  it('asks nobody but the master for anything, and logs no error', async () => {
    const hosts = new Set<string>();
    page.on('request', (request) => hosts.add(new URL(request.url()).origin));
    await page.reload();
    await page.getByText('agent-1').first().waitFor();
    expect([...hosts]).to.deep.equal([cluster?.url]);
    expect(errors).to.deep.equal([]);
  });

  it('says so when the master does not answer any more', async () => {
    await cluster?.stop();
    await page.getByRole('alert').waitFor({ state: 'visible' });
    expect(await page.getByRole('alert').innerText()).to.not.equal('');
  });
});
