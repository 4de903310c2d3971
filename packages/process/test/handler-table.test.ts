import { expect } from 'chai';
import { HandlerTable } from '../src/handler-table.ts';

describe('HandlerTable', () => {
  for (const count of [1, 8, 9, 50]) {
    it(`finds each of ${count} by name, and the last one set for a name wins`, () => {
      const table = new HandlerTable<number>();
      const names = Array.from({ length: count }, (_, index) => `kind ${index}`);
      for (const [index, name] of names.entries()) table.set(name, index);
      expect(names.map((name) => table.get(name))).to.deep.equal(names.map((_, index) => index));
      for (const name of names) table.set(name, -1);
      expect(new Set(names.map((name) => table.get(name)))).to.deep.equal(new Set([-1]));
      expect(table.get('other')).to.equal(undefined);
    });
  }
});
