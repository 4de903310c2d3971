import { ProcessError } from '../errors.ts';
import type { Future } from '../future/future.ts';
import { checksum } from '../log/checksum.ts';
import type { FencedLog, LogContents } from '../log/fenced-log.ts';

/** One log, empty at first, that any number of writers open. */
export interface LogStorage {
  open(): FencedLog;
  /** What a future comes to, for a world whose time must be driven. Default: `await`. */
  outcome?<T>(future: Future<T>): Promise<T>;
}

/** What every FencedLog must keep to; `holds` rejects with what was otherwise. */
export interface FencedLogLaw {
  readonly title: string;
  holds(storage: LogStorage): Promise<void>;
}

const laws: readonly FencedLogLaw[] = [
  law('begins empty', async ({ read }) => {
    same(await read(), { snapshot: undefined, entries: [], last: 0 });
  }),

  law('keeps entries whole and in order, also empty records and entries without any', async ({ write, read, open }) => {
    const log = open();
    const one = await write(log.append(0, [bytes(1, 2), bytes(), bytes(255)]));
    const two = await write(log.append(one, []));
    const three = await write(log.append(two, [bytes(0)]));
    check(0 < one && one < two && two < three, `sequences grow: ${one}, ${two}, ${three}`);
    same(await read(), {
      snapshot: undefined,
      entries: [
        { sequence: one, records: [bytes(1, 2), bytes(), bytes(255)] },
        { sequence: two, records: [] },
        { sequence: three, records: [bytes(0)] },
      ],
      last: three,
    });
  }),

  law('refuses whoever has not seen the newest entry, and changes nothing', async ({ write, refused, read, open }) => {
    const [one, other] = [open(), open()];
    const first = await write(one.append(0, [bytes(1)]));
    await refused(other.append(0, [bytes(9)]));
    await refused(other.snapshot(0, bytes(9)));
    const second = await write(other.append(first, [bytes(2)]));
    await refused(one.append(first, [bytes(9)]));
    await refused(one.append(second + 1, [bytes(9)]));
    await refused(one.snapshot(first, bytes(9)));
    const third = await write(one.append(second, [bytes(3)]));
    same(await read(), {
      snapshot: undefined,
      entries: [
        { sequence: first, records: [bytes(1)] },
        { sequence: second, records: [bytes(2)] },
        { sequence: third, records: [bytes(3)] },
      ],
      last: third,
    });
  }),

  law('lets one of many have the same place', async ({ outcomes, read, open }) => {
    let last = 0;
    const won: Uint8Array[] = [];
    for (let round = 0; round < 5; round++) {
      const writers = [1, 2, 3, 4].map((writer) => ({ log: open(), record: bytes(round, writer) }));
      const told = await outcomes(writers.map(({ log, record }) => log.append(last, [record])));
      const done = writers.filter((_, index) => typeof told[index] === 'number');
      check(done.length === 1, `one of four is done: ${told.join()}`);
      check(told.filter((outcome) => outcome === 'LOG_FENCED').length === 3, `the others are refused: ${told.join()}`);
      last = Math.max(...told.map((outcome) => (typeof outcome === 'number' ? outcome : 0)));
      won.push(...done.map(({ record }) => record));
    }
    sameRecords(await read(), won);
  }),

  law('puts a snapshot in place of what was before it', async ({ write, read, open }) => {
    const log = open();
    const first = await write(log.append(0, [bytes(1)]));
    const second = await write(log.snapshot(first, bytes(7)));
    check(second > first, `a snapshot has a sequence of its own: ${second} after ${first}`);
    same(await read(), { snapshot: { sequence: second, state: bytes(7) }, entries: [], last: second });
    const third = await write(log.append(second, [bytes(2)]));
    const contents = { snapshot: { sequence: second, state: bytes(7) }, last: third };
    same(await read(), { ...contents, entries: [{ sequence: third, records: [bytes(2)] }] });
    const fourth = await write(log.snapshot(third, bytes()));
    same(await read(), { snapshot: { sequence: fourth, state: bytes() }, entries: [], last: fourth });
  }),

  law('refuses whoever has not seen the newest snapshot', async ({ write, refused, read, open }) => {
    const [one, other] = [open(), open()];
    const first = await write(one.append(0, [bytes(1)]));
    const second = await write(other.append(first, [bytes(2)]));
    const third = await write(one.append(second, [bytes(3)]));
    const fourth = await write(one.snapshot(third, bytes(7)));
    for (const stale of [second, 0, first, third]) {
      for (const writer of [other, open()]) {
        await refused(writer.append(stale, [bytes(9)]));
        await refused(writer.snapshot(stale, bytes(9)));
      }
    }
    same(await read(), { snapshot: { sequence: fourth, state: bytes(7) }, entries: [], last: fourth });
    const fifth = await write(other.append(fourth, [bytes(4)]));
    await refused(one.append(fourth, [bytes(9)]));
    same(await read(), {
      snapshot: { sequence: fourth, state: bytes(7) },
      entries: [{ sequence: fifth, records: [bytes(4)] }],
      last: fifth,
    });
  }),

  law('begins with a snapshot as well as with an entry', async ({ write, refused, read, open }) => {
    const log = open();
    const first = await write(log.snapshot(0, bytes(7)));
    same(await read(), { snapshot: { sequence: first, state: bytes(7) }, entries: [], last: first });
    await refused(open().append(0, [bytes(9)]));
    const second = await write(log.append(first, [bytes(1)]));
    same(await read(), {
      snapshot: { sequence: first, state: bytes(7) },
      entries: [{ sequence: second, records: [bytes(1)] }],
      last: second,
    });
  }),

  law('keeps megabytes', async ({ write, read, open }) => {
    const log = open();
    const records = [filled(1_500_000, 1), bytes(), filled(2_000_000, 2)];
    const first = await write(log.append(0, records));
    same(await read(), { snapshot: undefined, entries: [{ sequence: first, records }], last: first });
    const state = filled(4_000_000, 3);
    const second = await write(log.snapshot(first, state));
    same(await read(), { snapshot: { sequence: second, state }, entries: [], last: second });
  }),

  law('keeps what was given, whatever becomes of those bytes and of what was read', async ({ write, read, open }) => {
    const log = open();
    const state = bytes(1, 2);
    const snapshot = log.snapshot(0, state);
    state.fill(9);
    const first = await write(snapshot);
    const record = bytes(3, 4);
    const append = log.append(first, [record]);
    record.fill(9);
    const second = await write(append);
    const expected = {
      snapshot: { sequence: first, state: bytes(1, 2) },
      entries: [{ sequence: second, records: [bytes(3, 4)] }],
      last: second,
    };
    const seen = await read();
    same(seen, expected);
    seen.snapshot?.state.fill(8);
    for (const { records } of seen.entries) for (const bytesRead of records) bytesRead.fill(8);
    same(await read(), expected);
  }),

  law('shows a reader the log as it was at some moment, whoever writes meanwhile', async ({ outcomes, open }) => {
    const reader = open();
    const counted = async (): Promise<void> => {
      const log = open();
      let last = 0;
      for (let number = 1; number <= 40; number++) {
        const write = number % 7 === 0 ? log.snapshot(last, bytes(number)) : log.append(last, [bytes(number)]);
        const [told] = await outcomes([write]);
        check(typeof told === 'number', `the only writer is not refused: ${told}`);
        last = Number(told);
      }
    };
    const watched = async (): Promise<void> => {
      for (let before = 0; before < 40;) {
        const contents = reader.read();
        const [told] = await outcomes([contents]);
        check(contents.isReady, `reading works: ${JSON.stringify(told)}`);
        const { snapshot, entries } = contents.get();
        const from = snapshot?.state[0] ?? 0;
        const numbers = entries.map(({ records }) => records[0]?.[0]);
        check(
          numbers.every((number, index) => number === from + 1 + index) && from + numbers.length >= before,
          `nothing is missing or goes back: ${from}, ${numbers.join()} after ${before}`,
        );
        before = from + numbers.length;
      }
    };
    await Promise.all([counted(), watched()]);
  }),

  law('goes on where a log that was closed ended', async ({ write, read, open }) => {
    const one = open();
    const first = await write(one.append(0, [bytes(1)]));
    await write(one.close());
    const second = await write(open().append(first, [bytes(2)]));
    check(second > first, `sequences grow: ${first}, ${second}`);
    sameRecords(await read(), [bytes(1), bytes(2)]);
  }),
];

/** `for (const { title, holds } of fencedLogLaws) it(title, () => holds(storageOfMine()))`. */
export const fencedLogLaws: readonly FencedLogLaw[] = laws;

/** What a law does to a storage. */
interface Hands {
  open(): FencedLog;
  read(): Promise<LogContents>;
  write<T>(future: Future<T>): Promise<T>;
  refused(future: Future<unknown>): Promise<void>;
  /** Values, and the codes of failures. */
  outcomes<T>(futures: readonly Future<T>[]): Promise<(T | string)[]>;
}

function law(title: string, holds: (hands: Hands) => Promise<void>): FencedLogLaw {
  return { title, holds: (storage) => holds(handsOn(storage)) };
}

function handsOn(storage: LogStorage): Hands {
  const outcome = async <T>(future: Future<T>): Promise<T> =>
    storage.outcome ? storage.outcome(future) : await future;
  const told = async <T>(future: Future<T>): Promise<T | string> => {
    try {
      return await outcome(future);
    } catch (error) {
      if (error instanceof ProcessError) return error.code;
      throw error;
    }
  };
  return {
    open: () => storage.open(),
    read: () => outcome(storage.open().read()),
    write: outcome,
    outcomes: (futures) => Promise.all(futures.map(told)),
    async refused(future) {
      const code = await told(future);
      check(code === 'LOG_FENCED', `it is refused with LOG_FENCED: ${String(code)}`);
    },
  };
}

function bytes(...values: readonly number[]): Uint8Array {
  return Uint8Array.from(values);
}

/** Bytes that are not the same anywhere near. */
function filled(length: number, start: number): Uint8Array {
  const result = new Uint8Array(length);
  let value = start;
  for (let at = 0; at < length; at++) {
    value = (Math.imul(value, 1_664_525) + 1_013_904_223) >>> 0;
    result[at] = value >>> 24;
  }
  return result;
}

function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(`A law of fenced logs does not hold. Expected: ${what}`);
}

function same(actual: LogContents, expected: LogContents): void {
  const [shown, wanted] = [shownOf(actual), shownOf(expected)];
  check(shown === wanted, `${wanted}, but the log has ${shown}`);
}

function sameRecords({ entries }: LogContents, expected: readonly Uint8Array[]): void {
  const shown = entries.flatMap(({ records }) => records.map(shownBytes)).join(' ');
  const wanted = expected.map(shownBytes).join(' ');
  check(shown === wanted, `records ${wanted}, but the log has ${shown}`);
}

function shownOf({ snapshot, entries, last }: LogContents): string {
  const parts = entries.map(({ sequence, records }) => `${sequence}: [${records.map(shownBytes).join(' ')}]`);
  if (snapshot !== undefined) parts.unshift(`${snapshot.sequence}: state ${shownBytes(snapshot.state)}`);
  return `${parts.join(', ')} up to ${last}`;
}

function shownBytes(value: Uint8Array): string {
  return value.length <= 16 ? `<${value.join()}>` : `<${value.length} bytes, checksum ${checksum(value)}>`;
}
