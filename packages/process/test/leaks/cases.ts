import {
  Deferred,
  Future,
  message,
  Network,
  nodePlatform,
  type PID,
  Process,
  request,
  Runtime,
  streamRequest,
  type Timer,
} from '@mezzo/process';

import { checked } from '../transport/processes.ts';

const isNumber = (value: unknown): value is number => typeof value === 'number';
const Note = message('note', checked(isNumber));
const Double = request('double', checked(isNumber), checked(isNumber));
const Later = request('later', checked(isNumber), checked(isNumber));
const Count = streamRequest('count', checked(isNumber), checked(isNumber));

/** Takes notes, answers and counts. */
class Server extends Process {
  noted = 0;

  protected override initialize(): void {
    this.install(Note, () => void this.noted++);
    this.answer(Double, (n) => 2 * n);
    this.answer(Later, (n) => {
      const deferred = new Deferred<number>();
      this.delay(0, () => deferred.set(n));
      return deferred.future;
    });
    this.produce(Count, function* (to) {
      for (let n = 0; n < to; n++) yield n;
    });
  }

  twice(n: number): number {
    return 2 * n;
  }
}

/** Linked to others, by whom it may be outlived. */
class Linked extends Process {
  exits = 0;
  readonly #to: readonly PID[];

  constructor(...to: PID[]) {
    super('');
    this.#to = to;
  }

  protected override initialize(): void {
    for (const pid of this.#to) this.link(pid);
  }

  protected override exited(): void {
    this.exits++;
  }

  follow(pid: PID): void {
    this.link(pid);
  }

  rest(milliseconds: number): Timer {
    return this.delay(milliseconds, () => {});
  }
}

/** What is done so often that it must leave nothing behind. */
export interface Case {
  readonly what: string;
  readonly count: number;
  /** Does it so many times, and fails if some of it was not done. */
  run(count: number): Promise<void>;
}

export async function cases(): Promise<readonly Case[]> {
  const network = new Network({ clock: nodePlatform().clock });
  const here = await Runtime.start({ name: 'here', transport: network.transport() });
  const there = await Runtime.start({ name: 'there', transport: network.transport() });
  const server = new Server('server');
  const local = here.spawn(server);
  const far = new Server('server');
  there.spawn(far);
  const remote = here.pid('server@there');
  const follower = new Linked();
  const followerPid = here.spawn(follower);

  const late: Timer[] = [];

  const turn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));
  const until = async (done: () => boolean): Promise<void> => {
    while (!done()) await turn();
  };
  /** In portions, so that what waits does not outgrow what a run of this size may. */
  const portions = async (count: number, portion: number, act: (size: number) => unknown): Promise<void> => {
    for (let done = 0; done < count; done += portion) await act(Math.min(portion, count - done));
  };
  const asks = (to: PID) => (count: number) =>
    portions(count, 1000, async (size) => {
      const answers = Array.from({ length: size }, (_, n) => here.ask(to, Double, n));
      for (const [n, answer] of answers.entries()) if ((await answer) !== 2 * n) throw new Error('a wrong answer');
    });
  const streams = (to: PID) => (count: number) =>
    portions(count, 100, async (size) => {
      const read = async (n: number): Promise<void> => {
        let items = 0;
        // Every other one is left before its end.
        for await (const _item of here.stream(to, Count, 3)) if (++items === 2 && n % 2 === 0) break;
        if (items !== (n % 2 === 0 ? 2 : 3)) throw new Error(`${items} items`);
      };
      await Promise.all(Array.from({ length: size }, (_, n) => read(n)));
    });
  const notes =
    (to: PID, { noted }: { readonly noted: () => number }) =>
    async (count: number) => {
      const end = noted() + count;
      await portions(count, 10_000, async (size) => {
        const due = noted() + size;
        for (let n = 0; n < size; n++) if (!here.send(to, Note, n)) throw new Error('refused');
        await until(() => noted() >= due);
      });
      if (noted() !== end) throw new Error(`${noted() - end} notes too many`);
    };

  return [
    { what: 'messages', count: 10_000_000, run: notes(local, { noted: () => server.noted }) },
    { what: 'messages to another node', count: 500_000, run: notes(remote, { noted: () => far.noted }) },
    {
      what: 'futures',
      count: 1_000_000,
      run: (count) =>
        portions(count, 10_000, async (size) => {
          let completed = 0;
          for (let n = 0; n < size; n++) {
            const deferred = new Deferred<number>();
            const { future } = deferred;
            future
              .map((value) => value + 1)
              .andThen((value) => Future.ready(value))
              .recover(() => Future.ready(0))
              .onAny(() => completed++);
            if (n % 3 === 0) deferred.fail(new RangeError('no'));
            else if (n % 3 === 1) future.discard();
            if (n % 3 !== 1) deferred.set(n);
            else deferred.discard();
          }
          await turn();
          if (completed !== size) throw new Error(`${completed} of ${size} completed`);
        }),
    },
    {
      what: 'spawns and exits',
      count: 1_000_000,
      run: (count) =>
        portions(count, 10_000, async (size) => {
          const pids = Array.from({ length: size }, () => here.spawn(new Linked()));
          for (const pid of pids) here.terminate(pid);
          await until(() => here.processes.length === 2);
        }),
    },
    { what: 'asks', count: 1_000_000, run: asks(local) },
    { what: 'asks of another node', count: 200_000, run: asks(remote) },
    {
      what: 'asks that are given up or time out',
      count: 50_000,
      run: (count) =>
        portions(count, 1000, async (size) => {
          const asked = Array.from({ length: size }, (_, n) =>
            here.ask(n % 2 === 0 ? local : remote, Later, n, { timeout: 1 + (n % 5) }),
          );
          for (const future of asked.slice(0, size / 2)) future.discard();
          await until(() => asked.every((future) => !future.isPending));
        }),
    },
    {
      what: 'dispatches',
      count: 300_000,
      run: (count) =>
        portions(count, 1000, async (size) => {
          const results = Array.from({ length: size }, (_, n) => here.dispatch(local, 'twice', n));
          for (const [n, result] of results.entries()) if ((await result) !== 2 * n) throw new Error('a wrong result');
        }),
    },
    {
      what: 'links whose linkee ends',
      count: 100_000,
      run: (count) =>
        portions(count, 1000, async (size) => {
          const due = follower.exits + size;
          const pids = Array.from({ length: size }, () => here.spawn(new Linked()));
          for (const pid of pids) void here.dispatch(followerPid, 'follow', pid);
          await turn();
          for (const pid of pids) here.terminate(pid);
          await until(() => follower.exits === due);
        }),
    },
    {
      what: 'links whose linker ends, here and at another node',
      count: 100_000,
      run: (count) =>
        portions(count, 1000, async (size) => {
          const pids = Array.from({ length: size }, () => here.spawn(new Linked(local, remote)));
          await turn();
          for (const pid of pids) here.terminate(pid);
          await until(() => here.processes.length === 2);
          await here.ask(remote, Double, 1);
        }),
    },
    {
      what: 'timers that fire',
      count: 100_000,
      run: (count) =>
        portions(count, 10_000, async (size) => {
          let fired = 0;
          for (let n = 0; n < size; n++) here.delay(local, n % 3, () => fired++);
          await until(() => fired === size);
        }),
    },
    {
      what: 'timers that are cancelled long before, or end with their process',
      count: 300_000,
      run: async (count) => {
        // One that is due before all of them must not keep them.
        const first = here.clock.timer(3_000_000, () => {});
        await portions(count, 1000, async (size) => {
          for (let n = 0; n < size; n++) here.clock.timer(3_600_000 + n * 1000, () => {}).cancel();
          const waiting = new Linked();
          const pid = here.spawn(waiting);
          await turn();
          for (let n = 0; n < 10; n++) waiting.rest(3_600_000 + n);
          here.terminate(pid);
          await until(() => here.processes.length === 2);
        });
        late.push(first);
      },
    },
    { what: 'streams', count: 100_000, run: streams(local) },
    { what: 'streams of another node', count: 30_000, run: streams(remote) },
    {
      what: 'watches',
      count: 50_000,
      run: (count) =>
        portions(count, 1000, async (size) => {
          const pids = Array.from({ length: size }, () => here.spawn(new Linked()));
          const ends = pids.map((pid) => here.watch(pid));
          const dropped = Array.from({ length: size }, () => here.watch(local));
          await turn();
          for (const end of dropped) end.discard();
          for (const pid of pids) here.terminate(pid);
          await until(() => here.processes.length === 2 && ends.every((end) => end.isReady));
        }),
    },
  ];
}
