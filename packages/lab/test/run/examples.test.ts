import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { withSettings } from '../../src/compare/index.ts';
import { runScenario } from '../../src/run/run-scenario.ts';
import { readScenario } from '../../src/scenario/read-scenario.ts';

const folder = (name: string): string => fileURLToPath(new URL(`../../${name}/`, import.meta.url));
const textOf = (path: string): string => readFileSync(path, 'utf8');

describe('the example scenarios', function () {
  this.timeout(60_000);

  for (const name of readdirSync(folder('scenarios'))) {
    it(`${name} can be read and run`, async () => {
      const text = textOf(`${folder('scenarios')}${name}`);
      expect(readScenario(text, name).name).to.equal(name.replace(/\.yaml$/, ''));
      const short = withSettings(text, [
        { path: 'duration', value: '40s' },
        { path: 'events', value: [] },
      ]);
      const { frameworks } = await runScenario(readScenario(short, name), { seed: 1 });
      expect(frameworks.reduce((sum, { tasks }) => sum + tasks.launched, 0)).to.be.above(0);
    });
  }

  for (const name of readdirSync(folder('bench')).filter((file) => file.endsWith('.yaml'))) {
    it(`${name}, for measuring, can be read`, () => {
      expect(readScenario(textOf(`${folder('bench')}${name}`), name).name).to.equal(name.replace(/\.yaml$/, ''));
    });
  }

  it('quota.yaml shows starvation that a guarantee cures', async () => {
    const { samples } = await runScenario(readScenario(textOf(`${folder('scenarios')}quota.yaml`), 'quota.yaml'), {
      seed: 1,
    });
    const mean = (from: number, to: number): number => {
      const shares = samples
        .filter(({ time }) => time > from * 60_000 && time <= to * 60_000)
        .map(({ roles }) => roles['late']?.dominantShare ?? 0);
      return shares.reduce((sum, share) => sum + share, 0) / shares.length;
    };
    // Of five others and itself each should have a sixth; guaranteed are two fifths, if whole machines come free.
    expect(mean(3, 10)).to.be.below(0.08);
    expect(mean(14, 20)).to.be.above(0.2);
  });

  it('drf-paper.yaml ends as the paper says: 3 and 2 tasks, each a dominant share of 2/3', async () => {
    const text = textOf(`${folder('scenarios')}drf-paper.yaml`);
    const { samples } = await runScenario(readScenario(text, 'drf-paper.yaml'), { seed: 1 });
    const last = samples.at(-1);
    expect(last?.roles).to.nested.include({ 'a.running': 3, 'b.running': 2 });
    expect(last?.roles['a']?.dominantShare).to.be.closeTo(2 / 3, 1e-12);
    expect(last?.roles['b']?.dominantShare).to.be.closeTo(2 / 3, 1e-12);
    expect(last).to.include({ jain: 1, gap: 0 });
  });
});
