import { expect } from 'chai';
import fc from 'fast-check';

import { flag, list, record, schemaOf, text, whole } from '../src/shape.ts';

describe('shapes of messages', () => {
  const guard = record({ name: text(3), many: list(record({ id: whole }), 2), on: flag });
  const good = { name: 'abc', many: [{ id: 0 }, { id: 2 ** 53 - 1 }], on: false };

  it('takes what has the shape, also with fields it does not know', () => {
    expect(guard(good)).to.equal(true);
    expect(guard({ ...good, newer: 1, many: [] })).to.equal(true);
  });

  it('refuses what lacks a field, or has one of another type or beyond its bound', () => {
    const bad: unknown[] = [
      null,
      undefined,
      'abc',
      [],
      {},
      { ...good, name: 'abcd' },
      { ...good, name: 3 },
      { ...good, many: [{ id: 0 }, { id: 1 }, { id: 2 }] },
      { ...good, many: [{ id: -1 }] },
      { ...good, many: [{ id: 0.5 }] },
      { ...good, many: [{ id: 2 ** 53 }] },
      { ...good, many: { length: 0 } },
      { ...good, on: 'yes' },
      Object.create(good),
    ];
    for (const value of bad) expect(guard(value), JSON.stringify(value)).to.equal(false);
  });

  it('never throws, and gives the value or an issue', () => {
    const schema = schemaOf(guard);
    fc.assert(
      fc.property(fc.anything(), (value) => {
        const result = schema['~standard'].validate(value);
        expect(result).to.have.property(guard(value) ? 'value' : 'issues');
      }),
    );
  });
});
