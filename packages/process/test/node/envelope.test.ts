import { PID } from '@mezzo/process';
import { expect } from 'chai';
import fc from 'fast-check';

import {
  asEnvelope,
  type Envelope,
  halve,
  hasMessages,
  kind,
  type MessagesEnvelope,
  runLimit,
  runOf,
  weightOf,
  wireOf,
} from '../../src/node/envelope.ts';
import { decode, encode, pack, unpack } from '../../src/node/frame.ts';

const to = new PID('sink', 'b', 5, 3);
const from = new PID('source', 'a', 4, 9);

function run(...bodies: unknown[]): MessagesEnvelope {
  const [first, ...further] = bodies;
  const envelope = runOf(to, from, 'item', first, undefined);
  for (const body of further) {
    if (envelope[0] === kind.messages) envelope[7].push(body);
    else if (body instanceof Uint8Array) envelope[7].push(body);
  }
  return envelope;
}

function bytes(...values: number[]): Uint8Array {
  return Uint8Array.from(values);
}

/** Over the wire and back. */
function travelled(...envelopes: Envelope[]): (Envelope | undefined)[] {
  const frame = decode(
    encode({
      kind: 'batch',
      from: { incarnation: 4, epoch: 1 },
      to: { incarnation: 5, epoch: 1 },
      sequence: 1,
      received: 0,
      envelopes: wireOf(envelopes),
    }),
  );
  if (frame?.kind !== 'batch') throw new Error('no batch came');
  return frame.envelopes.map(asEnvelope);
}

describe('an envelope', () => {
  describe('whose bodies are bytes', () => {
    const golden = (hex: string): string => hex.replaceAll(' ', '');
    const hex = (envelope: Envelope): string => Buffer.from(pack(wireOf([envelope])[0])).toString('hex');
    const ends = 'a4 73696e6b 03 05 a6 736f75726365 09 a4 6974656d'; // sink 3 5 source 9 item

    it('names the size once if all are of one', () => {
      expect(hex(run(bytes(1, 2), bytes(3, 4), bytes(5, 6)))).to.equal(golden(`99 07 ${ends} 02 c4 06 010203040506`));
    });

    it('lists the sizes if they differ, or are none', () => {
      expect(hex(run(bytes(1), bytes(), bytes(2, 3)))).to.equal(golden(`99 07 ${ends} 93010002 c4 03 010203`));
      expect(hex(run(bytes()))).to.equal(golden(`99 07 ${ends} 9100 c4 00`));
    });

    it('has its meta last', () => {
      expect(hex(runOf(to, from, 'item', bytes(1), 'm'))).to.equal(golden(`9a 07 ${ends} 01 c4 01 01 a1 6d`));
    });

    it('arrives as plain views, whatever kind of bytes was sent', () => {
      const [arrived] = travelled(run(Buffer.from([1, 2]), bytes(3, 4)));
      expect(arrived).to.deep.equal(run(bytes(1, 2), bytes(3, 4)));
      if (arrived?.[0] !== kind.bytes) throw new Error('no bytes came');
      for (const body of arrived[7]) expect(body.constructor).to.equal(Uint8Array);
    });

    it('arrives whole beside others of its frame, also where they outgrow the desk they are put together on', () => {
      const large = (value: number): Uint8Array => new Uint8Array(60_000).fill(value);
      const envelopes = [run(large(1), large(2)), run(bytes(9)), run(large(3), large(4)), run(large(5), bytes(6))];
      expect(travelled(...envelopes)).to.deep.equal(envelopes);
    });
  });

  it('of any messages comes back as it was', () => {
    const body = fc.oneof(fc.uint8Array({ maxLength: 200 }), fc.integer(), fc.string(), fc.record({ n: fc.integer() }));
    fc.assert(
      fc.property(fc.array(body, { minLength: 1, maxLength: 50 }), fc.boolean(), (bodies, opaque) => {
        const envelope = run(
          ...bodies.filter((one) => one instanceof Uint8Array === opaque),
          ...(opaque ? [bytes(1)] : [1]),
        );
        expect(travelled(envelope)).to.deep.equal([envelope]);
      }),
    );
  });

  it('carries meta beside a single body, and only there', () => {
    for (const body of [bytes(1), { n: 1 }]) {
      const [arrived] = travelled(runOf(to, from, 'item', body, ['chain']));
      expect(arrived?.[8]).to.deep.equal(['chain']);
    }
    expect(asEnvelope([kind.messages, 'sink', 0, 0, 'x', 1, 'item', [1, 2], 'meta'])).to.equal(undefined);
    expect(asEnvelope([kind.bytes, 'sink', 0, 0, 'x', 1, 'item', 1, bytes(1, 2), 'meta'])).to.equal(undefined);
    expect(asEnvelope([kind.bytes, 'sink', 0, 0, 'x', 1, 'item', 2, bytes(1, 2), 'meta', 'more'])).to.equal(undefined);
    expect(asEnvelope([kind.unlink, 'x', 1, 'y', 2, 'meta'])).to.equal(undefined);
  });

  it('is refused where sizes and bytes do not agree', () => {
    const from = (sizes: unknown, joined: unknown): Envelope | undefined =>
      asEnvelope([kind.bytes, 'sink', 0, 0, 'x', 1, 'item', sizes, joined]);
    expect(from([1, 1], bytes(1, 2))).not.to.equal(undefined);
    const five = bytes(1, 2, 3, 4, 5);
    for (const sizes of [2, 0, -1, 2.5, Number.NaN, Infinity, 1e300, '5', null, undefined, { length: 1 }])
      expect(from(sizes, five)).to.equal(undefined);
    for (const sizes of [
      [],
      [4],
      [6],
      [2, 2],
      [2, 4],
      [-1, 6],
      [2.5, 2.5],
      ['5'],
      [Number.NaN],
      [5, Infinity],
      [5n],
      [[5]],
    ])
      expect(from(sizes, five), String(sizes)).to.equal(undefined);
    for (const joined of ['12345', [1, 2, 3, 4, 5], null, new Float32Array(5), five.buffer])
      expect(from(1, joined)).to.equal(undefined);
  });

  it('of more messages than any sender puts into one is refused', () => {
    const many = new Uint8Array(runLimit + 1);
    expect(weightOf(asEnvelope([kind.bytes, 'x', 0, 0, 'x', 1, 'item', 1, many.subarray(1)]) ?? run())).to.equal(
      runLimit,
    );
    expect(asEnvelope([kind.bytes, 'x', 0, 0, 'x', 1, 'item', 1, many])).to.equal(undefined);
    expect(asEnvelope([kind.bytes, 'x', 0, 0, 'x', 1, 'item', [...many], bytes()])).to.equal(undefined);
    expect(asEnvelope([kind.messages, 'x', 0, 0, 'x', 1, 'item', [...many]])).to.equal(undefined);
  });

  it('is halved in order, down to single messages', () => {
    const singles = (envelopes: readonly Envelope[]): unknown[] => {
      const halves = halve(envelopes);
      if (halves !== undefined) return halves.flatMap(singles);
      return envelopes.flatMap((one) => (hasMessages(one) ? one[7] : []));
    };
    expect(singles([run(1, 2, 3), run(bytes(4), bytes(5)), run(6)])).to.deep.equal([1, 2, 3, bytes(4), bytes(5), 6]);
    expect(halve([run(bytes(1))])).to.equal(undefined);
  });

  it('of mutated bytes is refused or well-formed, and never throws but where the codec does', () => {
    const good = [run(bytes(1, 2), bytes(3, 4)), run(bytes(1), bytes(2, 3)), runOf(to, from, 'item', { n: 1 }, [[]])];
    const frames = good.map((envelope) => pack(wireOf([envelope])[0]));
    const change = fc.record({ at: fc.nat(200), value: fc.nat(255) });
    fc.assert(
      fc.property(
        fc.constantFrom(...frames),
        fc.array(change, { minLength: 1, maxLength: 4 }),
        fc.nat(8),
        (frame, changes, cut) => {
          const mutated = Uint8Array.from(frame.subarray(0, cut === 0 ? frame.length : frame.length - cut));
          for (const { at, value } of changes) mutated[at % mutated.length] = value;
          let value: unknown;
          try {
            value = unpack(mutated);
          } catch {
            return;
          }
          const envelope = asEnvelope(value);
          if (envelope === undefined || !hasMessages(envelope)) return;
          expect(envelope.slice(1, 7).map((field) => typeof field)).to.deep.equal([
            'string',
            'number',
            'number',
            'string',
            'number',
            'string',
          ]);
          if (envelope[0] !== kind.bytes) return;
          const total = envelope[7].reduce((sum, body) => sum + body.length, 0);
          expect(total).to.be.at.most(mutated.length);
        },
      ),
      { numRuns: 5000 },
    );
  });
});
