import { expect } from 'chai';
import fc from 'fast-check';
import { AttributesParseError, parseAttributes, sameAttributes } from '../../src/index.ts';

describe('attributes', () => {
  it('RES-29 reads texts, scalars and ranges, and compares them in any order', () => {
    expect(parseAttributes('rack:r 3;cores:8.5\nports:[20-30, 1-5,6-7];;url:http://x:80/;rack:r4\n')).to.deep.equal([
      { name: 'rack', type: 'TEXT', text: 'r3' },
      { name: 'cores', type: 'SCALAR', scalar: 8.5 },
      {
        name: 'ports',
        type: 'RANGES',
        ranges: [
          { begin: 1, end: 7 },
          { begin: 20, end: 30 },
        ],
      },
      { name: 'url', type: 'TEXT', text: 'http://x:80/' },
      { name: 'rack', type: 'TEXT', text: 'r4' },
    ]);
    expect(parseAttributes('')).to.deep.equal([]);
    expect(parseAttributes(' a b :x').map(({ name }) => name)).to.deep.equal([' a b ']);
    for (const word of ['NaN', 'inf', '-inf', 'Infinity', '-1', '1e999', '0x1', '1.2.3', '1-2']) {
      expect(parseAttributes(`a:${word}`)).to.deep.equal([{ name: 'a', type: 'TEXT', text: word }]);
    }
    expect(parseAttributes('a:1e3;b:.5;c:+2')).to.deep.equal([
      { name: 'a', type: 'SCALAR', scalar: 1000 },
      { name: 'b', type: 'SCALAR', scalar: 0.5 },
      { name: 'c', type: 'SCALAR', scalar: 2 },
    ]);
    const same = (left: string, right: string) => sameAttributes(parseAttributes(left), parseAttributes(right));
    expect(same('a:1;b:x;p:[1-2,3-4];b:y', 'b:y;p:[1-4];b:x;a:1.0')).to.equal(true);
    expect(same('a:1;a:1;a:2', 'a:1;a:2;a:2')).to.equal(false);
    for (const other of ['a:1', 'a:1;b:y', 'a:2;b:x', 'c:1;b:x', 'a:[1-1];b:x', 'a:1;b:x;b:x', 'a:1;b:1']) {
      expect(same('a:1;b:x', other), other).to.equal(false);
      expect(same(other, 'a:1;b:x'), other).to.equal(false);
    }
    expect(same('p:[1-5]', 'p:[1-4]')).to.equal(false);
    expect(same('p:[1-5]', 'p:x')).to.equal(false);
  });

  const wrong: [text: string, position: number, message: RegExp][] = [
    ['a:1;rack', 4, /expected name:value, found "rack"/],
    ['a:1;:x', 4, /expected a name before ":"/],
    ['a:', 2, /expected a value of "a"/],
    ['a: ;b:1', 2, /expected a value of "a"/],
    ['a:{x,y}', 2, /found a set/],
    ['a:x[1]', 2, /only at the beginning/],
    ['a:x{1}', 2, /only at the beginning/],
    ['a:[1-2', 2, /brackets to match, found "\["/],
    ['a:1-2]', 2, /brackets to match, found "\]"/],
    ['a:(x', 2, /brackets to match, found "\("/],
    ['a:(x]', 2, /brackets to match, found "\]"/],
    ['a:[1-x]', 2, /expected the last number of a range in "\[1-x\]"/],
    ['a:[5-1]', 2, /expected a range from low to high/],
    ['a:[1-2]x', 2, /expected nothing after the ranges/],
    ['a:[1-9007199254740992]', 2, /expected a number up to 9007199254740991/],
  ];
  for (const [text, position, message] of wrong) {
    it(`points at the fault of ${text}`, () => {
      try {
        parseAttributes(text);
        expect.fail('accepted');
      } catch (error) {
        if (!(error instanceof AttributesParseError)) throw error;
        expect(error.message).to.match(message);
        expect(error.position).to.equal(position);
        expect(error.message.split('\n')[2]).to.equal(`  ${' '.repeat(position)}^`);
      }
    });
  }

  it('throws nothing but its own error, whatever the text', () => {
    const pieces = fc.array(fc.constantFrom('a', ':', ';', '[', ']', '{', '(', '1', '-', ',', ' ', '\n', '.'));
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          pieces.map((parts) => parts.join('')),
        ),
        (text) => {
          try {
            parseAttributes(text);
          } catch (error) {
            if (!(error instanceof AttributesParseError)) throw error;
            expect(error.position).to.be.within(0, text.length);
          }
        },
      ),
      { numRuns: 800 },
    );
  });
});
