import {
  message,
  type PID,
  Process,
  type Producer,
  type Runtime,
  type StreamReader,
  streamRequest,
} from '@mezzo/process';

import { checked } from '../transport/processes.ts';
import { inEveryWorld, type World } from '../transport/worlds.ts';

const isNumber = (value: unknown): value is number => typeof value === 'number';
const isText = (value: unknown): value is string => typeof value === 'string';

export const Numbers = streamRequest('numbers', checked(isNumber), checked(isNumber));
export const Texts = streamRequest('texts', checked(isNumber), checked(isText));
export const Poke = message('poke', checked(isNumber));
export const Unwanted = message('unwanted', checked(isNumber));

/** Gives the numbers that a test says, and hears pokes meanwhile. */
export class Source extends Process {
  readonly poked: number[] = [];
  readonly #numbers: Producer<number, number>;
  readonly #texts: Producer<number, string> | undefined;

  constructor(id: string, numbers: Producer<number, number>, texts?: Producer<number, string>) {
    super(id);
    this.#numbers = numbers;
    this.#texts = texts;
  }

  protected override initialize(): void {
    this.produce(Numbers, this.#numbers);
    if (this.#texts !== undefined) this.produce(Texts, this.#texts);
    this.install(Poke, (n) => void this.poked.push(n));
  }

  crash(): void {
    throw new Error('out of order');
  }

  /** What of a stream is still kept for this process. */
  get belongings(): number {
    return this.cell.ended ? 0 : (this.cell.extras.belongings?.size ?? 0);
  }
}

/** Reads streams as a process does. */
export class Audience extends Process {
  readonly poked: number[] = [];
  readonly readings: Reading<number>[] = [];

  protected override initialize(): void {
    this.install(Poke, (n) => void this.poked.push(n));
  }

  read(to: PID, count: number): void {
    this.readings.push(new Reading(this.stream(to, Numbers, count)));
  }

  get belongings(): number {
    return this.cell.ended ? 0 : (this.cell.extras.belongings?.size ?? 0);
  }
}

/** Reads a stream to its end, or until it has so many items, and keeps what came. */
export class Reading<T> {
  readonly items: T[] = [];
  outcome: 'ended' | 'left' | Error | undefined = undefined;

  constructor(stream: AsyncIterable<T>, limit = Number.POSITIVE_INFINITY) {
    void this.#read(stream, limit);
  }

  get over(): boolean {
    return this.outcome !== undefined;
  }

  async #read(stream: AsyncIterable<T>, limit: number): Promise<void> {
    try {
      for await (const item of stream) {
        this.items.push(item);
        if (this.items.length < limit) continue;
        this.outcome = 'left';
        return;
      }
      this.outcome = 'ended';
    } catch (error) {
      this.outcome = error instanceof Error ? error : new Error(String(error));
    }
  }
}

/** The reading, once it is over. */
export async function over<T>(
  world: Pick<World, 'until'>,
  stream: AsyncIterable<T>,
  limit?: number,
): Promise<Reading<T>> {
  const reading = new Reading(stream, limit);
  await world.until(() => reading.over, 'the stream is over');
  return reading;
}

/** So many items, one after another; fewer if the stream ends before. */
export async function take<T>(world: Pick<World, 'until'>, stream: StreamReader<T>, count: number): Promise<T[]> {
  const items: T[] = [];
  for (; items.length < count;) {
    let result: IteratorResult<T, undefined> | undefined;
    let error: unknown;
    stream.next().then(
      (value) => (result = value),
      (reason: unknown) => (error = reason),
    );
    await world.until(() => result !== undefined || error !== undefined, 'the next item');
    if (error !== undefined) throw error;
    if (result === undefined || result.done === true) break;
    items.push(result.value);
  }
  return items;
}

export function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n);
}

export function* counting(count: number): Generator<number> {
  for (let n = 0; n < count; n++) yield n;
}

/** A value that is there when somebody says so. */
export class Gate<T = void> {
  readonly opened: Promise<T>;
  readonly open: (value: T) => void;

  constructor() {
    let open: (value: T) => void = () => undefined;
    this.opened = new Promise((resolve) => (open = resolve));
    this.open = (value) => open(value);
  }
}

/** Where a producer may be, and what a test needs to try that. */
export class Place {
  readonly world: World;
  /** The node of the producer; readers are at node a. */
  readonly home: 'a' | 'b';
  readonly address: string;
  #runtime: Runtime | undefined;

  constructor(world: World, home: 'a' | 'b') {
    this.world = world;
    this.home = home;
    this.address = `source@${home}`;
  }

  readonly start = async (): Promise<{ readonly a: Runtime; readonly runtime: Runtime }> => {
    const a = await this.world.start('a');
    const runtime = (this.#runtime = this.home === 'a' ? a : await this.world.start('b'));
    return { a, runtime };
  };

  readonly spawn = (numbers: Producer<number, number>): Source => {
    const source = new Source('source', numbers);
    this.#runtime?.spawn(source);
    return source;
  };

  /** The source has its mailbox held until the gate is opened. */
  readonly hold = async (source: Source): Promise<Gate> => {
    const gate = new Gate();
    let held = false;
    void this.#runtime?.dispatch(source.self, () => {
      held = true;
      return gate.opened;
    });
    await this.world.until(() => held);
    return gate;
  };
}

/** Declares the same tests for producers on the reader's own node and on another, in every world. */
export function inEveryPlace(declare: (place: Place) => void): void {
  inEveryWorld((world) => {
    describe('within a node', () => declare(new Place(world, 'a')));
    describe('between nodes', () => declare(new Place(world, 'b')));
  });
}
