import { ProcessError, type Runtime } from '@mezzo/process';
import { expect } from 'chai';

import { deadLetters } from '../transport/worlds.ts';
import { Audience, counting, Gate, Numbers, over, Poke, Reading, Source, take, upTo, inEveryPlace } from './streams.ts';

describe('a stream', () => {
  inEveryPlace((place) => {
    const { world, home, address, spawn } = place;
    let a: Runtime;
    let runtime: Runtime;

    beforeEach(async () => {
      ({ a, runtime } = await place.start());
    });

    it('brings every item in order, then ends', async () => {
      spawn((count) => counting(count));
      const { items, outcome } = await over(world, a.stream(a.pid(address), Numbers, 1000));
      expect(items).to.deep.equal(upTo(1000));
      expect(outcome).to.equal('ended');
    });

    it('may be empty', async () => {
      spawn(() => []);
      const { items, outcome } = await over(world, a.stream(a.pid(address), Numbers, 0));
      expect([items, outcome]).to.deep.equal([[], 'ended']);
    });

    for (const count of [1, 15, 16, 17, 63, 64, 65]) {
      it(`of ${count} items ends, whatever the window`, async () => {
        spawn((n) => counting(n));
        for (const window of [16, 31, 64]) {
          const { items, outcome } = await over(world, a.stream(a.pid(address), Numbers, count, { window }));
          expect([items, outcome]).to.deep.equal([upTo(count), 'ended']);
        }
      });
    }

    it('is fed by async generators, arrays and iterators without a return', async () => {
      const sources = [
        async function* (count: number): AsyncGenerator<number> {
          for (let n = 0; n < count; n++) {
            if (n % 3 === 0) await Promise.resolve();
            yield n;
          }
        },
        (count: number) => upTo(count),
        (count: number) => ({
          [Symbol.asyncIterator]: () => {
            let n = 0;
            return {
              next: () => Promise.resolve(n < count ? { value: n++ } : { done: true as const, value: undefined }),
            };
          },
        }),
      ];
      for (const [index, numbers] of sources.entries()) {
        const source = runtime.spawn(new Source(`source${index}`, numbers));
        const { items, outcome } = await over(world, a.stream(a.pid(`${source.id}@${home}`), Numbers, 100));
        expect([items, outcome]).to.deep.equal([upTo(100), 'ended']);
        expect((await over(world, a.stream(a.pid(`${source.id}@${home}`), Numbers, 100), 3)).items).to.deep.equal([
          0, 1, 2,
        ]);
      }
    });

    for (const window of [16, 64, 100, 1000]) {
      it(`of window ${window} has its producer never further ahead, and go on when it is read`, async () => {
        let produced = 0;
        let read = 0;
        let furthest = 0;
        spawn(function* (count) {
          for (; produced < count;) {
            furthest = Math.max(furthest, ++produced - read);
            yield produced;
          }
        });
        const stream = a.stream(a.pid(address), Numbers, 5000, { window });
        await world.until(() => produced === window, 'the producer has filled the window');
        await world.calm();
        expect(produced).to.equal(window);
        let over = false;
        const readAll = async (): Promise<void> => {
          while (!over) {
            // What is asked for counts as read: the reader holds no more than its window besides.
            read++;
            const result = await stream.next();
            if (result.done === true) over = true;
            else expect(result.value).to.equal(read);
          }
        };
        const reading = readAll();
        await world.until(() => over);
        await reading;
        expect(read).to.equal(5001);
        expect(furthest).to.equal(window);
      });
    }

    it('interleaves with other streams of its process, whose mailbox goes on while they wait', async () => {
      const gate = new Gate();
      const source = spawn(async function* (count) {
        for (let n = 0; n < count; n++) {
          if (n === 5) await gate.opened;
          yield n;
        }
      });
      const waiting = new Reading(a.stream(a.pid(address), Numbers, 10));
      const unread = a.stream(a.pid(address), Numbers, 5);
      await world.until(() => waiting.items.length === 5);
      const quick = await over(world, a.stream(a.pid(address), Numbers, 5));
      expect(quick.outcome).to.equal('ended');
      a.send(a.pid(address), Poke, 1);
      await world.until(() => source.poked.length === 1);
      expect(waiting.over).to.equal(false);
      gate.open();
      await world.until(() => waiting.over);
      expect(waiting.items).to.deep.equal(upTo(10));
      expect(await take(world, unread, 9)).to.deep.equal(upTo(5));
      expect(source.belongings).to.equal(0);
    });

    it('lets the reading process hear messages meanwhile', async () => {
      const gate = new Gate();
      spawn(async function* () {
        yield 1;
        await gate.opened;
      });
      const audience = new Audience('audience');
      const pid = a.spawn(audience);
      a.dispatch(pid, 'read', a.pid(address), 0);
      await world.until(() => audience.readings[0]?.items.length === 1);
      a.send(pid, Poke, 1);
      await world.until(() => audience.poked.length === 1);
      gate.open();
      await world.until(() => audience.readings[0]?.outcome === 'ended');
      expect(audience.belongings).to.equal(0);
    });

    it('keeps more calls of next than there are items', async () => {
      spawn((count) => counting(count));
      const stream = a.stream(a.pid(address), Numbers, 3);
      const results: unknown[] = [];
      for (let call = 0; call < 5; call++) void stream.next().then(({ value }) => results.push(value));
      await world.until(() => results.length === 5);
      expect(results).to.deep.equal([0, 1, 2, undefined, undefined]);
    });

    it('leaves no dead letters, read or left, whatever is on its way', async () => {
      const letters = [a, runtime].map((each) => deadLetters(each));
      const source = spawn((count) => counting(count));
      for (const limit of [1, 15, 16, 17, 40, 64, 100]) {
        await over(world, a.stream(a.pid(address), Numbers, 1000), limit);
        await over(world, a.stream(a.pid(address), Numbers, limit));
      }
      const unread = a.stream(a.pid(address), Numbers, 1000);
      await unread.return();
      await world.until(() => source.belongings === 0);
      await world.calm();
      expect(letters).to.deep.equal([[], []]);
    });

    it('checks its window', () => {
      for (const window of [0, 15, 16.5, -1, Number.NaN, 65_537, Number.POSITIVE_INFINITY]) {
        expect(() => a.stream(a.pid(address), Numbers, 0, { window }))
          .to.throw(ProcessError, /window.*16 to 65536/)
          .with.property('code', 'WINDOW_INVALID');
      }
    });

    it('brings 20,000 items through the widest window and the narrowest', async () => {
      spawn((count) => counting(count));
      for (const window of [16, 65_536]) {
        const { items, outcome } = await over(world, a.stream(a.pid(address), Numbers, 20_000, { window }));
        expect(outcome).to.equal('ended');
        expect(items).to.deep.equal(upTo(20_000));
      }
    });
  });
});
