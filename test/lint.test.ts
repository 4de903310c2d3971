import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { root } from './support/command.ts';

interface Diagnostic {
  readonly code: string;
  readonly message: string;
}

/** Lints a source file as if it stood in the folder. */
function lint(folder: string, source: string): Diagnostic[] {
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
    return (JSON.parse(stdout) as { diagnostics: Diagnostic[] }).diagnostics;
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

function brokenRules(folder: string, source: string): string[] {
  const rules = lint(folder, source).map(({ code }) => code.replace(/^.*\((.*)\)$/, '$1'));
  return [...new Set(rules)].sort();
}

/** Those of the modules that a file in the folder may not import, in the order given. */
function refusedImports(folder: string, modules: readonly string[]): string[] {
  const messages = lint(folder, modules.map((module) => `import '${module}';\n`).join('')).map((it) => it.message);
  return modules.filter((module) => messages.some((message) => message.startsWith(`'${module}' import is restricted`)));
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
    ['a promise that void hides', 'export const later = Promise.resolve(1);\nvoid later;', 'no-floating-promises'],
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

  const modules = [
    'node:fs',
    'node:fs/promises',
    'child_process',
    'timers/promises',
    '@mezzo/process',
    '@mezzo/process/testing',
    '@mezzo/protocol',
    '@mezzo/master',
    '@mezzo/agent',
    '@mezzo/frameworks',
    '@mezzo/cli',
    '@mezzo/example-wordcount',
  ] as const;
  const platform = modules.slice(0, 4);
  const ours = modules.slice(4);
  for (const [folder, refused] of [
    ['packages/process/src', modules],
    ['packages/process/src/http', ours],
    ['packages/process/src/nats', ours],
    ['packages/protocol/src', [...platform, ...ours.slice(2)]],
    ['packages/master/src', [...platform, ...ours.slice(3)]],
    ['packages/agent/src', [...platform, ...ours.slice(3)]],
    ['packages/frameworks/src', [...platform, ...ours.slice(3)]],
    ['packages/cli/src', ['@mezzo/cli', '@mezzo/example-wordcount']],
    ['examples/wordcount/src', []],
  ] as const) {
    it(`refuses in ${folder} ${refused.length === 0 ? 'no import' : `imports of ${refused.join(', ')}`}`, () => {
      expect(refusedImports(folder, modules)).to.deep.equal(refused);
    });
  }
});
