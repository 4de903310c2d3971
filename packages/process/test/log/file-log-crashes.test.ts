import { type Future, ProcessError, type Runtime } from '@mezzo/process';
import { type FencedLog, fileLog, type LogContents } from '@mezzo/process/log';
import { Simulation } from '@mezzo/process/testing';
import fc from 'fast-check';
import { outcome } from './log-settings.ts';

/** What the log should have: numbers stand for records. */
interface Model {
  readonly last: number;
  readonly numbers: readonly (readonly number[])[];
  readonly state: number | undefined;
}

const nothing: Model = { last: 0, numbers: [], state: undefined };

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('append' as const), records: fc.nat(3), writer: fc.nat(1) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('snapshot' as const), writer: fc.nat(1) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('stale' as const), behind: fc.integer({ min: 1, max: 6 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('cut' as const),
      what: fc.constantFrom('append' as const, 'snapshot' as const),
      after: fc.nat(30),
      power: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('full' as const), room: fc.nat(60) }) },
);

const encode = (number: number): Uint8Array =>
  new TextEncoder().encode(`record ${number}`.padEnd(1 + (number % 40), '.'));
const decode = (record: Uint8Array): number => Number(/^record (\d+)\.*$/.exec(new TextDecoder().decode(record))?.[1]);

function seen({ snapshot, entries, last }: LogContents): Model {
  return {
    last,
    numbers: entries.map(({ records }) => records.map(decode)),
    state: snapshot && decode(snapshot.state),
  };
}

const isSame = (one: Model, other: Model): boolean => JSON.stringify(one) === JSON.stringify(other);

/** A node with a log on its disk, which crashes and comes back. */
class Crashing {
  readonly world: Simulation;
  #writers: FencedLog[] = [];
  #next = 1;
  model: Model = nothing;

  constructor(seed: number) {
    this.world = new Simulation({ seed });
    this.world.machine('store').disk.latency = [1, 5];
  }

  get disk() {
    return this.world.machine('store').disk;
  }

  async start(): Promise<void> {
    const runtime: Runtime = await this.world.start('store');
    this.#writers = [0, 1].map(() => fileLog(runtime.files, '/log'));
  }

  writer(index: number): FencedLog {
    const log = this.#writers[index];
    if (log === undefined) throw new Error(`no writer ${index}`);
    return log;
  }

  append(log: FencedLog, count: number): { readonly future: Future<number>; readonly after: Model } {
    const { last, numbers, state } = this.model;
    const added = Array.from({ length: count }, () => this.#next++);
    return {
      future: log.append(last, added.map(encode)),
      after: { last: last + 1, numbers: [...numbers, added], state },
    };
  }

  snapshot(log: FencedLog): { readonly future: Future<number>; readonly after: Model } {
    const { last } = this.model;
    const state = this.#next++;
    return { future: log.snapshot(last, encode(state)), after: { last: last + 1, numbers: [], state } };
  }

  async told<T>(future: Future<T>): Promise<T | string> {
    try {
      return await outcome(this.world, future);
    } catch (error) {
      if (error instanceof ProcessError) return error.code;
      throw error;
    }
  }

  async expectTold(future: Future<number>, expected: number | string): Promise<void> {
    const told = await this.told(future);
    if (told !== expected) throw new Error(`told ${told}, expected ${expected}`);
  }

  /** The log has what it should have; after what was not confirmed, or that as well. */
  async agree(possible?: Model): Promise<void> {
    const contents = seen(await outcome(this.world, this.writer(1).read()));
    const allowed = possible === undefined ? [this.model] : [this.model, possible];
    const found = allowed.find((model) => isSame(model, contents));
    if (found === undefined) throw new Error(`${JSON.stringify(contents)} is none of ${JSON.stringify(allowed)}`);
    this.model = found;
  }
}

describe('a log in files', function () {
  this.timeout(30_000);

  it('has what it confirmed, and of the rest an entry whole or not at all, whatever crash or loss of power', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(), fc.array(step, { minLength: 1, maxLength: 25 }), async (seed, steps) => {
        const node = new Crashing(seed);
        await using _ = node.world;
        await node.start();
        for (const act of steps) {
          switch (act.kind) {
            case 'append':
            case 'snapshot': {
              const log = node.writer(act.writer);
              const { future, after } = act.kind === 'append' ? node.append(log, act.records) : node.snapshot(log);
              await node.expectTold(future, after.last);
              node.model = after;
              break;
            }
            case 'stale': {
              const expected = Math.max(0, node.model.last - act.behind);
              if (expected === node.model.last) break;
              await node.expectTold(node.writer(0).append(expected, [encode(0)]), 'LOG_FENCED');
              await node.expectTold(node.writer(1).snapshot(expected, encode(0)), 'LOG_FENCED');
              break;
            }
            case 'cut': {
              const log = node.writer(0);
              const { future, after } = act.what === 'append' ? node.append(log, 3) : node.snapshot(log);
              await node.world.advance(act.after);
              const isConfirmed = future.isReady;
              if (act.power) node.world.losePower('store');
              else node.world.crash('store');
              await node.start();
              if (isConfirmed) node.model = after;
              await node.agree(isConfirmed ? undefined : after);
              break;
            }
            case 'full': {
              node.disk.capacity = node.disk.used + act.room;
              const { future, after } = node.append(node.writer(0), 2);
              if ((await node.told(future)) === after.last) node.model = after;
              node.disk.capacity = Number.POSITIVE_INFINITY;
              break;
            }
          }
          await node.agree();
        }
      }),
      { numRuns: 150 },
    );
  });
});
