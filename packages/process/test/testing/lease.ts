import { type LocalPID, message, Process, type Runtime, type WireSchema } from '@mezzo/process';
import type { FaultRates, Simulation } from '@mezzo/process/testing';

/*
 * A register that several clients increment, one at a time: whoever wants to gets a lease from a lock server, reads,
 * works, and writes. A lease may run out while its holder stands still, so every lease has a higher token than the last,
 * and the register refuses what comes with a lower one than it has seen.
 */

/** What may be wrong on purpose: the register looks at no tokens, or the lock server does not sync the last token. */
export type Bug = 'none' | 'unfenced' | 'unsynced';

const lease = 4000;
const work = 1500;

const any = <T>(): WireSchema<T> => ({
  '~standard': { version: 1, vendor: 'test', validate: (value) => ({ value: value as T }) },
});
const Acquire = message('acquire', any<null>());
/** Token 0: somebody else holds it. */
const Granted = message('granted', any<number>());
const Read = message('read', any<number>());
const Value = message('value', any<number>());
const Write = message('write', any<{ readonly token: number; readonly value: number }>());
const Written = message('written', any<boolean>());

export interface Accepted {
  readonly token: number;
  readonly value: number;
}

class LockServer extends Process {
  readonly #bug: Bug;
  #token = 0;
  /** Nobody has a lease after this time. */
  #until = Number.POSITIVE_INFINITY;

  constructor(bug: Bug) {
    super('lock');
    this.#bug = bug;
  }

  protected override initialize(): void {
    const { files } = this.runtime;
    files.read('/token').onAny(
      this.defer((read) => {
        const text = read.isReady ? new TextDecoder().decode(read.get()) : '';
        this.#token = Math.max(0, ...text.split('\n').map((line) => Number.parseInt(line, 10) || 0));
        // A lease of before the crash may still run.
        this.#until = this.#token === 0 ? 0 : this.clock.now() + 2 * lease;
      }),
    );
    this.install(Acquire, (_, from) => {
      if (this.clock.now() < this.#until) return void this.send(from, Granted, 0);
      this.#until = this.clock.now() + 2 * lease;
      const token = ++this.#token;
      const kept =
        this.#bug === 'unsynced' ? files.append('/token', `${token}\n`) : files.replace('/token', `${token}\n`);
      kept.onReady(this.defer(() => void this.send(from, Granted, token)));
    });
  }
}

class Register extends Process {
  readonly #bug: Bug;
  readonly #accepted: Accepted[];
  #token = 0;
  #value = 0;

  constructor(bug: Bug, accepted: Accepted[]) {
    super('register');
    this.#bug = bug;
    this.#accepted = accepted;
  }

  protected override async initialize(): Promise<void> {
    const read = await this.runtime.files
      .read('/register')
      .map((bytes) => new TextDecoder().decode(bytes))
      .repair(() => '0 0');
    [this.#token = 0, this.#value = 0] = read.split(' ').map(Number);
    this.install(Read, (token, from) => {
      this.#fence(token);
      this.send(from, Value, this.#value);
    });
    // Async: it takes up nothing else before the value is on the disk.
    this.install(Write, async ({ token, value }, from) => {
      if (this.#bug !== 'unfenced' && token < this.#token) return void this.send(from, Written, false);
      this.#fence(token);
      this.#value = value;
      await this.runtime.files.replace('/register', `${this.#token} ${value}`);
      this.#accepted.push({ token, value });
      this.send(from, Written, true);
    });
  }

  #fence(token: number): void {
    this.#token = Math.max(this.#token, token);
  }
}

class Client extends Process {
  increment(): void {
    const { runtime, clock } = this;
    const until = clock.now() + lease;
    const ask = { timeout: '2s' } as const;
    this.ask(runtime.pid('lock@lock'), Acquire, null, { reply: Granted, ...ask }).onReady((token) => {
      if (token === 0) return;
      this.ask(runtime.pid('register@register'), Read, token, { reply: Value, ...ask }).onReady((value) => {
        if (clock.now() > until) return;
        this.delay(work, () => {
          this.ask(runtime.pid('register@register'), Write, { token, value: value + 1 }, { reply: Written, ...ask });
        });
      });
    });
  }
}

/** Faults of every kind; the register's own disk must not lie. */
export const faults: FaultRates = {
  crash: 1,
  power: 1,
  pause: 2,
  partition: 1,
  disconnect: 1,
  broker: 0.5,
  clock: 0.5,
  lasting: ['1s', '15s'],
};

const clients = ['alice', 'bob', 'carol'];

/** Increments at random times for so many simulated seconds; every value must be written by a newer lease than the last. */
export function leaseScenario(bug: Bug, seconds: number): (world: Simulation) => Promise<void> {
  return async (world) => {
    const accepted: Accepted[] = [];
    const running = new Map<string, LocalPID<Client>>();
    await world.start('lock', { boot: (runtime) => void runtime.spawn(new LockServer(bug)) });
    await world.start('register', { boot: (runtime) => void runtime.spawn(new Register(bug, accepted)) });
    for (const name of clients) {
      const boot = (runtime: Runtime): void => void running.set(name, runtime.spawn(new Client('client')));
      await world.start(name, { boot });
    }
    let checked = 0;
    world.invariant(() => {
      for (; checked < accepted.length; checked++) {
        const [before, now] = [accepted[checked - 1], accepted[checked]];
        if (before === undefined || now === undefined) continue;
        if (now.token <= before.token || now.value <= before.value) {
          throw new Error(`an update is lost: ${JSON.stringify(now)} was written after ${JSON.stringify(before)}`);
        }
      }
    });
    const end = world.elapsed + seconds * 1000;
    while (world.elapsed < end) {
      await world.advance(500 + Math.floor(world.random.next() * 3000));
      const name = clients[Math.floor(world.random.next() * clients.length)] ?? '';
      world.act(`${name} increments`, () => increment(world, running, name));
    }
    world.calm();
    // Whoever restarts has been given the time for it, and the last lease has run out.
    await world.advance('30s');
    const before = accepted.length;
    // The first attempts may find out only that lock and register are not those of before.
    for (let attempt = 0; attempt < 4 && accepted.length === before; attempt++) {
      increment(world, running, 'alice');
      await world.advance('10s');
    }
    if (accepted.length === before) throw new Error('nobody gets the lease any more');
  };
}

function increment(world: Simulation, running: ReadonlyMap<string, LocalPID<Client>>, name: string): void {
  const client = running.get(name);
  if (client !== undefined) world.runtime(name)?.dispatch(client, 'increment');
}
