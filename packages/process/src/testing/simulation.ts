import { toMilliseconds, type Duration } from '../duration.ts';
import { ProcessError } from '../errors.ts';
import { type Fate, Network } from '../network.ts';
import type { Platform } from '../platform/platform.ts';
import { Runtime } from '../runtime.ts';
import type { RuntimeOptions } from '../runtime-options.ts';
import { Incarnation } from './incarnation.ts';
import { SeededRandom } from './seeded-random.ts';
import { SimulatedChildren, type Script } from './simulated-children.ts';
import { SimulatedFiles } from './simulated-files.ts';
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
}

/** The simulated machine of one node: it outlives the node's crash and restart. */
export interface Machine extends Platform {
  readonly files: SimulatedFiles;
  readonly children: SimulatedChildren;
}

// The tripwire replaces the global one, also for the turns in which a process makes the event loop go on.
const realSetImmediate = setImmediate;

/** Turns of the event loop that must pass without change before a simulation counts as settled. */
const quietTurns = 2;
/** A guard: so many slices without time moving on means that processes feed each other for ever. */
const settleLimit = 1_000_000;

/** Any number of runtimes on one network in one OS process under virtual time. */
export class Simulation implements AsyncDisposable {
  readonly clock: VirtualClock;
  readonly network: Network;
  readonly random: SeededRandom;
  readonly #seed: number;
  readonly #script: Script;
  readonly #machines = new Map<string, Machine>();
  readonly #runtimes = new Map<string, Runtime>();
  readonly #tripwire = armTripwire();
  readonly #incarnations = new Map<string, Incarnation>();

  constructor(options: SimulationOptions = {}) {
    this.#seed = options.seed ?? 1;
    this.clock = new VirtualClock(options.start ?? 1_704_067_200_000);
    this.random = new SeededRandom(`${this.#seed} world`);
    this.#script = options.script ?? (() => ({ duration: '1s' }));
    const [least, most] = options.latency ?? [0, 0];
    this.network = new Network({
      clock: this.clock,
      fate: options.fate ?? (() => ({ delay: least + this.random.next() * (most - least) })),
    });
  }

  /** The machine a node runs on, with its disk and its children. */
  machine(name: string): Machine {
    const known = this.#machines.get(name);
    if (known !== undefined) return known;
    const files = new SimulatedFiles(this.clock);
    const machine: Machine = {
      clock: this.clock,
      random: new SeededRandom(`${this.#seed} ${name}`),
      files,
      children: new SimulatedChildren(this.clock, files, this.#script),
      loop: { microtask: queueMicrotask, macrotask: (run) => void realSetImmediate(run) },
      simulated: true,
    };
    this.#machines.set(name, machine);
    return machine;
  }

  /** Starts a node on its machine and on the network; what is sent is frozen. */
  async start(name: string, options: Omit<RuntimeOptions, 'name' | 'platform' | 'transport'> = {}): Promise<Runtime> {
    const incarnation = new Incarnation(this.machine(name));
    const runtime = await Runtime.start({
      freeze: true,
      ...options,
      name,
      platform: incarnation.platform,
      transport: this.network.transport(),
    });
    this.#runtimes.set(name, runtime);
    this.#incarnations.set(name, incarnation);
    return runtime;
  }

  /** As kill -9 of the node's OS process: nobody is told. */
  crash(name: string): void {
    this.#incarnations.get(name)?.end();
    this.#runtimes.get(name)?.crash();
    this.#runtimes.delete(name);
    this.#incarnations.delete(name);
  }

  /** Runs what can run without time moving on. Throws SETTLE_IMPOSSIBLE if that never ends. */
  async settle(): Promise<void> {
    let quiet = 0;
    for (let turns = 0; quiet < quietTurns; turns++) {
      if (turns > settleLimit) {
        throw new ProcessError(
          'SETTLE_IMPOSSIBLE',
          'The simulation does not settle: processes keep sending each other messages at the same virtual time',
        );
      }
      const before = this.#activity();
      const fired = this.clock.fireDue();
      await new Promise((resolve) => realSetImmediate(resolve));
      quiet = fired || !this.#idle() || this.#activity() !== before ? 0 : quiet + 1;
    }
  }

  /** Lets virtual time pass, running every timer at its time. */
  async advance(duration: Duration): Promise<void> {
    const target = this.clock.now() + toMilliseconds(duration);
    await this.settle();
    for (let due = this.clock.nextDue(); due !== undefined && due <= target; due = this.clock.nextDue()) {
      this.clock.moveTo(due);
      await this.settle();
    }
    this.clock.moveTo(target);
  }

  /** Lets virtual time pass until `condition` holds; false if it did not within `limit`. */
  async advanceUntil(condition: () => boolean, limit: Duration): Promise<boolean> {
    const target = this.clock.now() + toMilliseconds(limit);
    await this.settle();
    while (!condition()) {
      const due = this.clock.nextDue();
      if (due === undefined || due > target) return false;
      this.clock.moveTo(due);
      await this.settle();
    }
    return true;
  }

  /** Stops every runtime that still lives. */
  async stop(): Promise<void> {
    for (const runtime of this.#runtimes.values()) {
      let stopped = false;
      runtime.stop().onAny(() => {
        stopped = true;
      });
      await this.advanceUntil(() => stopped, '1hrs');
    }
    this.#runtimes.clear();
    this.#tripwire.cancel();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #idle(): boolean {
    for (const runtime of this.#runtimes.values()) if (!runtime.idle) return false;
    return true;
  }

  #activity(): number {
    let sum = 0;
    for (const runtime of this.#runtimes.values()) sum += runtime.activity;
    return sum;
  }
}
