import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect } from 'chai';
import { root } from '../support/command.ts';

const pages = [
  'README.md',
  'CONTRIBUTING.md',
  ...readdirSync(join(root, 'packages')).map((name) => `packages/${name}/README.md`),
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
].filter((page) => existsSync(join(root, page)));

/** As GitHub makes them: lower case, without punctuation, and numbered when there is more than one. */
function anchorsOf(text: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, title = ''] of text.replaceAll(/^```[\s\S]*?^```$/gm, '').matchAll(/^#+ (.*)$/gm)) {
    const anchor = title
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}_ -]/gu, '')
      .replaceAll(' ', '-');
    let free = anchor;
    for (let number = 1; anchors.has(free); number++) free = `${anchor}-${number}`;
    anchors.add(free);
  }
  return anchors;
}

describe('the links of the documentation', () => {
  const known = new Map<string, string>();
  const read = (file: string): string => {
    const text = known.get(file) ?? readFileSync(file, 'utf8');
    known.set(file, text);
    return text;
  };

  for (const page of pages) {
    it(`of ${page} lead somewhere`, () => {
      const file = join(root, page);
      const prose = read(file).replaceAll(/^```[\s\S]*?^```$/gm, '');
      const broken: string[] = [];
      for (const [, target = ''] of prose.matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^[a-z]+:/.test(target)) continue;
        const [path = '', anchor] = target.split('#');
        const other = path === '' ? file : join(dirname(file), path);
        if (!existsSync(other)) broken.push(target);
        else if (anchor !== undefined && !anchorsOf(read(other)).has(anchor)) broken.push(target);
      }
      expect(broken).to.deep.equal([]);
    });
  }

  it('reach every page from docs/README.md', () => {
    const reached = new Set<string>();
    const visit = (file: string): void => {
      if (reached.has(file) || !file.endsWith('.md') || !existsSync(file)) return;
      reached.add(file);
      for (const [, target = ''] of read(file).matchAll(/\]\(([^)#\s]+)/g)) {
        if (!/^[a-z]+:/.test(target)) visit(join(dirname(file), target));
      }
    };
    visit(join(root, 'docs', 'README.md'));
    const missed = pages.filter((page) => page.startsWith('docs/') && !reached.has(join(root, page)));
    expect(missed.map((page) => relative('docs', page))).to.deep.equal([]);
  });
});
