import { expect } from 'chai';
import fc from 'fast-check';
import { decodeCheckpoint, encodeCheckpoint } from '../../src/recovery/checkpoint-format.ts';

const bytesOf = (text: string) => new TextEncoder().encode(text);
const again = (value: unknown) => decodeCheckpoint(bytesOf(encodeCheckpoint(value)), '/f');

describe('a checkpoint', () => {
  it('holds any value of messages: bytes, infinite numbers, and keys that look like its own marks', () => {
    const leaf = fc.oneof(
      fc.string(),
      fc.boolean(),
      fc.double({ noNaN: true }).map((number) => number + 0),
      fc.uint8Array(),
      fc.constant(null),
    );
    const key = fc.oneof(fc.string(), fc.constantFrom('$bytes', '$number', '$object', '$', '__proto__'));
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        leaf,
        fc.array(tie('value'), { maxLength: 3 }),
        fc.array(fc.tuple(key, tie('value')), { maxLength: 3 }).map((entries) => Object.fromEntries(entries)),
      ),
    }));
    fc.assert(
      fc.property(value, (given) => {
        expect(again(given)).to.deep.equal(JSON.stringify(given) === '-0' ? 0 : given);
      }),
    );
  });

  it('of a newer version is refused, and the version named', () => {
    const newer = encodeCheckpoint({}).replace('"version":1', '"version":2');
    expect(() => decodeCheckpoint(bytesOf(newer), '/f')).to.throw(/'\/f' has version 2, this agent reads up to 1/);
  });

  it('is corrupt if it is cut short or anything else', () => {
    const whole = encodeCheckpoint({ a: [1] });
    for (let length = 0; length < whole.length - 1; length++)
      expect(() => decodeCheckpoint(bytesOf(whole.slice(0, length)), '/f'), String(length)).to.throw();
    for (const text of [
      'null',
      '{}',
      '{"version":"1","content":{}}',
      '{"version":1}',
      '{"version":1,"content":{"$x":1}}',
    ])
      expect(() => decodeCheckpoint(bytesOf(text), '/f'), text).to.throw();
    expect(() => decodeCheckpoint(new Uint8Array([0xff]), '/f')).to.throw();
  });
});
