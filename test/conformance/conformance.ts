import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A requirement that some test's title names by its id. */
export interface Requirement {
  readonly id: string;
  readonly name: string;
  /** Name of the upstream test it comes from; absent for what is taken from the source. */
  readonly upstream?: string;
}

/** Why a requirement, or all of an area that no test names, is not covered. */
interface Exception {
  readonly id?: string;
  readonly area?: string;
  readonly status: 'later' | 'not applicable';
  readonly reason: string;
}

export type Status =
  | { readonly kind: 'covered'; readonly tests: readonly Title[] }
  | { readonly kind: 'later' | 'not applicable'; readonly reason: string }
  | { readonly kind: 'missing' };

export interface Title {
  readonly file: string;
  readonly title: string;
}

const root = fileURLToPath(new URL('../..', import.meta.url));

export function requirements(): readonly Requirement[] {
  return readJson('libprocess.json') as Requirement[];
}

/** The titles of all tests, from their source. */
export function titles(): readonly Title[] {
  const folders = ['test', ...readdirSync(join(root, 'packages')).map((name) => join('packages', name, 'test'))];
  return folders.flatMap((folder) => testFiles(join(root, folder))).flatMap(titlesOf);
}

export function statusOf(requirement: Requirement, all: readonly Title[]): Status {
  const tests = all.filter(({ title }) => new RegExp(`\\b${requirement.id}\\b`).test(title));
  if (tests.length > 0) return { kind: 'covered', tests };
  const exceptions = readJson('not-covered.json') as Exception[];
  const found = exceptions.find(
    ({ id, area }) => id === requirement.id || (area !== undefined && area === areaOf(requirement)),
  );
  return found === undefined ? { kind: 'missing' } : { kind: found.status, reason: found.reason };
}

/** `docs/conformance.md`, as it should be. */
export function table(): string {
  const all = titles();
  const rows = requirements().map((requirement) => ({ requirement, status: statusOf(requirement, all) }));
  const count = (kind: Status['kind']): number => rows.filter(({ status }) => status.kind === kind).length;
  const areas = [...new Set(rows.map(({ requirement }) => areaOf(requirement)))];
  return [
    '# Conformance to libprocess',
    '',
    'Made by `npm run docs:conformance` from the titles of the tests; a test fails when it is out of date. Each line is one',
    "test of libprocess's own, by its name upstream, or a requirement read from its source. *Covered* means that the tests",
    'named turn red when the behaviour breaks.',
    '',
    `${count('covered')} covered, ${count('later')} later, ${count('not applicable')} not applicable, of ${rows.length}.`,
    '',
    ...areas.flatMap((area) => [
      `## ${area}`,
      '',
      '| id | requirement | upstream | status |',
      '| --- | --- | --- | --- |',
      ...rows.filter(({ requirement }) => areaOf(requirement) === area).map(line),
      '',
    ]),
  ].join('\n');
}

function line({ requirement, status }: { requirement: Requirement; status: Status }): string {
  return `| ${requirement.id} | ${requirement.name} | ${requirement.upstream ?? 'source'} | ${describe(status)} |`;
}

function describe(status: Status): string {
  switch (status.kind) {
    case 'covered':
      return [...new Set(status.tests.map(({ file }) => `[${file.split('/').at(-1)}](../${file})`))].join(', ');
    case 'missing':
      return '**missing**';
    default:
      return `*${status.kind}*: ${status.reason}`;
  }
}

function areaOf({ id }: Requirement): string {
  return id.split('-')[1] ?? '';
}

function testFiles(folder: string): readonly string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.test.ts') || /worlds?\.ts$|-suite\.ts$/.test(name))
    .map((name) => join(folder, name))
    .sort();
}

function titlesOf(path: string): readonly Title[] {
  const text = readFileSync(path, 'utf8');
  const calls = text.matchAll(/\b(?:it|describe)\(\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1/g);
  // Rows of a table of tests, whose titles begin with the id of the row.
  const rows = text.matchAll(/\[\s*'(LP-[A-Z]+-\d+)'/g);
  const found = [...[...calls].map(([, , title = '']) => title), ...[...rows].map(([, id = '']) => id)];
  return found.map((title) => ({ file: relative(root, path), title }));
}

function readJson(name: string): unknown {
  return JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8'));
}
