import { expect } from 'chai';
import { Executor, Future, Process, type Runtime } from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';

// What the assignments and the expected errors say fails in the type check, not when run.
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(equal: Equal<A, B>): boolean => equal;

const length = (text: string): number => text.length;
const laterLength = (text: string): Future<number> => Future.ready(text.length);
const seven = (): number => 7;
const laterSeven = (): Future<number> => Future.ready(7);

/** Callable with an argument and without. */
interface Either {
  (): number;
  (text: string): number;
}
const either: Either = (text: string = '1234567') => text.length;

describe('types of deferred functions', () => {
  let world: Simulation;
  let runtime: Runtime;

  beforeEach(async () => {
    world = new Simulation();
    runtime = await world.start('node');
  });

  afterEach(async () => {
    await world.stop();
  });

  it('LP-PROC-17 a chain takes functions with and without parameter, that give a value or a Future, plain, bound or deferred', async () => {
    const text = Future.ready('hello w');
    const executor = new Executor(runtime);
    const bound = length.bind(undefined, 'bound..');
    const plain = [
      text.map(length),
      text.map(seven),
      text.map(bound),
      text.map(either),
      text.andThen(laterLength),
      text.andThen(laterSeven),
      text.andThen(laterLength.bind(undefined, 'bound..')),
    ] as const;
    const deferred = [
      text.andThen(executor.deferred(length)),
      text.andThen(executor.deferred(seven)),
      text.andThen(executor.deferred(bound)),
      text.andThen(executor.deferred(laterLength)),
      text.andThen(executor.deferred(laterSeven)),
      text.andThen(executor.deferred(either)),
      text.andThen(executor.deferred(() => either())),
    ] as const;
    const all: readonly Future<number>[] = [...plain, ...deferred];
    expect(same<(typeof plain)[number], Future<number>>(true)).to.equal(true);
    expect(same<(typeof deferred)[number], Future<number>>(true)).to.equal(true);
    await world.settle();
    expect(all.map((future) => future.get())).to.deep.equal(all.map(() => 7));

    // A function without parameter takes surplus arguments where one with them is called.
    const surplus: (text: string, number: number) => Future<number> = executor.deferred(seven);
    const ignored = surplus('surplus', 1);
    await world.settle();
    expect(ignored.get()).to.equal(7);
    expect(same<ReturnType<typeof surplus>, Future<number>>(true)).to.equal(true);
  });

  it('what does not fit is refused by the type check', () => {
    const executor = new Executor(runtime);
    const never = (): unknown[] => [
      // @ts-expect-error the future gives a text
      Future.ready('text').andThen(executor.deferred((given: number) => given)),
      // @ts-expect-error andThen takes a function that gives a Future
      Future.ready('text').andThen(length),
      // @ts-expect-error an argument is missing
      executor.deferred(length)(),
      // @ts-expect-error the argument is a text
      executor.defer(length)(42),
      // @ts-expect-error nothing comes back
      executor.defer(length)('text').isPending,
      // @ts-expect-error the second argument is missing
      runtime.async((a: number, b: number) => a + b, 1),
      // @ts-expect-error the argument is a number
      runtime.async((a: number) => a, 'text'),
    ];
    expect(never).to.be.a('function');
  });

  it('a process defers with the same types as an executor', async () => {
    class Counter extends Process {
      chain(text: Future<string>) {
        return [
          text.andThen(this.deferred(length)),
          text.andThen(this.deferred(seven)),
          text.andThen(this.deferred(laterLength)),
        ] as const;
      }
    }
    const counter = new Counter();
    runtime.spawn(counter);
    const chained = counter.chain(Future.ready('1234567'));
    expect(same<(typeof chained)[number], Future<number>>(true)).to.equal(true);
    await world.settle();
    expect(chained.map((future) => future.get())).to.deep.equal([7, 7, 7]);
  });
});
