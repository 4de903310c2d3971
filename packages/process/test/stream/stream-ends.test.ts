import {
  AskTimeout,
  FutureDiscarded,
  Process,
  ProcessError,
  ProcessGone,
  StreamFailed,
  type Runtime,
  type StreamCall,
} from '@mezzo/process';
import { expect } from 'chai';

import { Audience, counting, Numbers, over, Reading, Source, take, Unwanted, upTo, inEveryPlace } from './streams.ts';

describe('a stream', () => {
  inEveryPlace((place) => {
    const { world, home, address, spawn, hold } = place;
    let a: Runtime;
    let runtime: Runtime;

    beforeEach(async () => {
      ({ a, runtime } = await place.start());
    });

    it('that is left early stops the generator: its finally runs and the signal aborts', async () => {
      const seen: string[] = [];
      const source = spawn(function* (_, __, { signal }) {
        signal.addEventListener('abort', () => seen.push('aborted'));
        try {
          for (let n = 0; ; n++) yield n;
        } finally {
          seen.push(`finally ${signal.aborted}`);
        }
      });
      const { items } = await over(world, a.stream(a.pid(address), Numbers, 0), 100);
      expect(items).to.deep.equal(upTo(100));
      await world.until(() => seen.length === 2);
      expect(seen).to.deep.equal(['aborted', 'finally true']);
      expect(source.belongings).to.equal(0);
    });

    it('that is left while an async generator waits has it go on by the signal', async () => {
      const seen: string[] = [];
      spawn(async function* (_, __, { signal }) {
        try {
          yield 1;
          await new Promise((resolve) => signal.addEventListener('abort', resolve));
          yield 2;
        } finally {
          seen.push('finally');
        }
      });
      const stream = a.stream(a.pid(address), Numbers, 0);
      expect(await take(world, stream, 1)).to.deep.equal([1]);
      await stream.return();
      await world.until(() => seen.length === 1);
    });

    it('that is disposed of, or left twice, is over', async () => {
      spawn((count) => counting(count));
      const stream = a.stream(a.pid(address), Numbers, 1000);
      expect(await take(world, stream, 2)).to.deep.equal([0, 1]);
      await stream[Symbol.asyncDispose]();
      await stream.return();
      expect(await stream.next()).to.deep.equal({ done: true, value: undefined });
    });

    it('whose producer throws fails after the items before, once, and the process lives', async () => {
      const source = spawn(function* () {
        yield 1;
        yield 2;
        throw new Error('no more paper');
      });
      const stream = a.stream(a.pid(address), Numbers, 0);
      const { items, outcome } = await over(world, stream);
      expect(items).to.deep.equal([1, 2]);
      expect(outcome).to.be.instanceOf(StreamFailed).with.property('code', 'STREAM_FAILED');
      expect(outcome)
        .to.have.property('message')
        .that.matches(/numbers.*source@.*no more paper/);
      expect(await stream.next()).to.deep.equal({ done: true, value: undefined });
      expect(source.cell.ended).to.equal(false);
      expect(source.belongings).to.equal(0);
    });

    it('that failed and is left before anybody read that is just over', async () => {
      spawn(function* () {
        yield 1;
        throw new Error('no more paper');
      });
      const stream = a.stream(a.pid(address), Numbers, 0);
      await world.calm();
      await stream.return();
      expect(await stream.next()).to.deep.equal({ done: true, value: undefined });
    });

    it('that is left has its generator closed also if its process ends before it has a turn', async () => {
      const seen: string[] = [];
      const source = spawn(function* () {
        try {
          for (;;) yield 1;
        } finally {
          seen.push('finally');
        }
      });
      const stream = a.stream(a.pid(address), Numbers, 0);
      await take(world, stream, 1);
      await world.calm();
      await hold(source);
      await stream.return();
      await world.until(() => source.cell.depth > 0);
      runtime.terminate(source.self);
      await world.until(() => source.cell.ended);
      expect(seen).to.deep.equal(['finally']);
    });

    it('closes no iterator that has ended or thrown by itself, and tells late comers that it is over', async () => {
      const calls: StreamCall[] = [];
      let closed = 0;
      spawn((count, _, call) => {
        calls.push(call);
        let n = 0;
        return {
          [Symbol.iterator]: () => ({
            next: () => {
              if (n === 3 && count === 7) throw new Error('seven');
              return n < 3 ? { value: n++ } : { done: true as const, value: undefined };
            },
            return: () => {
              closed++;
              return { done: true as const, value: undefined };
            },
          }),
        };
      });
      await over(world, a.stream(a.pid(address), Numbers, 0));
      await over(world, a.stream(a.pid(address), Numbers, 7));
      expect(closed).to.equal(0);
      expect(calls.map(({ signal }) => signal.aborted)).to.deep.equal([true, true]);
      await over(world, a.stream(a.pid(address), Numbers, 0), 2);
      await world.until(() => calls[2]?.signal.aborted === true);
    });

    it('whose producer throws before the first item, or gives nothing to iterate over, fails', async () => {
      const broken = [
        () => {
          throw new Error('broken');
        },
        // A generator's body begins with its first item.
        // oxlint-disable-next-line require-yield
        function* () {
          throw new Error('broken');
        },
        // oxlint-disable-next-line require-yield
        async function* () {
          await Promise.resolve();
          throw new Error('broken');
        },
        () => 7 as unknown as number[],
      ];
      for (const [index, numbers] of broken.entries()) {
        const pid = runtime.spawn(new Source(`source${index}`, numbers));
        const { items, outcome } = await over(world, a.stream(a.pid(`${pid.id}@${home}`), Numbers, 0));
        expect(items).to.deep.equal([]);
        expect(outcome).to.be.instanceOf(StreamFailed);
        expect(runtime.processes).to.include(pid.id);
      }
    });

    for (const end of ['ends', 'crashes'] as const) {
      it(`whose process ${end} in the midst fails with ProcessGone after the items before; its generator is closed`, async () => {
        const seen: string[] = [];
        const source = spawn(async function* (_, __, { signal }) {
          try {
            yield* [1, 2, 3];
            await new Promise((resolve) => signal.addEventListener('abort', resolve));
            seen.push('aborted');
          } finally {
            seen.push('finally');
          }
        });
        const reading = new Reading(a.stream(a.pid(address), Numbers, 0));
        await world.until(() => reading.items.length === 3);
        if (end === 'ends') runtime.terminate(source.self);
        else runtime.dispatch(source.self, 'crash').onFailed(() => undefined);
        await world.until(() => reading.over);
        expect(reading.items).to.deep.equal([1, 2, 3]);
        expect(reading.outcome).to.be.instanceOf(ProcessGone).with.property('code', 'PROCESS_ENDED');
        if (end === 'crashes')
          expect(reading.outcome)
            .to.have.property('message')
            .that.matches(/out of order/);
        await world.until(() => seen.length === 2);
      });
    }

    it('of a process that ends before it began fails with ProcessGone', async () => {
      const source = spawn((count) => counting(count));
      await hold(source);
      const reading = new Reading(a.stream(a.pid(address), Numbers, 9, { timeout: '20s' }));
      await world.until(() => source.cell.depth === 1);
      runtime.terminate(source.self);
      await world.until(() => reading.over);
      expect(reading.outcome).to.be.instanceOf(ProcessGone);
    });

    it('of a process that is not there fails with ProcessGone at once', async () => {
      const { outcome } = await over(world, a.stream(a.pid(`nobody@${home}`), Numbers, 0, { timeout: '1hrs' }));
      expect(outcome).to.be.instanceOf(ProcessGone).with.property('code', 'PROCESS_NOT_FOUND');
    });

    it('of a process that does not begin fails with AskTimeout; when it begins it is stopped', async () => {
      let produced = 0;
      let closed = 0;
      const source = spawn(function* () {
        try {
          for (; ; produced++) yield produced;
        } finally {
          closed++;
        }
      });
      const gate = await hold(source);
      const { outcome } = await over(world, a.stream(a.pid(address), Numbers, 0, { timeout: '50ms' }));
      expect(outcome).to.be.instanceOf(AskTimeout);
      expect(produced).to.equal(0);
      gate.open();
      await world.until(() => source.cell.depth === 0 && source.belongings === 0);
      await world.calm();
      expect(produced).to.be.at.most(16);
      // One that never began has nothing to close.
      expect(closed).to.equal(produced === 0 ? 0 : 1);
      expect(source.belongings).to.equal(0);
    });

    it('that is left before its producer is known has it stopped when it begins', async () => {
      let produced = 0;
      let begun = 0;
      const source = spawn(() => {
        begun++;
        return (function* () {
          for (; ; produced++) yield produced;
        })();
      });
      const gate = await hold(source);
      const stream = a.stream(a.pid(address), Numbers, 0);
      await world.until(() => source.cell.depth === 1);
      await stream.return();
      expect(await stream.next()).to.deep.equal({ done: true, value: undefined });
      gate.open();
      await world.until(() => source.cell.depth === 0 && source.belongings === 0);
      await world.calm();
      expect(produced).to.be.at.most(16);
      // Within a node there is no way on which the word of it could be.
      if (home === 'a') expect(begun).to.equal(0);
      expect(source.belongings).to.equal(0);
    });

    it('asked of a process that answers otherwise fails with UNEXPECTED_REPLY', async () => {
      class Answering extends Process {
        protected override initialize(): void {
          this.install(Numbers, (n) => void this.reply(Unwanted, n));
        }
      }
      runtime.spawn(new Answering('source'));
      const { outcome } = await over(world, a.stream(a.pid(address), Numbers, 7));
      expect(outcome).to.be.instanceOf(ProcessError).with.property('code', 'UNEXPECTED_REPLY');
      expect(outcome)
        .to.have.property('message')
        .that.matches(/'numbers' of source@.*'unwanted'.*'numbers.item'/);
    });

    it('ends with the process that reads it: who waits for an item is told, and the producer stops', async () => {
      const source = spawn(async function* (_, __, { signal }) {
        yield 1;
        await new Promise((resolve) => signal.addEventListener('abort', resolve));
      });
      const audience = new Audience('audience');
      const pid = a.spawn(audience);
      a.dispatch(pid, 'read', a.pid(address), 0);
      await world.until(() => audience.readings[0]?.items.length === 1);
      expect(audience.belongings).to.equal(1);
      a.terminate(pid);
      await world.until(() => audience.readings[0]?.over === true && source.belongings === 0);
      // Not 'ended': that would say that it had every item.
      expect(audience.readings[0]?.outcome).to.be.instanceOf(ProcessGone).with.property('code', 'PROCESS_ENDED');
    });

    it('of a process that has ended already fails at once, and nobody is asked', async () => {
      let asked = 0;
      spawn((count) => {
        asked++;
        return counting(count);
      });
      const audience = new Audience('audience');
      a.terminate(a.spawn(audience));
      await world.until(() => audience.cell.ended);
      audience.read(a.pid(address), 10);
      await world.until(() => audience.readings[0]?.over === true);
      expect(audience.readings[0]?.outcome).to.be.instanceOf(ProcessGone).with.property('code', 'PROCESS_ENDED');
      await world.calm();
      expect(asked).to.equal(0);
    });

    it('is given up by a signal: before it begins, and in the midst', async () => {
      const seen: string[] = [];
      const source = spawn(function* () {
        try {
          seen.push('begun');
          for (let n = 0; ; n++) yield n;
        } finally {
          seen.push('finally');
        }
      });
      const reason = new Error('enough');
      const before = await over(world, a.stream(a.pid(address), Numbers, 0, { signal: AbortSignal.abort(reason) }));
      expect(before.outcome).to.be.instanceOf(FutureDiscarded).with.property('cause', reason);
      const controller = new AbortController();
      const stream = a.stream(a.pid(address), Numbers, 0, { signal: controller.signal });
      expect(await take(world, stream, 3)).to.deep.equal([0, 1, 2]);
      controller.abort(reason);
      const after = await over(world, stream);
      // What had come and was not read is dropped.
      expect(after.items).to.deep.equal([]);
      expect(after.outcome).to.be.instanceOf(FutureDiscarded).with.property('cause', reason);
      await world.until(() => source.belongings === 0);
      expect(seen).to.deep.equal(['begun', 'finally']);
    });

    it('that has ended is not touched by its signal any more', async () => {
      spawn((count) => counting(count));
      const controller = new AbortController();
      const stream = a.stream(a.pid(address), Numbers, 5, { signal: controller.signal });
      expect(await take(world, stream, 1)).to.deep.equal([0]);
      await world.calm();
      controller.abort();
      const { items, outcome } = await over(world, stream);
      expect([items, outcome]).to.deep.equal([[1, 2, 3, 4], 'ended']);
    });
  });
});
