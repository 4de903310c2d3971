import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { apiFolder, apiPages } from '../../scripts/api.ts';

describe('the API reference', () => {
  const pages = apiPages();

  it('is the one that `npm run docs:api` makes', () => {
    expect(readdirSync(apiFolder).sort()).to.deep.equal([...pages.keys()].sort());
    for (const [file, text] of pages) expect(readFileSync(join(apiFolder, file), 'utf8'), file).to.equal(text);
  });

  it('shows neither bodies nor private members nor what is internal', () => {
    for (const [file, text] of pages) {
      expect(text, file).to.not.match(/^ {2}(?:readonly |static |private )*#\w/m);
      expect(text, file).to.not.include('@internal');
      expect(text, file).to.not.match(/^ {4}(?:return|const|if) /m);
    }
  });

  it('tells what is given and thrown where the source says so', () => {
    const core = pages.get('core.md') ?? '';
    expect(core).to.include('  spawn<P extends Process>(process: P): LocalPID<P>;');
    expect(core).to.include('Gives the process its address and has `initialize` run soon. Throws SpawnRefused');
    expect(core).to.match(/## RuntimeOptions\n[\s\S]*## NodeOptions\n/);
  });
});
