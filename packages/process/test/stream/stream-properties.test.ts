import { Simulation } from '@mezzo/process/testing';
import { expect } from 'chai';
import fc from 'fast-check';

import { Numbers, Source, upTo } from './streams.ts';

const timing = { heartbeatInterval: '100ms', linkTimeout: '30s', onError: () => {} } as const;

/** What happens between two items: nothing, or so many milliseconds pass. */
const pauses = fc.array(fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 30 })), { minLength: 1, maxLength: 8 });

const scenario = fc.record({
  seed: fc.integer({ min: 1, max: 1_000_000 }),
  remote: fc.boolean(),
  count: fc.integer({ min: 0, max: 300 }),
  window: fc.integer({ min: 16, max: 128 }),
  latency: fc.integer({ min: 0, max: 40 }),
  /** Of a hundred frames. */
  lost: fc.constantFrom(0, 0, 5, 20),
  producing: fc.oneof(fc.constant(undefined), pauses),
  reading: pauses,
  leaveAfter: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer({ min: 0, max: 300 })),
  throwAfter: fc.oneof(fc.constant(Number.POSITIVE_INFINITY), fc.integer({ min: 0, max: 300 })),
});

describe('a stream, whatever the pace of its ends and of the network between them,', () => {
  it('brings what was produced, in order and from the beginning, is never further ahead than its window, and leaves nothing', async function () {
    this.timeout(120_000);
    await fc.assert(
      fc.asyncProperty(scenario, async (given) => {
        let frames = 0;
        await using world = new Simulation({
          seed: given.seed,
          fate: () => {
            frames++;
            return world.random.next() * 100 < given.lost ? 'lost' : { delay: world.random.next() * given.latency };
          },
        });
        const a = await world.start('a', timing);
        const b = await world.start('b', timing);
        let produced = 0;
        let asked = 0;
        let ahead = 0;
        let open = 0;
        const make = (): number => {
          if (produced === given.throwAfter) throw new Error('enough');
          ahead = Math.max(ahead, produced + 1 - asked);
          return produced++;
        };
        const pause = (milliseconds: number): Promise<void> =>
          new Promise((resolve) => void world.clock.timer(milliseconds, resolve));
        const { producing } = given;
        const source =
          producing === undefined
            ? new Source('source', function* () {
                open++;
                try {
                  while (produced < given.count) yield make();
                } finally {
                  open--;
                }
              })
            : new Source('source', async function* () {
                open++;
                try {
                  while (produced < given.count) {
                    const wait = producing[produced % producing.length] ?? 0;
                    if (wait > 0) await pause(wait);
                    yield make();
                  }
                } finally {
                  open--;
                }
              });
        b.spawn(source);
        const reader = given.remote ? a : b;
        const stream = reader.stream(reader.pid('source@b'), Numbers, 0, { window: given.window, timeout: '10mins' });
        const items: number[] = [];
        let outcome = '';
        const read = async (): Promise<void> => {
          try {
            while (items.length < given.leaveAfter) {
              const wait = given.reading[items.length % given.reading.length] ?? 0;
              if (wait > 0) await pause(wait);
              asked++;
              const result = await stream.next();
              if (result.done === true) {
                outcome = 'ended';
                return;
              }
              items.push(result.value);
            }
            await stream.return();
            outcome = 'left';
          } catch (error) {
            outcome = String(error);
          }
        };
        void read();
        expect(await world.advanceUntil(() => outcome !== '', '30mins'), 'it is over').to.equal(true);
        const whole = Math.min(given.count, given.throwAfter);
        expect(items).to.deep.equal(upTo(Math.min(whole, given.leaveAfter)));
        if (given.leaveAfter <= whole) expect(outcome).to.equal('left');
        else if (given.throwAfter < given.count) expect(outcome).to.match(/StreamFailed.*enough/);
        else expect(outcome).to.equal('ended');
        expect(ahead).to.be.at.most(given.window);
        await world.advance('2mins');
        expect([source.belongings, open]).to.deep.equal([0, 0]);
        const before = frames;
        await world.advance('1hrs');
        expect(frames).to.equal(before);
      }),
      { numRuns: 150 },
    );
  });
});
