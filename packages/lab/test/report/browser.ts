/// <reference lib="dom" />
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';

import { skipBecause } from '../../../../test/support/skip.ts';

const executablePath = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync);

/** A page of a file, and what it did that a report must not do. */
export interface OpenPage {
  readonly page: Page;
  readonly errors: readonly string[];
  /** Of everything asked for, the page itself too. */
  readonly requests: readonly string[];
  readonly url: string;
}

/** Opens files in a real browser for the tests of a suite. */
export function withBrowser(): { open(html: string, options?: BrowserContextOptions): Promise<OpenPage> } {
  let browser: Browser | undefined;
  const folder = mkdtempSync(join(tmpdir(), 'mezzo-report-'));

  before(async function () {
    if (executablePath === undefined) skipBecause(this, 'no Chromium is installed (package chromium)');
    const args = [
      '--no-sandbox',
      '--disable-gpu',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-sync',
    ];
    browser = await chromium.launch({ executablePath, args });
  });

  after(async () => {
    await browser?.close();
    rmSync(folder, { recursive: true, force: true });
  });

  return {
    async open(html, options = {}) {
      if (browser === undefined) throw new Error('the browser did not start');
      const file = join(folder, 'report.html');
      writeFileSync(file, html);
      const page = await (await browser.newContext(options)).newPage();
      const errors: string[] = [];
      const requests: string[] = [];
      page.on('pageerror', (error) => errors.push(error.message));
      page.on('console', (message) => {
        // The tests read plots back, which is what Chromium advises on here.
        if (!message.text().includes('willReadFrequently')) errors.push(`${message.type()}: ${message.text()}`);
      });
      page.on('request', (request) => requests.push(request.url()));
      const url = pathToFileURL(file).href;
      await page.goto(url);
      return { page, errors, requests, url };
    },
  };
}
