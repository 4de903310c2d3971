import { existsSync } from 'node:fs';
import { expect } from 'chai';
import { startLocalCluster, type LocalCluster } from '@mezzo/cli';
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
