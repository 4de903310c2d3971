import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { parse } from '@babel/parser';

type Statement = ReturnType<typeof parse>['program']['body'][number];
type Class = Extract<Statement, { type: 'ClassDeclaration' }>;
type Interface = Extract<Statement, { type: 'TSInterfaceDeclaration' }>;
type Member = Class['body']['body'][number];
type Node = Pick<Statement, 'start' | 'end' | 'leadingComments'>;

/** Something that an entry point gives, as its users see it: without bodies, private members and what is marked internal. */
export interface ExportedDeclaration {
  readonly name: string;
  readonly kind: 'class' | 'function' | 'interface' | 'type' | 'constant';
  readonly file: string;
  /** Its docstring, as Markdown. */
  readonly doc: string;
  /** As a declaration file would have it, members with their docstrings. */
  readonly code: string;
  /** Names of what it extends. */
  readonly bases: readonly string[];
}

/** One source file and what it declares, exports and imports. */
class Source {
  static readonly #known = new Map<string, Source>();
  readonly file: string;
  readonly text: string;
  readonly #statements: readonly Statement[];

  static of(file: string): Source {
    const known = Source.#known.get(file) ?? new Source(file);
    Source.#known.set(file, known);
    return known;
  }

  private constructor(file: string) {
    this.file = file;
    this.text = readFileSync(file, 'utf8');
    this.#statements = parse(this.text, {
      sourceType: 'module',
      plugins: ['typescript', 'explicitResourceManagement'],
    }).program.body;
  }

  /** The names it exports, in the order written. */
  get exported(): readonly string[] {
    return this.#statements.flatMap((statement) => {
      if (statement.type !== 'ExportNamedDeclaration') return [];
      return statement.specifiers.flatMap((one) =>
        one.type === 'ExportSpecifier' && one.exported.type === 'Identifier' ? [one.exported.name] : [],
      );
    });
  }

  /** What a name stands for here, wherever it is declared; undefined for what comes from a package or the language. */
  find(name: string): ExportedDeclaration | undefined {
    const here: Statement[] = [];
    for (const statement of this.#statements) {
      const from = origin(statement, name);
      if (from !== undefined) {
        if (!from.source.startsWith('.')) return undefined;
        return Source.of(join(dirname(this.file), from.source)).find(from.name);
      }
      const declared = statement.type === 'ExportNamedDeclaration' ? (statement.declaration ?? statement) : statement;
      if (!declares(declared, name)) continue;
      here.push(
        (declared.leadingComments ?? []).length === 0
          ? { ...declared, leadingComments: statement.leadingComments }
          : declared,
      );
    }
    return here.length === 0 ? undefined : describe(this, name, here);
  }

  slice(start: number | null | undefined, end: number | null | undefined): string {
    return this.text.slice(start ?? 0, end ?? 0).trimEnd();
  }
}

/** What an entry point gives, in the order of its index, and behind that what those extend without its being exported. */
export function exportedDeclarations(index: string): readonly ExportedDeclaration[] {
  const source = Source.of(index);
  const found = new Map<string, ExportedDeclaration>();
  for (const name of source.exported) {
    const declaration = source.find(name);
    if (declaration === undefined) throw new Error(`${index} exports '${name}', which is declared nowhere`);
    found.set(name, declaration);
  }
  for (const { file, bases } of found.values()) {
    for (const base of bases) {
      const declaration = found.has(base) ? undefined : Source.of(file).find(base);
      if (declaration !== undefined) found.set(base, declaration);
    }
  }
  return [...found.values()];
}

/** Where a name comes from, if the statement imports it or passes it on. */
function origin(statement: Statement, name: string): { readonly source: string; readonly name: string } | undefined {
  if (statement.type !== 'ImportDeclaration' && statement.type !== 'ExportNamedDeclaration') return undefined;
  const source = statement.source?.value;
  if (source === undefined) return undefined;
  for (const one of statement.specifiers) {
    if (one.type === 'ImportSpecifier' && one.local.name === name && one.imported.type === 'Identifier')
      return { source, name: one.imported.name };
    if (one.type === 'ExportSpecifier' && one.exported.type === 'Identifier' && one.exported.name === name)
      return { source, name: one.local.name };
  }
  return undefined;
}

function declares(statement: Statement, name: string): boolean {
  switch (statement.type) {
    case 'VariableDeclaration':
      return statement.declarations.some(({ id }) => id.type === 'Identifier' && id.name === name);
    case 'ClassDeclaration':
    case 'FunctionDeclaration':
    case 'TSDeclareFunction':
    case 'TSInterfaceDeclaration':
    case 'TSTypeAliasDeclaration':
      return statement.id?.name === name;
    default:
      return false;
  }
}

function describe(source: Source, name: string, statements: readonly Statement[]): ExportedDeclaration {
  const [first] = statements;
  const doc = docOf(first);
  const described = { name, file: source.file, doc, bases: [] as readonly string[] };
  switch (first?.type) {
    case 'ClassDeclaration':
      return { ...described, kind: 'class', code: classCode(source, first), bases: classBases(first) };
    case 'TSInterfaceDeclaration':
      return { ...described, kind: 'interface', code: interfaceCode(source, first), bases: interfaceBases(first) };
    case 'TSTypeAliasDeclaration':
      return { ...described, kind: 'type', code: source.slice(first.start, first.end) };
    case 'VariableDeclaration':
      return { ...described, kind: 'constant', code: source.slice(first.start, first.end) };
    default:
      return { ...described, kind: 'function', code: overloads(source, statements) };
  }
}

function classBases({ superClass }: Class): readonly string[] {
  return superClass?.type === 'Identifier' ? [superClass.name] : [];
}

function interfaceBases({ extends: bases }: Interface): readonly string[] {
  return (bases ?? []).flatMap(({ expression }) => (expression.type === 'Identifier' ? [expression.name] : []));
}

function overloads(source: Source, statements: readonly Statement[]): string {
  const declared = statements.filter(({ type }) => type === 'TSDeclareFunction');
  return (declared.length > 0 ? declared : statements)
    .map((statement, index) => {
      const comment = index === 0 ? '' : commentOf(source, statement, '');
      const end = statement.type === 'FunctionDeclaration' ? statement.body.start : statement.end;
      return `${comment}${ended(source.slice(statement.start, end).replace(/^async /, ''))}`;
    })
    .join('\n');
}

function interfaceCode(source: Source, declaration: Interface): string {
  const members = declaration.body.body.filter((member) => !isInternal(member));
  const lines = members.map(
    (member) => `${commentOf(source, member, '  ')}  ${source.slice(member.start, member.end)}`,
  );
  const header = source.slice(declaration.start, declaration.body.start);
  return lines.length === 0 ? `${header} {}` : `${header} {\n${lines.join('\n')}\n}`;
}

function classCode(source: Source, declaration: Class): string {
  const overloaded = new Set<string>();
  const lines: string[] = [];
  for (const member of declaration.body.body) {
    if (isInternal(member) || isPrivate(member)) continue;
    const key = 'key' in member ? source.slice(member.key.start, member.key.end) : '';
    // Of a method with overloads, the implementation is nobody's business.
    if (member.type === 'TSDeclareMethod' && member.abstract !== true) overloaded.add(key);
    else if (member.type === 'ClassMethod' && overloaded.has(key)) continue;
    lines.push(`${commentOf(source, member, '  ')}  ${ended(signature(source, member))}`);
  }
  const header = source.slice(declaration.start, declaration.body.start);
  return lines.length === 0 ? `${header} {}` : `${header} {\n${lines.join('\n')}\n}`;
}

function signature(source: Source, member: Member): string {
  if (member.type === 'ClassMethod') {
    return source
      .slice(member.start, member.body.start)
      .replace(/^((?:(?:public|protected|static|override) )*)async /, '$1');
  }
  if (member.type === 'ClassProperty' && member.typeAnnotation && member.value) {
    return source.slice(member.start, member.typeAnnotation.end);
  }
  return source.slice(member.start, member.end);
}

function isPrivate(member: Member): boolean {
  if (member.type === 'ClassPrivateMethod' || member.type === 'ClassPrivateProperty' || member.type === 'StaticBlock')
    return true;
  if ('declare' in member && member.declare === true) return true;
  return 'accessibility' in member && member.accessibility === 'private';
}

function isInternal(node: Node): boolean {
  return rawDoc(node).includes('@internal');
}

/** The docstring above a declaration, as it stands, indented; '' without one. */
function commentOf(source: Source, node: Node, indent: string): string {
  const comment = node.leadingComments?.findLast(({ type, value }) => type === 'CommentBlock' && value.startsWith('*'));
  if (comment === undefined) return '';
  const [first = '', ...rest] = source.slice(comment.start, comment.end).split('\n');
  return [first, ...rest.map((line) => ` ${line.trim()}`)].map((line) => `${indent}${line}\n`).join('');
}

function rawDoc(node: Node | undefined): string {
  const comment = node?.leadingComments?.findLast(
    ({ type, value }) => type === 'CommentBlock' && value.startsWith('*'),
  );
  return comment?.value.slice(1) ?? '';
}

/** The docstring of a declaration as Markdown: parameters become a list. */
function docOf(node: Node | undefined): string {
  const lines = rawDoc(node)
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, '').trimEnd());
  return lines
    .join('\n')
    .trim()
    .replace(/\s*@(?:param|typeParam) (\w+) /g, '\n\n- `$1`: ')
    .replace(/\n\n(- .*)\n\n(?=- )/g, '\n\n$1\n');
}

function ended(code: string): string {
  return /[;{}]$/.test(code) ? code : `${code};`;
}
