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

/** How something covered is not as it is in libprocess. */
export interface Difference {
  readonly id: string;
  readonly reason: string;
}

/** Why a requirement, or all of an area that no test names, is not covered. */
interface Exception {
  readonly id?: string;
  readonly area?: string;
  readonly status: 'later' | 'not applicable';
  readonly reason: string;
}

export type Status =
  | { readonly kind: 'covered'; readonly tests: readonly Title[]; readonly differs: string | undefined }
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

export function differences(): readonly Difference[] {
  return readJson('differences.json') as Difference[];
}

/** The titles of all tests, from their source. */
export function titles(): readonly Title[] {
  const folders = ['test', ...readdirSync(join(root, 'packages')).map((name) => join('packages', name, 'test'))];
  return folders.flatMap((folder) => testFiles(join(root, folder))).flatMap(titlesOf);
}

export function statusOf(requirement: Requirement, all: readonly Title[]): Status {
  const tests = all.filter(({ title }) => new RegExp(`\\b${requirement.id}\\b`).test(title));
  if (tests.length > 0) {
    const differs = differences().find(({ id }) => id === requirement.id)?.reason;
    return { kind: 'covered', tests, differs };
  }
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
    'named turn red when the behaviour breaks; *covered, but* says how the behaviour is not that of libprocess.',
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
      return `${links(status.tests)}${status.differs === undefined ? '' : `; *covered, but* ${status.differs}`}`;
    case 'missing':
      return '**missing**';
    default:
      return `*${status.kind}*: ${status.reason}`;
  }
}

function links(tests: readonly Title[]): string {
  return [...new Set(tests.map(({ file }) => `[${file.split('/').at(-1)}](../${file})`))].join(', ');
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
  return titlesIn(readFileSync(path, 'utf8')).map((title) => ({ file: relative(root, path), title }));
}

/**
 * What may hold the text of a test without being one (comments, regular expressions, other strings) is matched so that it
 * is passed over.
 */
const token = new RegExp(
  [
    /\/\/[^\n]*|\/\*[^]*?\*\//,
    /(?<=(?:[(,=:[!&|?{};>]|\breturn)\s*)\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\//,
    /(?<![.\w$])it\(\s*(?<quote>['"`])(?<title>(?:\\[^]|(?!\k<quote>)[^\\])*)\k<quote>/,
    /\[\s*'(?<row>LP-[A-Z]+-\d+)'/,
    /'(?:\\[^]|[^'\\\n])*'|"(?:\\[^]|[^"\\\n])*"|`(?:\\[^]|[^`\\])*`/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'g',
);

/** The titles of the tests in a source. Rows of a table count, by their id, where a test takes its title's beginning from them. */
export function titlesIn(source: string): readonly string[] {
  const groups = [...source.matchAll(token)].map((match) => match.groups ?? {});
  const named = groups.flatMap(({ title }) => title ?? []);
  const tabled = groups.some(({ quote, title }) => quote === '`' && /^\$\{\w+\}/.test(title ?? ''));
  return tabled ? [...named, ...groups.flatMap(({ row }) => row ?? [])] : named;
}

function readJson(name: string): unknown {
  return JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8'));
}
