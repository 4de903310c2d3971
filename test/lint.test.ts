import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { root } from './support/command.ts';

/** Lints a source file as if it stood in the folder, and tells the rules it breaks. */
function brokenRules(folder: string, source: string): string[] {
  const place = join(root, folder, 'lint-probe');
  mkdirSync(place, { recursive: true });
  try {
    const file = join(place, 'probe.ts');
    writeFileSync(file, source);
    const oxlint = join(root, 'node_modules', 'oxlint', 'bin', 'oxlint');
    const { stdout } = spawnSync(process.execPath, [oxlint, '--type-aware', '--format', 'json', file], {
      cwd: root,
      encoding: 'utf8',
    });
    const { diagnostics } = JSON.parse(stdout) as { diagnostics: { code: string }[] };
    return [...new Set(diagnostics.map(({ code }) => code.replace(/^.*\((.*)\)$/, '$1')))].sort();
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

describe('the linter', function () {
  this.timeout(60_000);

  for (const [what, source, rule] of [
    ['a clock', 'export const now = Date.now();', 'no-restricted-globals'],
    ['a timer', 'setTimeout(() => {}, 1);', 'no-restricted-globals'],
    ['chance', 'export const chance = Math.random();', 'no-restricted-properties'],
    ['a file', "import { readFileSync } from 'node:fs';\nreadFileSync('x');", 'no-restricted-imports'],
    ['an async handler', 'export async function handle(): Promise<void> {}', 'no-async-await'],
    [
      'a floating promise',
      'export const later = Promise.resolve(1);\nlater.then((n) => n + 1);',
      'no-floating-promises',
    ],
    ['any', 'export const some: any = 1;', 'no-explicit-any'],
    [
      'a non-null assertion',
      'export const first = (list: readonly number[]): number => list[0]!;',
      'no-non-null-assertion',
    ],
  ] as const) {
    it(`refuses ${what} in the master`, () => {
      expect(brokenRules('packages/master/src', source)).to.deep.equal([rule]);
    });
  }

  it('lets the seam itself read the clock', () => {
    expect(brokenRules('packages/process/src/http', 'export const now = Date.now();')).to.deep.equal([]);
  });
});
