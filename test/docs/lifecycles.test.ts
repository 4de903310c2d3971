import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { lifecyclesFile, lifecyclesPage } from '../../scripts/lifecycles.ts';

describe('docs/lifecycles.md', () => {
  it('draws the machines as they are (npm run docs:lifecycles writes it)', () => {
    expect(readFileSync(lifecyclesFile, 'utf8')).to.equal(lifecyclesPage());
  });
});
