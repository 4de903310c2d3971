import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { root } from '../support/command.ts';

describe('docs/process/errors.md', () => {
  const source = readFileSync(join(root, 'packages', 'process', 'src', 'errors.ts'), 'utf8');
  const page = readFileSync(join(root, 'docs', 'process', 'errors.md'), 'utf8');
  const rows = [...page.matchAll(/^\| `([A-Z_]+)` *\|(.*)\|$/gm)].map(([, code = '', rest = '']) => ({
    code,
    cells: rest.split('|').map((cell) => cell.trim()),
  }));

  it('says of every code, once, when it comes and what to do', () => {
    const [, union = ''] = /export type ErrorCode =([^;]*);/.exec(source) ?? [];
    const codes = [...union.matchAll(/'([A-Z_]+)'/g)].map(([, code = '']) => code);
    expect(codes).to.have.length.above(50);
    expect(rows.map(({ code }) => code).sort()).to.deep.equal(codes.sort());
    for (const { code, cells } of rows) expect(cells.at(-1), code).to.not.equal('');
  });

  it('names every class of error', () => {
    const classes = [...source.matchAll(/export class (\w+) extends ProcessError/g)].map(([, name = '']) => name);
    expect(classes).to.have.length.above(5);
    for (const name of classes)
      expect(
        rows.some(({ cells }) => cells[0] === `\`${name}\``),
        name,
      ).to.equal(true);
  });
});
