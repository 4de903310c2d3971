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

/** How something covered is not as it is upstream. */
export interface Difference {
  readonly id: string;
  readonly reason: string;
}

/** Why a requirement, or all of an area that no test names, is not covered. */
export interface Exception {
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

/** Where requirements come from. An area is what their ids begin with; one without a name is called by that. */
interface Source {
  readonly name: string;
  readonly file: string;
  readonly about: readonly string[];
  readonly areas: Readonly<Record<string, string>>;
}

const sources: readonly Source[] = [
  {
    name: 'Mesos',
    file: 'mesos.json',
    about: ["Each line is a behaviour that Mesos's own tests, by their names upstream, check."],
    areas: {
      RES: 'Resources (resources_tests, values_tests, resource_quantities_tests, attributes_tests)',
      SORT: 'Sorters (sorter_tests)',
      ALLOC: 'Allocator (hierarchical_allocator_tests)',
      MASTER: 'Master (master_tests and what belongs to it)',
      SCHED: 'Scheduler API (scheduler_tests, scheduler_http_api_tests, fault_tolerance_tests)',
      RECON: 'Reconciliation (reconciliation_tests, operation_reconciliation_tests, master_slave_reconciliation_tests)',
      TEAR: 'Teardown (teardown_tests)',
      ROLE: 'Roles (role_tests)',
      WGT: 'Weights (dynamic_weights_tests)',
      QUOTA: 'Quotas (master_quota_tests)',
      RESV: 'Reservations (reservation_tests, reservation_endpoints_tests)',
      PV: 'Persistent volumes (persistent_volume_tests, persistent_volume_endpoints_tests)',
      PART: 'Partitions (partition_tests, slave_tests)',
      AGENT: 'Agents and executors (slave_tests, slave_recovery_tests, gc_tests, default_executor_tests)',
    },
  },
  {
    name: 'libprocess',
    file: 'libprocess.json',
    about: ["Each line is one test of libprocess's own, by its name upstream, or a requirement read from its source."],
    areas: {},
  },
];

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Of one source, by its name, or of all. */
export function requirements(source?: string): readonly Requirement[] {
  const wanted = sources.filter(({ name }) => source === undefined || name === source);
  return wanted.flatMap(({ file }) => readJson(file) as Requirement[]);
}

export function differences(): readonly Difference[] {
  return readJson('differences.json') as Difference[];
}

export function exceptions(): readonly Exception[] {
  return readJson('not-covered.json') as Exception[];
}

/** What an id begins with: `LP-FUT` of `LP-FUT-22`, `ALLOC` of `ALLOC-03`. */
export function areaOf({ id }: { readonly id: string }): string {
  return id.slice(0, id.lastIndexOf('-'));
}

/** The titles of all tests, from their source. */
export function titles(): readonly Title[] {
  const folders = ['test', ...readdirSync(join(root, 'packages')).map((name) => join('packages', name, 'test'))];
  return folders.flatMap((folder) => testFiles(join(root, folder))).flatMap(titlesOf);
}

/** The ids of these areas that a title names. */
export function idsIn(title: string, areas: ReadonlySet<string>): readonly string[] {
  const ids = title.match(/(?<![\w-])[A-Z]+(?:-[A-Z]+)?-\d+[a-z]?\b/g) ?? [];
  return ids.filter((id) => areas.has(areaOf({ id })));
}

export function statusOf(requirement: Requirement, all: readonly Title[]): Status {
  const { id } = requirement;
  const name = new RegExp(`(?<![\\w-])${id}\\b`);
  const tests = all.filter(({ title }) => name.test(title));
  if (tests.length > 0) return { kind: 'covered', tests, differs: differences().find((one) => one.id === id)?.reason };
  const found = exceptions().find((one) => one.id === id || one.area === areaOf(requirement));
  return found === undefined ? { kind: 'missing' } : { kind: found.status, reason: found.reason };
}

/** `docs/conformance.md`, as it should be. */
export function table(): string {
  const all = titles();
  return [
    '# Conformance',
    '',
    'Made by `npm run docs:conformance` from the titles of the tests; a test fails when it is out of date. *Covered* means',
    'that the tests named turn red when the behaviour breaks; *covered, but* says how the behaviour is another one than',
    'upstream.',
    '',
    ...sources.flatMap((source) => section(source, all)),
  ].join('\n');
}

interface Row {
  readonly requirement: Requirement;
  readonly status: Status;
}

function section({ name, about, areas }: Source, all: readonly Title[]): readonly string[] {
  const rows = requirements(name).map((requirement) => ({ requirement, status: statusOf(requirement, all) }));
  return [
    `## ${name}`,
    '',
    ...about,
    '',
    counts(rows),
    '',
    ...[...new Set(rows.map(({ requirement }) => areaOf(requirement)))].flatMap((area) => {
      const own = rows.filter(({ requirement }) => areaOf(requirement) === area);
      return [
        `### ${areas[area] ?? area}`,
        '',
        counts(own),
        '',
        '| id | requirement | upstream | status |',
        '| --- | --- | --- | --- |',
        ...own.map(line),
        '',
      ];
    }),
  ];
}

function counts(rows: readonly Row[]): string {
  const parts = (['covered', 'later', 'not applicable', 'missing'] as const).flatMap((kind) => {
    const count = rows.filter(({ status }) => status.kind === kind).length;
    return count === 0 ? [] : [`${count} ${kind}`];
  });
  return `${parts.join(', ')}, of ${rows.length}.`;
}

function line({ requirement, status }: Row): string {
  const { id, name, upstream = 'source' } = requirement;
  return `| ${id} | ${name} | ${upstream.replaceAll('*', String.raw`\*`)} | ${describe(status)} |`;
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
    /\[\s*'(?<row>[A-Z]+(?:-[A-Z]+)?-\d+[a-z]?)'/,
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
