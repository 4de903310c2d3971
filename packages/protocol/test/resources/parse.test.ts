import { expect } from 'chai';
import fc from 'fast-check';
import { parseResources, Resources, ResourcesParseError } from '../../src/index.ts';
import { anyResources } from './samples.ts';

describe('resources: text form', () => {
  it('RES-01 reads scalars, ranges and sets', () => {
    expect(Resources.parse('cpus:4;mem:8192;ports:[31000-32000];zones:{a,b}').entries).to.deep.equal([
      { name: 'cpus', type: 'SCALAR', scalar: 4 },
      { name: 'mem', type: 'SCALAR', scalar: 8192 },
      { name: 'ports', type: 'RANGES', ranges: [{ begin: 31_000, end: 32_000 }] },
      { name: 'zones', type: 'SET', set: ['a', 'b'] },
    ]);
  });

  it('RES-01 reads roles, and gives the default role to what names none', () => {
    expect(Resources.parse('cpus(ads):4;mem:8;disk(*):1', 'eng/web').entries).to.deep.equal([
      { name: 'cpus', role: 'ads', type: 'SCALAR', scalar: 4 },
      { name: 'mem', role: 'eng/web', type: 'SCALAR', scalar: 8 },
      { name: 'disk', type: 'SCALAR', scalar: 1 },
    ]);
  });

  it('RES-01 ignores white space and empty entries', () => {
    const spaced = Resources.parse('  ; cpus ( ads ) : 4 ;;\n ports:[ 1 - 5 , 8 - 9 ] ; zones : { a , b } ; ');
    expect(spaced.toString()).to.equal('cpus(ads):4;ports:[1-5,8-9];zones:{a,b}');
  });

  it('reads an empty text as nothing', () => {
    expect(Resources.parse(' ;').isEmpty).to.equal(true);
  });

  it('RES-27 reads numbers with decimals and exponents', () => {
    expect(Resources.parse('a:0.5;b:.5;c:1.;d:1e3;e:2.5E-2').toString()).to.equal('a:0.5;b:0.5;c:1;d:1000;e:0.025');
  });

  it('adds up entries of the same name and role', () => {
    expect(Resources.parse('cpus:1;cpus:2;cpus(ads):3;ports:[1-2];ports:[3-4]').toString()).to.equal(
      'cpus:3;cpus(ads):3;ports:[1-4]',
    );
  });

  it('RES-06 drops zero and empty amounts, which parseResources keeps', () => {
    expect(Resources.parse('cpus:0;ports:[];zones:{}').isEmpty).to.equal(true);
    expect(parseResources('cpus:0;ports:[];zones:{}').map(({ name }) => name)).to.deep.equal([
      'cpus',
      'ports',
      'zones',
    ]);
  });

  const errors: [what: string, text: string, column: number, message: RegExp][] = [
    ['RES-02 a missing colon', 'cpus', 4, /expected ":" or "\(" after the name, found the end of the text/],
    ['RES-02 a missing value', 'cpus:', 5, /expected a number, ranges .* found the end of the text/],
    ['RES-02 a missing value in the middle', 'cpus:;mem:1', 5, /expected a number.*found ";"/],
    ['RES-02 a missing name', ':4', 0, /expected the name of a resource, found ":"/],
    ['RES-02 an unclosed role', 'cpus(ads:4', 8 + 2, /expected "\)" after the role, found the end/],
    ['RES-02 an empty role', 'cpus():4', 5, /expected a role, found "\)"/],
    ['RES-02 an invalid role', 'cpus(a//b):4', 5, /expected a valid role.*must not contain "\/\/"/],
    ['RES-02 a text as value', 'mem:1;cpus:many', 11, /expected a number.*found "many"/],
    ['RES-02 two types for a name', 'cpus:1;cpus:{a}', 7, /expected every "cpus" to be SCALAR.*found SET/],
    ['RES-27 NaN', 'cpus:NaN', 5, /found "NaN"/],
    ['RES-27 infinity', 'cpus:inf', 5, /found "inf"/],
    ['RES-27 an overflow to infinity', 'cpus:1e999', 5, /Infinity is not a finite number/],
    ['RES-27 a negative number', 'cpus:-1', 5, /found "-1"/],
    ['RES-16 less than a thousandth', 'cpus:0.0004', 5, /0\.0004 is below the precision of 0\.001/],
    ['RES-27 an unclosed range', 'ports:[1-2', 10, /expected "," or "\]" after a range, found the end/],
    ['RES-27 a range of one number', 'ports:[1]', 8, /expected "-" between the ends of a range, found "\]"/],
    ['RES-27 a range from high to low', 'ports:[1-2,9-5]', 11, /expected a range from low to high, found 9-5/],
    ['RES-27 fractions in a range', 'ports:[1-2.5]', 10, /expected "," or "\]" after a range, found "\."/],
    ['a number too large for a range', 'ports:[1-99999999999999999]', 9, /expected a number up to 9007199254740991/],
    ['RES-27 mixed brackets', 'ports:[1-2}', 10, /expected "," or "\]" after a range, found "\}"/],
    ['RES-27 an unclosed set', 'zones:{a', 8, /expected "," or "\}" after an item, found the end/],
    ['an item twice', 'zones:{a,b,a}', 11, /expected each item once, found "a" again/],
    ['a missing item', 'zones:{a,}', 9, /expected an item of the set, as in \{a,b\}, found "\}"/],
    ['RES-27 nested brackets', 'ports:[[1-2]]', 7, /expected the first number of a range.*found "\["/],
    ['text behind a value', 'cpus:4 mem:8', 7, /expected ";" or the end, found "m"/],
  ];
  for (const [what, text, column, message] of errors) {
    it(`points at ${what}: ${text}`, () => {
      try {
        Resources.parse(text);
        expect.fail('accepted');
      } catch (error) {
        expect(error).to.be.instanceOf(ResourcesParseError);
        if (!(error instanceof ResourcesParseError)) throw error;
        expect(error.message).to.match(message);
        expect(error.position).to.equal(column);
        const [, shown, caret] = error.message.split('\n');
        expect(shown).to.equal(`  ${text}`);
        expect(caret).to.equal(`  ${' '.repeat(column)}^`);
      }
    });
  }

  it('shows only the part of a long text around the fault, in one line', () => {
    const text = `${'cpus:1;\n'.repeat(100)}oops;${'mem:1;'.repeat(100)}`;
    try {
      Resources.parse(text);
      expect.fail('accepted');
    } catch (error) {
      if (!(error instanceof ResourcesParseError)) throw error;
      const [, shown = '', caret = ''] = error.message.split('\n');
      expect(shown.length).to.be.below(140);
      expect(shown[caret.length - 1]).to.equal(text[error.position]);
      expect(shown.slice(0, caret.length - 1)).to.match(/oops$/);
    }
  });

  it('refuses an invalid default role', () => {
    expect(() => Resources.parse('cpus:1', 'a b')).to.throw(RangeError, /default role.*white space/);
  });

  it('RES-05 prints what it reads, at most three decimals', () => {
    expect(Resources.parse('cpus:1.2345;mem:0.5;cpus(ads):2.000').toString()).to.equal(
      'cpus:1.235;mem:0.5;cpus(ads):2',
    );
    const text = 'cpus:4;mem:8192;ports:[31000-32000]';
    expect(Resources.parse(text).toString()).to.equal(text);
  });

  it('RES-05 prints the allocation, and reads it back', () => {
    const given = Resources.parse('cpus:1;mem(ads):2').allocate('ads');
    expect(given.toString()).to.equal('cpus(allocated: ads):1;mem(allocated: ads)(ads):2');
    expect(Resources.parse(given.toString()).equals(given)).to.equal(true);
  });

  it('reads back whatever it prints', () => {
    fc.assert(
      fc.property(anyResources, (resources) => {
        expect(Resources.parse(resources.toString()).entries).to.deep.equal(resources.entries);
      }),
    );
  });

  it('throws nothing but its own error, with a position in the text, whatever the text', () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc
        .array(fc.constantFrom('cpus', ':', ';', '(', ')', '[', ']', '{', '}', '-', ',', '1', '.5', ' ', 'allocated:'))
        .map((parts) => parts.join('')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        try {
          Resources.parse(text);
        } catch (error) {
          if (!(error instanceof ResourcesParseError)) throw error;
          expect(error.position).to.be.within(0, text.length);
        }
      }),
      { numRuns: 500 },
    );
  });
});
