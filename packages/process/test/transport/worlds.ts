import { setTimeout as pause } from 'node:timers/promises';

import {
  type DeadLetter,
  type DoorAnswer,
  type DoorHeaders,
  type Duration,
  Future,
  type PID,
  ProcessGone,
  Runtime,
  type RuntimeOptions,
  toMilliseconds,
  type Transport,
} from '@mezzo/process';
import { nats } from '@mezzo/process/nats';
import { PortHub } from '@mezzo/process/pool';
import { Simulation } from '@mezzo/process/testing';

import { connect, headers as headersOf, type NatsConnection, NatsError, nkeyAuthenticator } from 'nats';
import { readFileSync } from 'node:fs';

import { withNatsServer } from '../../../../test/support/nats-server.ts';

type NodeOptions = Omit<RuntimeOptions, 'name' | 'platform' | 'transport'>;

/** Nodes that can reach each other, over one of the transports. */
export interface World {
  start(name: string, options?: NodeOptions): Promise<Runtime>;
  /** Ends the node without a word to anybody. */
  crash(name: string): void;
  /** A transport of this world for a test that speaks frames itself. */
  transport(): Transport;
  /** Lets time pass until the condition holds; throws if it does not within 20 s. */
  until(condition: () => boolean, what?: string): Promise<void>;
  /** Lets so much time pass that whatever is under way arrives. */
  calm(): Promise<void>;
  stop(runtime: Runtime): Promise<void>;
}

/** One that others than nodes can reach. */
export interface DoorWorld extends World {
  /** Asks at a door as somebody who is no node; fails with PROCESS_NOT_FOUND if nobody has it open. */
  request(door: string, headers: DoorHeaders, json: string, timeout?: Duration): Future<DoorAnswer>;
  /** Sends to a door as somebody who is no node. */
  tell(door: string, headers: DoorHeaders, json: string): void;
}

/** Short, so that tests with real time stay short. */
const timing: NodeOptions = { heartbeatInterval: '100ms', linkTimeout: '1s' };

/** Declares the same tests for every transport. */
export function inEveryWorld(declare: (world: World) => void): void {
  inWorldsWithDoors(declare);
  describe('message ports', () => declare(overPorts()));
}

export function inWorldsWithDoors(declare: (world: DoorWorld) => void): void {
  describe('in-process network (virtual time)', () => declare(simulated()));
  describe('NATS', () => declare(overNats()));
}

function simulated(): DoorWorld {
  let simulation: Simulation;
  const runtimes = new Map<string, Runtime>();
  beforeEach(() => {
    simulation = new Simulation({ latency: [1, 5] });
  });
  afterEach(async () => {
    await simulation.stop();
    runtimes.clear();
  });
  return {
    async start(name, options = {}) {
      const runtime = await simulation.start(name, { onError: () => {}, ...timing, ...options });
      runtimes.set(name, runtime);
      return runtime;
    },
    crash: (name) => simulation.crash(name),
    transport: () => simulation.network.transport(),
    request: (door, headers, json, timeout = '5s') => simulation.network.request(door, headers, json, { timeout }),
    tell: (door, headers, json) => simulation.network.tell(door, headers, json),
    async until(condition, what = condition.toString()) {
      if (!(await simulation.advanceUntil(condition, '20s')))
        throw new Error(`did not come about within 20 s: ${what}`);
    },
    calm: () => simulation.advance('200ms'),
    async stop(runtime) {
      const stopped = runtime.stop();
      await simulation.advanceUntil(() => !stopped.isPending, '20s');
    },
  };
}

function overNats(): DoorWorld {
  const server = withNatsServer();
  const world = overBroker(() => nats({ servers: server.url, nkeySeedFile: server.credentialsFile }));
  let client: NatsConnection | undefined;
  beforeEach(async () => {
    const seed = Buffer.from(readFileSync(server.credentialsFile, 'utf8').trim());
    client = await connect({ servers: server.url, authenticator: nkeyAuthenticator(seed) });
  });
  afterEach(() => client?.close());
  return {
    ...world,
    request(door, fields, json, timeout = '5s') {
      const asked = async (): Promise<DoorAnswer> => {
        try {
          const options = { headers: made(fields), timeout: toMilliseconds(timeout) };
          const answer = await client?.request(`mezzo.name.${door}`, json, options);
          const pairs = [...(answer?.headers ?? [])].map(([name, [value = '']]) => [name, value] as const);
          return { headers: Object.fromEntries(pairs), json: answer?.string() ?? '' };
        } catch (error) {
          if (error instanceof NatsError && error.code === '503') throw new ProcessGone('PROCESS_NOT_FOUND', 'nobody');
          throw error;
        }
      };
      return Future.from(asked());
    },
    tell: (door, fields, json) => client?.publish(`mezzo.name.${door}`, json, { headers: made(fields) }),
  };
}

function overPorts(): World {
  let hub: PortHub;
  beforeEach(() => {
    hub = new PortHub();
  });
  const world = overBroker(() => hub.transport());
  afterEach(() => hub.close());
  return world;
}

/** In real time. */
function overBroker(transport: () => Transport): World {
  const runtimes = new Map<string, Runtime>();
  const transports = new Set<Transport>();
  afterEach(async () => {
    for (const runtime of runtimes.values()) await runtime.stop();
    for (const other of transports) await other.stop();
    runtimes.clear();
    transports.clear();
  });
  return {
    async start(name, options = {}) {
      const runtime = await Runtime.start({ onError: () => {}, ...timing, ...options, name, transport: transport() });
      runtimes.set(name, runtime);
      return runtime;
    },
    crash: (name) => runtimes.get(name)?.crash(),
    transport() {
      const made = transport();
      transports.add(made);
      return made;
    },
    until: poll,
    // Three ways there and back: what the nodes had to say to each other by now has been said.
    async calm() {
      const probe = transport();
      await probe.start('probe', 1, deaf);
      for (let round = 0; round < 3; round++) await probe.check();
      await probe.stop();
    },
    async stop(runtime) {
      await runtime.stop();
    },
  };
}

function made(fields: DoorHeaders): ReturnType<typeof headersOf> {
  const headers = headersOf();
  for (const [name, value] of Object.entries(fields)) headers.set(name, value);
  return headers;
}

/** Looks every few milliseconds of real time. */
export async function poll(condition: () => boolean, what = condition.toString(), limit = 20_000): Promise<void> {
  const deadline = performance.now() + limit;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`did not come about within ${limit} ms: ${what}`);
    await pause(2);
  }
}

/** Lets time pass until the future is no longer pending; gives its value or throws its error. */
export async function outcome<T>(world: Pick<World, 'until'>, future: Future<T>): Promise<T> {
  await world.until(() => !future.isPending, `${future.toString()} completes`);
  return await future;
}

/** The error a future fails with. */
export async function failure(world: Pick<World, 'until'>, future: Future<unknown>): Promise<Error> {
  try {
    await outcome(world, future);
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error(`${future.toString()} did not fail`);
}

/** Dead letters of the runtime from now on, as `reason name to`. */
export function deadLetters(runtime: Runtime): string[] {
  const letters: string[] = [];
  runtime.onDeadLetter(({ reason, name, to }: DeadLetter) => letters.push(`${reason} ${name} ${text(to)}`));
  return letters;
}

function text(pid: PID): string {
  return pid.toString();
}

/** Events of a transport that nobody listens to. */
export const deaf = {
  frame() {},
  noResponders() {},
  connected() {},
  disconnected() {},
  rejected() {},
  trouble() {},
  failed() {},
};
