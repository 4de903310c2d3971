import { type Duration, toMilliseconds } from '../duration.ts';
import type { Random, Timer } from '../platform/platform.ts';
import { SeededRandom } from './seeded-random.ts';
import type { Simulation } from './simulation.ts';

/** Each rate is how many such faults begin in a simulated minute, on average, in the whole world. Default 0. */
export interface FaultRates {
  /** kill -9 of a node that has a `boot`; it is started again afterwards. */
  readonly crash?: number;
  /** The same with a loss of power: children are gone, and so is what was not synced. */
  readonly power?: number;
  /** A node stands still, as by SIGSTOP or a long collection of garbage. */
  readonly pause?: number;
  /** Some nodes cannot reach the others; one time of three in one direction only. */
  readonly partition?: number;
  /** A node's connection breaks. */
  readonly disconnect?: number;
  /** The broker freezes, or dies and is started again. */
  readonly broker?: number;
  /** A disk is slow (10 ms to 1 s an operation), full, or refuses to write. */
  readonly disk?: number;
  /** A clock runs up to 5 % too fast or slow, and is up to 10 s off for a node that starts meanwhile. */
  readonly clock?: number;
  /** How long a fault lasts, drawn between the two. Default 1 s to 30 s. */
  readonly lasting?: readonly [Duration, Duration];
  /** Nodes that may be hit. Default: all that were started. */
  readonly nodes?: readonly string[];
}

type Kind = Exclude<keyof FaultRates, 'lasting' | 'nodes'>;

/** Does the fault and gives what undoes it; undefined if there is nothing to hit just now. */
type Strike = (random: Random) => (() => void) | undefined;

const minute = 60_000;
/** Milliseconds between two attempts to start a node that could not start: those of a service manager. */
const restartPause = 1000;

/**
 * Faults that come by chance, of each kind its own: the times, targets and lengths of one do not depend on whether another
 * took place, so that a history stays recognizable when parts of it are left out.
 */
export class DrawnFaults {
  readonly #world: Simulation;
  readonly #rates: FaultRates;
  readonly #next = new Map<Kind, Timer>();
  /** What ends the faults under way. */
  readonly #open = new Set<() => void>();
  readonly #strikes: Readonly<Record<Kind, Strike>> = {
    crash: (random) => this.#crash(random, (node) => this.#world.crash(node)),
    power: (random) => this.#crash(random, (node) => this.#world.losePower(node)),
    pause: (random) => this.#pause(random),
    partition: (random) => this.#partition(random),
    disconnect: (random) => this.#disconnect(random),
    broker: (random) => this.#breakBroker(random),
    disk: (random) => this.#breakDisk(random),
    clock: (random) => this.#skew(random),
  };
  /** What is wrong with which machine. */
  readonly #troubled = new Set<string>();
  #brokerBroken = false;
  #over = false;

  constructor(world: Simulation, rates: FaultRates) {
    this.#world = world;
    this.#rates = rates;
    for (const kind of Object.keys(this.#strikes) as Kind[]) {
      const rate = rates[kind] ?? 0;
      if (rate > 0) this.#draw(kind, rate, new SeededRandom(`${world.seed} faults ${kind}`), 1);
    }
  }

  /** Ends what is under way and draws no more. */
  calm(): void {
    for (const timer of this.#next.values()) timer.cancel();
    for (const end of this.#open) end();
  }

  /** Nothing happens any more, not even the end of what is under way. */
  cancel(): void {
    this.#over = true;
    for (const timer of this.#next.values()) timer.cancel();
    this.#open.clear();
  }

  #draw(kind: Kind, rate: number, times: Random, number: number): void {
    // Poisson: the time to the next one is exponential.
    const wait = (-Math.log(1 - times.next()) / rate) * minute;
    const strike = (): void => {
      this.#draw(kind, rate, times, number + 1);
      this.#strike(kind, `${kind}.${number}`);
    };
    this.#next.set(kind, this.#world.clock.timer(wait, strike));
  }

  #strike(kind: Kind, name: string): void {
    const { parts, seed, clock } = this.#world;
    const fraction = parts.take(name);
    if (fraction === undefined) return;
    const random = new SeededRandom(`${seed} ${name}`);
    const [least, most] = (this.#rates.lasting ?? ['1s', '30s']).map(toMilliseconds);
    const lasting = between(random, least ?? 0, most ?? 0) * fraction;
    const undo = this.#strikes[kind](random);
    if (undo === undefined) return;
    const end = (): void => {
      timer.cancel();
      if (this.#open.delete(end)) undo();
    };
    const timer = clock.timer(lasting, end);
    this.#open.add(end);
  }

  #crash(random: Random, crash: (node: string) => void): (() => void) | undefined {
    const node = this.#pick(random, (name) => this.#world.runtime(name) !== undefined && this.#world.canBoot(name));
    if (node === undefined) return undefined;
    crash(node);
    return () => this.#restart(node);
  }

  #restart(node: string): void {
    if (this.#over || this.#world.runtime(node) !== undefined) return;
    this.#world.restart(node).then(
      () => undefined,
      // The broker may be away.
      () => this.#world.clock.timer(restartPause, () => this.#restart(node)),
    );
  }

  #pause(random: Random): (() => void) | undefined {
    const node = this.#pick(random, (name) => this.#world.runtime(name) !== undefined);
    if (node === undefined) return undefined;
    this.#world.pause(node);
    return () => this.#world.resume(node);
  }

  #partition(random: Random): (() => void) | undefined {
    const nodes = this.#nodes;
    if (nodes.length < 2) return undefined;
    const [one, other] = [pick(random, nodes), pick(random, nodes)];
    const there = nodes.filter((name) => name !== one && (name === other || random.next() < 0.5));
    // Whoever is drawn twice is alone.
    const rest = nodes.filter((name) => !there.includes(name));
    const [a, b] = there.length === 0 ? [[one], rest.filter((name) => name !== one)] : [rest, there];
    const partition = this.#world.network.partition(a, b, { oneWay: random.next() < 1 / 3 });
    return () => partition.heal();
  }

  #disconnect(random: Random): (() => void) | undefined {
    const { network } = this.#world;
    const node = this.#pick(random, (name) => network.isConnected(name));
    if (node === undefined) return undefined;
    network.disconnect(node);
    return () => network.reconnect(node);
  }

  #breakBroker(random: Random): (() => void) | undefined {
    if (this.#brokerBroken) return undefined;
    this.#brokerBroken = true;
    const { network } = this.#world;
    const freeze = random.next() < 0.5;
    if (freeze) network.freezeBroker();
    else network.killBroker();
    return () => {
      this.#brokerBroken = false;
      if (freeze) network.thawBroker();
      else network.startBroker();
    };
  }

  #breakDisk(random: Random): (() => void) | undefined {
    const how = pick(random, ['slow', 'full', 'failing'] as const);
    return this.#trouble(random, 'disk', (node) => {
      const { disk } = this.#world.machine(node);
      const { latency, capacity, failWrites } = disk;
      if (how === 'slow') disk.latency = [10, 1000];
      else if (how === 'full') disk.capacity = disk.used;
      else disk.failWrites = 'EIO';
      this.#world.recorded.fault(`disk of ${node} ${how}`);
      return () => {
        Object.assign(disk, { latency, capacity, failWrites });
        this.#world.recorded.fault(`disk of ${node} well`);
      };
    });
  }

  #skew(random: Random): (() => void) | undefined {
    const skew = { offset: Math.round(between(random, -10_000, 10_000)), drift: between(random, -0.05, 0.05) };
    return this.#trouble(random, 'clock', (node) => {
      const before = this.#world.machine(node).skew;
      this.#world.skew(node, skew);
      return () => this.#world.skew(node, before);
    });
  }

  /** Something that puts back what it found: only once at a time on one machine. */
  #trouble(random: Random, what: Kind, begin: (node: string) => () => void): (() => void) | undefined {
    const node = this.#pick(random, (name) => !this.#troubled.has(`${what} ${name}`));
    if (node === undefined) return undefined;
    this.#troubled.add(`${what} ${node}`);
    const end = begin(node);
    return () => {
      this.#troubled.delete(`${what} ${node}`);
      end();
    };
  }

  get #nodes(): readonly string[] {
    const { nodes } = this.#rates;
    return nodes === undefined ? this.#world.nodes : this.#world.nodes.filter((name) => nodes.includes(name));
  }

  #pick(random: Random, fits: (name: string) => boolean): string | undefined {
    // Drawn from all, so that which one it is does not depend on who else is down.
    const nodes = this.#nodes;
    const node = nodes.length === 0 ? undefined : pick(random, nodes);
    return node !== undefined && fits(node) ? node : undefined;
  }
}

function pick<T>(random: Random, from: readonly T[]): T {
  return from[Math.floor(random.next() * from.length)] as T;
}

function between(random: Random, least: number, most: number): number {
  return least + random.next() * (most - least);
}
