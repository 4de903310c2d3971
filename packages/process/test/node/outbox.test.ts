import { PID } from '@mezzo/process';
import { expect } from 'chai';

import { kind, weightOf } from '../../src/node/envelope.ts';
import { type Batch, Outbox } from '../../src/node/outbox.ts';

const sink = new PID('sink', 'b');
const other = new PID('other', 'b');
const source = new PID('source', 'a', 4, 9);

/** What is taken until nothing waits; a frame has so many bytes. */
function taken(outbox: Outbox, frame = 100): Batch[] {
  const batches: Batch[] = [];
  for (let batch = outbox.take(); batch !== undefined; batch = outbox.take()) {
    outbox.keep(new Uint8Array(frame), batch);
    batches.push(batch);
  }
  return batches;
}

function shape(batches: readonly Batch[]): unknown[] {
  return batches.map(({ envelopes }) => envelopes.map((envelope) => [envelope[0], weightOf(envelope)]));
}

describe('an outbox', () => {
  it('names the ends once for messages in a row between the same processes, however they are written', () => {
    const outbox = new Outbox();
    for (let n = 0; n < 3; n++) outbox.pushMessage(new PID('sink', 'b'), new PID('source', 'a', 4, 9), 'item', n);
    outbox.pushMessage(other, source, 'item', 3);
    outbox.pushMessage(sink, source, 'item', 4);
    outbox.pushMessage(sink, source, 'thing', 5);
    outbox.pushMessage(sink, new PID('source', 'a', 4, 10), 'thing', 6);
    expect(shape(taken(outbox))).to.deep.equal([
      [
        [kind.messages, 3],
        [kind.messages, 1],
        [kind.messages, 1],
        [kind.messages, 1],
        [kind.messages, 1],
      ],
    ]);
  });

  it('keeps bytes, other bodies, and messages with meta apart, in order', () => {
    const outbox = new Outbox();
    for (const body of [new Uint8Array(1), Buffer.alloc(2), 1, 2, new Uint8Array(3)])
      outbox.pushMessage(sink, source, 'item', body);
    outbox.pushMessage(sink, source, 'item', new Uint8Array(4), 'meta');
    outbox.pushMessage(sink, source, 'item', new Uint8Array(5));
    expect(shape(taken(outbox))).to.deep.equal([
      [
        [kind.bytes, 2],
        [kind.messages, 2],
        [kind.bytes, 1],
        [kind.bytes, 1],
        [kind.bytes, 1],
      ],
    ]);
  });

  it('lets a batch leave at 32 KB of bytes, or at 256 envelopes', () => {
    const outbox = new Outbox();
    for (let n = 0; n < 100; n++) outbox.pushMessage(sink, source, 'item', new Uint8Array(1023));
    for (let n = 0; n < 3; n++) outbox.pushMessage(sink, source, 'item', new Uint8Array(100_000));
    expect(shape(taken(outbox))).to.deep.equal([
      [[kind.bytes, 32]],
      [[kind.bytes, 32]],
      [[kind.bytes, 32]],
      [[kind.bytes, 5]],
      [[kind.bytes, 1]],
      [[kind.bytes, 1]],
    ]);
    for (let n = 0; n < 600; n++) outbox.pushMessage(n % 2 === 0 ? sink : other, source, 'item', new Uint8Array(1));
    expect(taken(outbox).map(({ envelopes }) => envelopes.length)).to.deep.equal([256, 256, 88]);
  });

  it('estimates what it cannot know by what messages took lately, and never puts more than some hundreds into a frame', () => {
    const outbox = new Outbox();
    const push = (count: number): void => {
      for (let n = 0; n < count; n++) outbox.pushMessage(sink, source, 'item', n);
    };
    const weights = (batches: readonly Batch[]): number[] =>
      batches.map(({ envelopes }) => envelopes.reduce((sum, envelope) => sum + weightOf(envelope), 0));
    for (let round = 0; round < 2; round++) {
      push(1000);
      expect(weights(taken(outbox))).to.deep.equal([512, 488]);
    }
    for (let round = 0; round < 40; round++) {
      push(1);
      taken(outbox, 10_000);
    }
    push(20);
    for (const weight of weights(taken(outbox, 10_000))) expect(weight).to.be.at.most(4);
  });

  it('gives credit for 8 MB or 65,536 messages that are not acknowledged', () => {
    const outbox = new Outbox();
    const leave = (bodies: number, frame: number): void => {
      for (let n = 0; n < bodies; n++) outbox.pushMessage(sink, source, 'item', new Uint8Array(1));
      taken(outbox, frame);
    };
    for (let round = 0; round < 8; round++) leave(1, 1024 * 1024);
    expect(outbox.hasCredit).to.equal(false);
    outbox.acknowledge(1);
    expect(outbox.hasCredit).to.equal(true);
    outbox.acknowledge(outbox.sent);
    for (let round = 0; round < 64; round++) leave(1023, 100);
    expect(outbox.hasCredit).to.equal(true);
    leave(64, 100);
    expect(outbox.hasCredit).to.equal(false);
    outbox.acknowledge(outbox.sent);
    expect(outbox.hasCredit).to.equal(true);
    expect(outbox.hasUnacknowledged).to.equal(false);
  });
});
