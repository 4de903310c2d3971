import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type ExportedDeclaration, exportedDeclarations } from './exported-declarations.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const library = join(root, 'packages', 'process');
/** Where the pages are. */
export const apiFolder = join(root, 'docs', 'process', 'api');

const order = ['class', 'function', 'constant', 'interface', 'type'] as const;
const headings = {
  class: 'Classes',
  function: 'Functions',
  constant: 'Constants',
  interface: 'Interfaces',
  type: 'Types',
} as const;

/** The reference of `@mezzo/process` by file name: a page for each entry point, and their index. */
export function apiPages(): ReadonlyMap<string, string> {
  const manifest = JSON.parse(readFileSync(join(library, 'package.json'), 'utf8')) as {
    readonly name: string;
    readonly exports: Readonly<Record<string, { readonly 'mezzo:source': string }>>;
  };
  const pages = new Map<string, string>();
  const entries: string[] = [];
  for (const [path, conditions] of Object.entries(manifest.exports)) {
    const entry = manifest.name + path.slice(1);
    const file = `${path === '.' ? 'core' : path.slice(2)}.md`;
    const declarations = exportedDeclarations(join(library, conditions['mezzo:source']));
    pages.set(file, page(entry, declarations));
    entries.push(`- [\`${entry}\`](${file}): ${declarations.map(({ name }) => name).join(', ')}`);
  }
  const index = ['# API reference of `@mezzo/process`', '', generated, '', ...entries, ''];
  return pages.set('README.md', index.join('\n'));
}

const generated =
  'Made from the sources by `npm run docs:api`; a test holds these pages equal to them. Bodies, private members and what is ' +
  'marked internal are left out.';

function page(entry: string, declarations: readonly ExportedDeclaration[]): string {
  const parts = [`# \`${entry}\``, generated];
  const anchors = anchorsOf(declarations);
  for (const kind of order) {
    const ofKind = declarations.filter((declaration) => declaration.kind === kind);
    if (ofKind.length === 0) continue;
    const links = ofKind.map(({ name }) => `[${name}](#${anchors.get(name)})`).sort();
    parts.push(`${headings[kind]}: ${links.join(', ')}`);
  }
  for (const { name, kind, file, doc, code } of declarations) {
    parts.push(`## ${name}`, `${kind} of [${relative(library, file)}](${relative(apiFolder, file)})`);
    if (doc !== '') parts.push(doc);
    parts.push(`\`\`\`ts\n${code}\n\`\`\``);
  }
  return `${parts.join('\n\n')}\n`;
}

/** GitHub's: lower case, and numbered where `message` and `Message` are both there. */
function anchorsOf(declarations: readonly ExportedDeclaration[]): ReadonlyMap<string, string> {
  const seen = new Map<string, number>();
  const anchors = new Map<string, string>();
  for (const { name } of declarations) {
    const anchor = name.toLowerCase();
    const earlier = seen.get(anchor) ?? 0;
    seen.set(anchor, earlier + 1);
    anchors.set(name, earlier === 0 ? anchor : `${anchor}-${earlier}`);
  }
  return anchors;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const pages = apiPages();
  mkdirSync(apiFolder, { recursive: true });
  for (const file of readdirSync(apiFolder)) if (!pages.has(file)) rmSync(join(apiFolder, file));
  for (const [file, text] of pages) writeFileSync(join(apiFolder, file), text);
}
