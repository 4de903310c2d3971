import { expect } from 'chai';
import { Deferred, dispatch, Future, Process, type Runtime, Sequence } from '@mezzo/process';
import { SeededRandom, Simulation } from '@mezzo/process/testing';

describe('Sequence', () => {
  describe('with processes', () => {
    let world: Simulation;
    let runtime: Runtime;

    beforeEach(async () => {
      world = new Simulation();
      runtime = await world.start('node');
    });

    afterEach(async () => {
      await world.stop();
    });

    it('LP-SEQ-01 the next one starts when the future of the one before is READY, however deep it comes from', async () => {
      const promise = new Deferred<void>();
      let invoked = false;
      class Server extends Process {
        foo(): Future<void> {
          return dispatch(this.self, (process) => process.deeper());
        }
        deeper(): Future<void> {
          return dispatch(this.self, () => promise.future);
        }
        bar(): void {
          invoked = true;
        }
      }
      const server = runtime.spawn(new Server());
      const sequence = new Sequence();
      sequence.add(() => dispatch(server, (process) => process.foo()));
      sequence.add(() => dispatch(server, (process) => process.bar()));
      await world.settle();
      expect(invoked).to.equal(false);
      promise.set();
      await world.settle();
      expect(invoked).to.equal(true);
    });

    it('LP-SEQ-04 what one does in several turns no other sees half done', async () => {
      const random = new SeededRandom('atomicity');
      const seen: number[] = [];
      let pulses = 0;
      class Value extends Process {
        value = 0;
        pulse(): Future<void> {
          this.value++;
          pulses++;
          return dispatch(this.self, (process) => {
            process.value--;
          });
        }
        verify(): void {
          seen.push(this.value);
        }
      }
      const pid = runtime.spawn(new Value());
      const sequence = new Sequence();
      const added = Array.from({ length: 100 }, () =>
        random.next() < 0.5
          ? sequence.add(() => dispatch(pid, (process) => process.pulse()))
          : sequence.add(() => dispatch(pid, (process) => process.verify())),
      );
      await world.settle();
      expect(added.every(({ isReady }) => isReady)).to.equal(true);
      expect(pulses + seen.length).to.equal(100);
      expect([pulses > 10, seen.length > 10]).to.deep.equal([true, true]);
      expect(seen.some((value) => value !== 0)).to.equal(false);
    });

    it('what a callback throws belongs to the process that added it', async () => {
      const errors: string[] = [];
      const other = await world.start('other', { onError: (_error, context) => errors.push(context) });
      const sequence = new Sequence();
      const first = new Deferred<void>();
      sequence.add(() => first.future);
      class Adder extends Process {
        protected override initialize(): void {
          sequence.add(() => {
            Future.ready(1).onReady(() => {
              throw new Error('mine');
            });
          });
        }
      }
      other.spawn(new Adder('adder'));
      await world.settle();
      first.set();
      expect(errors).to.deep.equal(['process adder@other crashed']);
    });
  });

  /** Item 0 waits for a promise that ignores discards; each one that runs says so. */
  const four = (sequence: Sequence) => {
    const promise = new Deferred<void>();
    const ran: number[] = [];
    const items = [0, 1, 2, 3].map((index) =>
      sequence.add((): Future<void> => {
        ran.push(index);
        return index === 0 ? promise.future : Future.ready(undefined);
      }),
    );
    return { promise, ran, items, states: () => items.map(({ state }) => state) };
  };

  it('LP-SEQ-02 one that is discarded is skipped and DISCARDED when its turn comes, the others run', () => {
    const { promise, ran, items, states } = four(new Sequence());
    items[2]?.discard();
    expect(states()).to.deep.equal(['pending', 'pending', 'pending', 'pending']);
    promise.set();
    expect(ran).to.deep.equal([0, 1, 3]);
    expect(states()).to.deep.equal(['ready', 'ready', 'discarded', 'ready']);
  });

  it('LP-SEQ-03 once stopped it requests a discard of all, but lets the running one end', () => {
    const sequence = new Sequence();
    const { promise, ran, states } = four(sequence);
    {
      using stopped = sequence;
      expect(stopped).to.equal(sequence);
    }
    expect(promise.future.hasDiscard).to.equal(true);
    promise.set();
    expect(ran).to.deep.equal([0]);
    expect(states()).to.deep.equal(['ready', 'discarded', 'discarded', 'discarded']);
  });

  it('stopping is safe when the running one ends by it', () => {
    const sequence = new Sequence();
    const promise: Deferred<void> = new Deferred<void>({ discard: () => promise.discard() });
    const items = [sequence.add(() => promise.future), sequence.add(() => 1), sequence.add(() => 2)];
    sequence.stop();
    expect(items.map(({ state }) => state)).to.deep.equal(['discarded', 'discarded', 'discarded']);
    expect(sequence.add(() => 3).isDiscarded).to.equal(true);
  });

  it('gives what the functions give, flattened, and goes on after a failure', async () => {
    const sequence = new Sequence();
    const failed = sequence.add(() => Promise.reject(new Error('no')));
    const thrown = sequence.add(() => {
      throw new Error('thrown');
    });
    const value: Future<number> = sequence.add(() => 42);
    expect(value.isPending).to.equal(true);
    expect(await value).to.equal(42);
    expect([String(failed), String(thrown)]).to.deep.equal(['Failed: no', 'Failed: thrown']);
  });

  it('goes on when an outcome is DISCARDED or abandoned, and once only if that one is completed after all', () => {
    const sequence = new Sequence();
    const [first, second, third] = [new Deferred<void>(), new Deferred<void>(), new Deferred<void>()];
    const ran: number[] = [];
    sequence.add(() => first.future);
    const abandoned = sequence.add(() => second.future);
    sequence.add(() => {
      ran.push(3);
      return third.future;
    });
    sequence.add(() => void ran.push(4));
    first.discard();
    second.abandon();
    expect([abandoned.isAbandoned, ran]).to.deep.equal([true, [3]]);
    second.set();
    expect([abandoned.isReady, ran]).to.deep.equal([true, [3]]);
    sequence.add(() => Future.abandoned());
    const last = sequence.add(() => 'last');
    third.set();
    expect([ran, last.get()]).to.deep.equal([[3, 4], 'last']);
  });

  it('one that is added by another runs after it', () => {
    const sequence = new Sequence();
    const order: string[] = [];
    sequence.add(() => {
      sequence.add(() => void order.push('inner'));
      order.push('outer');
    });
    expect(order).to.deep.equal(['outer', 'inner']);
  });

  it('a hundred thousand that wait run without overflowing the stack', () => {
    const sequence = new Sequence();
    const first = new Deferred<void>();
    sequence.add(() => first.future);
    let ran = 0;
    for (let index = 0; index < 100_000; index++) {
      sequence.add(() => {
        ran++;
        return index % 2 === 0 ? Future.ready(index) : index;
      });
    }
    first.set();
    expect(ran).to.equal(100_000);
  });
});
