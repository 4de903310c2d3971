import { expect } from 'chai';
import { type Entry, HandlerTable } from '../src/handler-table.ts';

class Numbered implements Entry<Numbered> {
  readonly name: string;
  readonly number: number;
  next: Numbered | undefined = undefined;

  constructor(name: string, number: number) {
    this.name = name;
    this.number = number;
  }
}

describe('HandlerTable', () => {
  for (const count of [1, 8, 9, 50]) {
    it(`finds each of ${count} by name, and the last one set for a name wins`, () => {
      const table = new HandlerTable<Numbered>();
      const names = Array.from({ length: count }, (_, index) => `kind ${index}`);
      for (const [index, name] of names.entries()) table.set(new Numbered(name, index));
      expect(names.map((name) => table.get(name)?.number)).to.deep.equal(names.map((_, index) => index));
      for (const name of names) table.set(new Numbered(name, -1));
      expect(new Set(names.map((name) => table.get(name)?.number))).to.deep.equal(new Set([-1]));
      expect(table.get('other')).to.equal(undefined);
    });
  }
});
