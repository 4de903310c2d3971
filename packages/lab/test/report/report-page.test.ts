import { expect } from 'chai';
import type { Page } from 'playwright-core';

import { reportFiles } from '../../src/report/index.ts';
import type { LabResult } from '../../src/result.ts';
import { withBrowser } from './browser.ts';
import { distance, linear, sights } from './color-distance.ts';
import { generatedResult } from './generated-result.ts';

const html = (result: LabResult): string => reportFiles(result).get('report.html') ?? '';

/** For each plot how many of its points have been drawn on, and how many different colours it has. */
async function drawn(page: Page): Promise<{ readonly ink: number; readonly colors: number }[]> {
  return page.evaluate(() =>
    [...document.querySelectorAll('canvas')].map((canvas) => {
      const { data } = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height) ?? { data: [] };
      const colors = new Set<number>();
      let ink = 0;
      for (let at = 0; at < data.length; at += 4) {
        if ((data[at + 3] ?? 0) === 0) continue;
        ink++;
        // Fully drawn points only: edges are blends.
        if (data[at + 3] === 255)
          colors.add(((data[at] ?? 0) << 16) | ((data[at + 1] ?? 0) << 8) | (data[at + 2] ?? 0));
      }
      return { ink, colors: colors.size };
    }),
  );
}

describe('the page of a report in a real browser', function () {
  this.timeout(60_000);
  const browser = withBrowser();

  it('draws every plot, asks for nothing and logs nothing', async () => {
    const { page, errors, requests, url } = await browser.open(html(generatedResult()));
    expect(await page.locator('h2').allInnerTexts()).to.deep.equal([
      'Dominant share of each role',
      'Weighted dominant share of each role',
      'Dominant share of each framework',
      'Fairness',
      'Utilisation',
      'Fragmentation',
      'Tasks',
      'Waiting time',
      'Waiting time of each framework',
      'Offers',
      'Events',
    ]);
    const plots = await drawn(page);
    expect(plots).to.have.lengthOf(8);
    for (const { ink, colors } of plots) {
      expect(ink).to.be.greaterThan(5000);
      expect(colors).to.be.greaterThan(3);
    }
    const head = await page.locator('header').innerText();
    for (const part of ['generated', 'hierarchical', 'drf', 'seed', "Jain's index", '1000\u202fcpus'])
      expect(head).to.include(part);
    expect(errors).to.deep.equal([]);
    expect(requests).to.deep.equal([url]);
  });

  it('hides and shows a curve from its legend, also by keyboard, and tells the values under the cursor', async () => {
    const { page, errors } = await browser.open(html(generatedResult()));
    const ads = page.locator('#chart-0').getByRole('button', { name: 'ads' });
    const before = (await drawn(page))[0]?.ink ?? 0;
    await ads.focus();
    await page.keyboard.press('Enter');
    expect(await ads.getAttribute('aria-pressed')).to.equal('false');
    expect((await drawn(page))[0]?.ink).to.be.lessThan(before - 200);
    await ads.click();
    expect(await ads.getAttribute('aria-pressed')).to.equal('true');
    expect((await drawn(page))[0]?.ink).to.be.closeTo(before, 50);
    await page.locator('#chart-0 .u-over').hover();
    expect(await ads.innerText()).to.match(/ads\s*0\.\d+/);
    // Plots over time have one cursor.
    expect(await page.locator('#chart-3 button').first().innerText()).to.match(/Jain's index\s*0\.\d+/);
    expect(errors).to.deep.equal([]);
  });

  it('shows names as text, whatever they are made of', async () => {
    const evil = `</script><script>window.broken = 1</script><img src=x onerror="window.broken = 2"><!-- "'&amp;`;
    const { page, errors, requests } = await browser.open(
      html(generatedResult({ scenario: evil, allocator: evil, sorter: evil, roles: [evil, 'b'], event: evil })),
    );
    expect(await page.evaluate(() => Reflect.get(window, 'broken'))).to.equal(undefined);
    expect(await page.locator('h1').innerText()).to.equal(evil);
    expect(await page.title()).to.equal(`${evil} · ${evil} · seed 1`);
    expect(await page.locator('#chart-0 .legend button').first().innerText()).to.include(evil);
    expect(await page.locator('.events li').first().innerText()).to.include(evil);
    expect(await page.locator('.plot').first().getAttribute('aria-label')).to.include(evil);
    expect(await page.locator('img, script:not([id]):not(:nth-last-child(-n+3))').count()).to.equal(0);
    expect(await drawn(page)).to.have.lengthOf(8);
    expect(errors).to.deep.equal([]);
    expect(requests).to.have.lengthOf(1);
  });

  it('numbers curves as the legend does, for who cannot tell their colours', async () => {
    const { page } = await browser.open(html(generatedResult({ roles: ['a', 'b', 'c'] })), {
      reducedMotion: 'reduce',
    });
    const legend = await page.locator('#chart-0 .legend button').allInnerTexts();
    expect(legend.map((text) => text.trim())).to.deep.equal(['1 a', '2 b', '3 c']);
    // What a plot writes when it is drawn again without colours: ticks, events and these.
    const written = await page.evaluate(() => {
      const texts: string[] = [];
      const { fillText } = CanvasRenderingContext2D.prototype;
      CanvasRenderingContext2D.prototype.fillText = function (text, ...where) {
        if (this.font.startsWith('bold')) texts.push(text);
        fillText.call(this, text, ...where);
      };
      document.querySelector<HTMLButtonElement>('#chart-0 .legend li:nth-child(2) button')?.click();
      return new Promise<string[]>((resolve) => requestAnimationFrame(() => setTimeout(() => resolve(texts))));
    });
    expect(written).to.deep.equal(['1', '3']);
  });

  it('has ten colours that differ, in light and dark, also for who sees no red or no green', async () => {
    const { page } = await browser.open(html(generatedResult()));
    const colors = await page.evaluate(() => {
      const style = getComputedStyle(document.documentElement);
      return Array.from({ length: 10 }, (_, index) => style.getPropertyValue(`--s${index}`).trim());
    });
    for (const seen of Object.values(sights)) {
      for (const [index, one] of colors.entries()) {
        for (const other of colors.slice(index + 1)) {
          expect(distance(seen(linear(one)), seen(linear(other))), `${one} ${other}`).to.be.above(0.05);
        }
      }
    }
    for (const paper of ['#ffffff', '#14171b']) {
      for (const one of colors) expect(distance(linear(one), linear(paper)), `${one} on ${paper}`).to.be.above(0.15);
    }
  });

  it('has its numbers as tables for who cannot see plots', async () => {
    const { page } = await browser.open(html(generatedResult({ samples: 200 })));
    const section = page.locator('#chart-3');
    await section.getByText('Numbers').click();
    const rows = await section.getByRole('row').allInnerTexts();
    expect(rows[0]).to.match(/time \(min\)\s+Jain's index\s+dominant-share gap/);
    // Every fifth of 200, and the last.
    expect(rows).to.have.lengthOf(1 + 41);
    expect(rows.at(-1)).to.match(/^120\s+0\.\d+\s+0\.\d+/);
    expect(await section.getByRole('table').getByRole('rowheader').count()).to.equal(41);
    const offers = page.getByRole('table', { name: 'Offers of each framework' });
    expect(await offers.getByRole('row').count()).to.equal(7);
  });

  it('is dark where the reader prefers it, and changes while it is open', async () => {
    const { page } = await browser.open(html(generatedResult()), { colorScheme: 'dark' });
    const background = (): Promise<string> => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const isLight = (): boolean => {
      const canvas = document.querySelector('canvas');
      const data = canvas?.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
      // The ink of a light page, #1b1f24.
      for (let at = 0; at < data.length; at += 4) {
        if (data[at] === 0x1b && data[at + 1] === 0x1f && data[at + 2] === 0x24 && data[at + 3] === 255) return true;
      }
      return false;
    };
    expect([await background(), await page.evaluate(isLight)]).to.deep.equal(['rgb(20, 23, 27)', false]);
    await page.emulateMedia({ colorScheme: 'light' });
    await page.waitForFunction(() => getComputedStyle(document.body).backgroundColor === 'rgb(255, 255, 255)');
    // The page hears of it in an event of its own, and draws in a frame after that.
    await page.waitForFunction(isLight);
  });

  it('fits a phone, and follows when the phone is turned', async () => {
    const names = { roles: ['a-role-with-a-name-that-is-much-longer-than-a-telephone-is-wide-in-any-hand', 'b'] };
    const { page } = await browser.open(html(generatedResult(names)), { viewport: { width: 360, height: 740 } });
    const widths = (): Promise<number[]> =>
      page.evaluate(() => [document.documentElement.scrollWidth, document.querySelector('canvas')?.clientWidth ?? 0]);
    const [page360 = 0, plot360 = 0] = await widths();
    expect(page360).to.be.at.most(360);
    expect(plot360).to.be.within(300, 360);
    await page.setViewportSize({ width: 740, height: 360 });
    await page.waitForFunction(() => (document.querySelector('canvas')?.clientWidth ?? 0) > 600);
    expect((await widths())[0]).to.be.at.most(740);
  });

  it('shows a run with a single sample, one with many frameworks, and one with nothing', async () => {
    const empty = { ...generatedResult({ samples: 1 }), samples: [], frameworks: [], roles: [], events: [] };
    for (const result of [generatedResult({ samples: 1 }), generatedResult({ frameworks: 40 }), empty]) {
      const { page, errors } = await browser.open(html(result));
      for (const { ink } of await drawn(page)) expect(ink).to.be.greaterThan(1000);
      expect(await page.locator('#chart-0 .legend li').count()).to.be.at.most(22);
      expect(errors).to.deep.equal([]);
    }
  });
});
