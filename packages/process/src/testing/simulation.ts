import { toMilliseconds, type Duration } from '../duration.ts';
import { messageOf, ProcessError } from '../errors.ts';
import { type Fate, Network } from '../network.ts';
import type { Random } from '../platform/platform.ts';
import { Runtime } from '../runtime.ts';
import type { RuntimeOptions } from '../runtime-options.ts';
import { DrawnFaults, type FaultRates } from './drawn-faults.ts';
import { type Detail, History } from './history.ts';
import { Incarnation } from './incarnation.ts';
import { Machine } from './machine.ts';
import { Parts } from './parts.ts';
import { SeededRandom } from './seeded-random.ts';
import type { Script } from './simulated-children.ts';
import { SimulatedLoop } from './simulated-loop.ts';
import type { Skew } from './skewed-clock.ts';
import { armTripwire } from './tripwire.ts';
import { VirtualClock } from './virtual-clock.ts';

export interface SimulationOptions {
  /** The same seed gives the same history. Default 1. */
  readonly seed?: number;
  /** Virtual start, milliseconds since the epoch. Default 2024-01-01T00:00:00Z. */
  readonly start?: number;
  /** One-way latency of frames in milliseconds, drawn per frame between the two. Default 0 to 0. */
  readonly latency?: readonly [number, number];
  /** Decides about each frame; overrides `latency`. */
  readonly fate?: (from: string, to: string) => Fate;
  /** What child processes do. Default: every command takes 1 s and exits 0. */
  readonly script?: Script;
  /** Faults that are drawn from the seed, from the beginning on. Default: none. */
  readonly faults?: FaultRates;
  /** How much `history` holds. Default `none`. */
  readonly record?: Detail;
  /** Which drawn faults and acts take place. Default: all. */
  readonly parts?: Parts;
  /** Hears of errors at nodes that were started without an `onError` of their own. Default: console.error. */
  readonly onError?: (error: unknown, context: string) => void;
}

/** How a simulated node is started. */
export interface NodeOptions extends Omit<RuntimeOptions, 'name' | 'platform' | 'transport'> {
  /** Spawns what runs on the node, at its start and at every restart. A node without it is spared by drawn crashes. */
  readonly boot?: (runtime: Runtime) => void;
}

/** A node that runs. */
interface Running {
  readonly runtime: Runtime;
  readonly incarnation: Incarnation;
}

/** Turns of the event loop that must pass without change before a simulation counts as settled. */
const quietTurns = 2;
/** A guard: so many slices without time moving on means that processes feed each other for ever. */
const settleLimit = 100_000;
/** Turns of the event loop, about a second of them, in which nobody drives a world whose scenario is not done. */
const idleLimit = 500_000;

/** Any number of runtimes on one network in one OS process under virtual time. */
export class Simulation implements AsyncDisposable {
  readonly clock: VirtualClock;
  readonly network: Network;
  readonly seed: number;
  /** Chance for the scenario; nothing else draws from it. */
  readonly random: SeededRandom;
  readonly parts: Parts;
  readonly recorded: History;
  readonly #start: number;
  readonly #script: Script;
  readonly #loop = new SimulatedLoop();
  readonly #machines = new Map<string, Machine>();
  readonly #running = new Map<string, Running>();
  readonly #options = new Map<string, NodeOptions>();
  readonly #invariants: (() => void)[] = [];
  readonly #faults: DrawnFaults | undefined;
  readonly #tripwire = armTripwire();
  readonly #onError: RuntimeOptions['onError'];
  #acts = 0;
  #abandoned = false;

  constructor(options: SimulationOptions = {}) {
    this.seed = options.seed ?? 1;
    this.#start = options.start ?? 1_704_067_200_000;
    this.clock = new VirtualClock(this.#start);
    this.random = new SeededRandom(`${this.seed} world`);
    this.parts = options.parts ?? new Parts();
    this.recorded = new History(options.record ?? 'none', () => this.elapsed);
    this.#onError = options.onError;
    this.#script = options.script ?? (() => ({ duration: '1s' }));
    this.network = new Network({
      clock: this.clock,
      fate: options.fate ?? latencies(this.seed, options.latency ?? [0, 0]),
      ...(this.recorded.has('events') && { observe: (observed) => this.recorded.network(observed) }),
    });
    if (options.faults !== undefined) this.#faults = new DrawnFaults(this, options.faults);
  }

  /** One line for each thing that happened, as far as `record` says; byte for byte the same for the same seed. */
  get history(): string {
    return this.recorded.text;
  }

  /** Virtual milliseconds since the beginning. */
  get elapsed(): number {
    return this.clock.now() - this.#start;
  }

  /** Names of the nodes that were started at least once, in that order. */
  get nodes(): readonly string[] {
    return [...this.#options.keys()];
  }

  /** The machine a node runs on, with its disk and its children. */
  machine(name: string): Machine {
    const known = this.#machines.get(name);
    if (known !== undefined) return known;
    const machine = new Machine(name, this.seed, this.clock, this.#loop, this.#script);
    this.#machines.set(name, machine);
    return machine;
  }

  /** Starts a node on its machine and on the network; what is sent is frozen. Fails as Runtime.start does. */
  async start(name: string, options: NodeOptions = {}): Promise<Runtime> {
    this.#options.set(name, options);
    const onTimer = this.recorded.has('timers') ? () => this.recorded.timer(name) : undefined;
    const incarnation = new Incarnation(this.machine(name), this.clock, onTimer);
    const { boot, ...rest } = options;
    const runtime = await Runtime.start({
      freeze: true,
      ...rest,
      onError: (error, context) => this.#report(name, options, error, context),
      name,
      platform: incarnation.platform,
      transport: this.network.transport(),
    });
    this.#running.set(name, { runtime, incarnation });
    if (this.#abandoned) {
      this.crash(name);
      return runtime;
    }
    this.recorded.fault(`start ${name}`);
    if (this.recorded.has('events')) runtime.inspect((inspected) => this.recorded.inspected(inspected));
    boot?.(runtime);
    return runtime;
  }

  /** Starts a node again as it was started last. */
  restart(name: string): Promise<Runtime> {
    return this.start(name, this.#options.get(name));
  }

  /** The runtime of a node, unless it is down. */
  runtime(name: string): Runtime | undefined {
    return this.#running.get(name)?.runtime;
  }

  /** Whether a node can come back by itself after a crash. */
  canBoot(name: string): boolean {
    return this.#options.get(name)?.boot !== undefined;
  }

  /** As kill -9 of the node's OS process: nobody is told; what it wrote is on its disk, but for what was under way. */
  crash(name: string): void {
    const node = this.#running.get(name);
    if (node === undefined) return;
    this.#running.delete(name);
    this.recorded.fault(`crash ${name}`);
    node.incarnation.end();
    node.runtime.crash();
  }

  /** The node's machine stops at once: its children are gone, and its disk loses what was not synced. */
  losePower(name: string): void {
    this.crash(name);
    this.recorded.fault(`power lost ${name}`);
    this.machine(name).losePower();
  }

  /** As SIGSTOP of the node's OS process: its frames, timers and disk answers wait. Others take it for silent. */
  pause(name: string): void {
    const node = this.#running.get(name);
    if (node === undefined || node.incarnation.paused) return;
    node.incarnation.pause();
    this.network.freeze(name);
  }

  /** As SIGCONT: what waited happens now, timers first. */
  resume(name: string): void {
    const node = this.#running.get(name);
    if (node === undefined || !node.incarnation.paused) return;
    node.incarnation.resume();
    this.network.thaw(name);
  }

  /** Lets the clock of a node's machine differ from true time: the offset from its next start on, the drift at once. */
  skew(name: string, skew: Skew): void {
    this.machine(name).skew = skew;
    this.recorded.fault(`clock of ${name} offset ${skew.offset ?? 0} ms drift ${skew.drift ?? 0}`);
    const node = this.#running.get(name);
    if (node !== undefined) node.incarnation.clock.drift = skew.drift ?? 0;
  }

  /** Ends the drawn faults: those under way are over now, and no more are drawn. */
  calm(): void {
    this.#faults?.calm();
  }

  /** Checked at the beginning and whenever something may have happened; what it throws, `advance` and `settle` throw. */
  invariant(check: () => void): void {
    this.#invariants.push(check);
  }

  /** A line of the scenario's own in the history. */
  note(text: string): void {
    this.recorded.note(text);
  }

  /**
   * Something the scenario does that a shorter history may do without. `random` is this act's alone, so that leaving others
   * out does not change it. Undefined if it is left out.
   */
  act<T>(what: string, act: (random: Random) => T): T | undefined {
    const name = `act.${++this.#acts}`;
    if (this.parts.take(name) === undefined) return undefined;
    this.recorded.note(what);
    return act(new SeededRandom(`${this.seed} ${name}`));
  }

  /** Runs what can run without time moving on. Throws SETTLE_IMPOSSIBLE if that never ends. */
  async settle(): Promise<void> {
    await this.#settle(quietTurns);
  }

  /** Lets virtual time pass, running every timer at its time. */
  async advance(duration: Duration): Promise<void> {
    await this.#advanceTo(this.clock.now() + toMilliseconds(duration), never);
  }

  /** Lets virtual time pass until `condition` holds; false if it did not within `limit`. */
  async advanceUntil(condition: () => boolean, limit: Duration): Promise<boolean> {
    return this.#advanceTo(this.clock.now() + toMilliseconds(limit), condition);
  }

  /** Stops every runtime that still lives, and the drawn faults. */
  async stop(): Promise<void> {
    this.calm();
    // Whoever comes back now is to be stopped as well.
    await this.settle();
    this.#faults?.cancel();
    for (const [name, { runtime }] of this.#running) {
      this.resume(name);
      let stopped = false;
      runtime.stop().onAny(() => {
        stopped = true;
      });
      await this.advanceUntil(() => stopped, '1hrs');
    }
    this.#running.clear();
    this.#tripwire.cancel();
  }

  /** Ends the world on the spot, as if every node had crashed. */
  abandon(): void {
    this.#abandoned = true;
    this.recorded.close();
    this.#faults?.cancel();
    for (const name of this.#running.keys()) this.crash(name);
    this.#tripwire.cancel();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** True if the condition came to hold before time was up. */
  async #advanceTo(target: number, condition: () => boolean): Promise<boolean> {
    await this.#settle(quietTurns);
    while (!condition()) {
      const due = this.clock.nextDue();
      if (due === undefined || due > target) {
        // Only who waits for nothing in particular wants to be at the end.
        if (condition === never) this.clock.moveTo(target);
        return false;
      }
      this.clock.moveTo(due);
      await this.#settle(1);
    }
    return true;
  }

  /**
   * @internal The scenario's outcome. Fails with SETTLE_IMPOSSIBLE if it waits while nobody lets time pass: that would never
   * end.
   */
  async driven(scenario: Promise<void>): Promise<void> {
    let over = false;
    const stuck = new Promise<never>((_, reject) => {
      let [turns, idle] = [0, 0];
      const look = (): void => {
        if (over) return;
        idle = turns === this.#loop.turns ? idle + 1 : 0;
        turns = this.#loop.turns;
        if (idle < idleLimit) return this.#loop.later(look);
        reject(
          new ProcessError(
            'SETTLE_IMPOSSIBLE',
            'The scenario waits for something, and nobody lets time pass: wait with world.advanceUntil(() => future.isReady, limit)',
          ),
        );
      };
      look();
    });
    try {
      await Promise.race([scenario, stuck]);
    } finally {
      over = true;
    }
  }

  async #settle(quiet: number): Promise<void> {
    for (let turns = 0, left = quiet; left > 0; turns++) {
      if (turns > settleLimit) {
        throw new ProcessError(
          'SETTLE_IMPOSSIBLE',
          'The simulation does not settle: processes keep sending each other messages at the same virtual time',
        );
      }
      this.clock.fireDue();
      await this.#loop.turn();
      left = this.#loop.busy || this.clock.isDue ? quiet : left - 1;
    }
    for (const check of this.#invariants) check();
  }

  #report(name: string, { onError, log }: NodeOptions, error: unknown, context: string): void {
    this.recorded.fault(`error at ${name}: ${context}: ${messageOf(error)}`);
    const hear = onError ?? (log === undefined ? this.#onError : undefined);
    if (hear !== undefined) hear(error, context);
    else if (log !== undefined) log.error({ err: error }, context);
    else console.error(`${name}: ${context}:`, error);
  }
}

function never(): boolean {
  return false;
}

/** Each pair of nodes has chances of its own, so that what happens between others does not change them. */
function latencies(seed: number, [least, most]: readonly [number, number]): NonNullable<SimulationOptions['fate']> {
  if (most === 0) return () => ({ delay: 0 });
  const streams = new Map<string, SeededRandom>();
  return (from, to) => {
    const pair = `${from} ${to}`;
    let stream = streams.get(pair);
    if (stream === undefined) streams.set(pair, (stream = new SeededRandom(`${seed} from ${pair}`)));
    return { delay: least + stream.next() * (most - least) };
  };
}
