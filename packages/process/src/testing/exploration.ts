import { messageOf, ProcessError } from '../errors.ts';
import type { Detail } from './history.ts';
import { formatParts, parseParts, Parts } from './parts.ts';
import { sequenceDiagram } from './sequence-diagram.ts';
import { shrink } from './shrinking.ts';
import { Simulation, type SimulationOptions } from './simulation.ts';
import { armTripwire } from './tripwire.ts';

export interface ExplorationOptions extends Omit<SimulationOptions, 'seed' | 'parts' | 'onError'> {
  /** The first and the last seed. */
  readonly seeds: readonly [number, number];
  /**
   * Starts nodes, does things (through `world.act` if a shorter history may do without them), lets time pass, and throws if
   * something is not as it must be; see also `world.invariant`. It must be the same for the same seed.
   */
  readonly scenario: (world: Simulation) => Promise<void>;
  /** Called with the world of every seed that passed, for instance to look at its history. */
  readonly passed?: (world: Simulation) => void;
  /** Runs this seed only, or one with its parts as a failure named them. Default: the environment's MEZZO_REPLAY. */
  readonly replay?: number | string | undefined;
  /** How many runs finding the shortest history may take. Default 300. */
  readonly shrinkingRuns?: number;
}

export interface Explored {
  readonly seeds: number;
  /** Timers that ran: each frame, delay and disk operation is one. */
  readonly events: number;
  /** Virtual milliseconds. */
  readonly time: number;
}

/** A seed under which the scenario fails, with the shortest history found. Code EXPLORATION_FAILED; `cause` is the failure. */
export class ExplorationFailure extends ProcessError {
  readonly seed: number;
  /** What `replay` takes to run the shortest failing history again. */
  readonly replay: string;
  /** Every event and frame of the shortest failing history, a line each. */
  readonly history: string;
  /** The same as a Mermaid sequence diagram, without what does not matter. */
  readonly diagram: string;

  constructor(seed: number, cause: unknown, shortest: Run, removed: string) {
    const replay = `${seed}:${formatParts(shortest.world.parts.taken)}`;
    const diagram = sequenceDiagram(shortest.world.recorded.records);
    const text = [
      `Seed ${seed} fails: ${messageOf(cause)}`,
      `Replay it with MEZZO_REPLAY=${seed}, or explore({ ..., replay: ${seed} }).`,
      `Replay the shortest history found (${removed}) with MEZZO_REPLAY='${replay}'. It fails with: ${messageOf(shortest.error)}`,
      '',
      diagram,
      '',
    ];
    super('EXPLORATION_FAILED', text.join('\n'), { cause });
    this.seed = seed;
    this.replay = replay;
    this.history = shortest.world.history;
    this.diagram = diagram;
  }
}

interface Run {
  readonly world: Simulation;
  /** Undefined if it passed. */
  readonly error: unknown;
}

/**
 * Runs a scenario once for every seed, each in a world of its own. At the first seed that fails it looks for the shortest
 * history that fails in the same way, and throws ExplorationFailure.
 */
export async function explore(options: ExplorationOptions): Promise<Explored> {
  // Armed once for all worlds.
  const tripwire = armTripwire();
  try {
    // oxlint-disable-next-line no-restricted-globals -- a test is told from outside what to run again
    const replay = options.replay ?? process.env['MEZZO_REPLAY'];
    return replay === undefined || replay === '' ? await exploreAll(options) : await replayOne(options, String(replay));
  } finally {
    tripwire.cancel();
  }
}

async function exploreAll(options: ExplorationOptions): Promise<Explored> {
  const [first, last] = options.seeds;
  let [events, time] = [0, 0];
  for (let seed = first; seed <= last; seed++) {
    const { world, error } = await run(options, seed, new Parts(), options.record ?? 'none');
    if (error !== undefined) throw await failure(options, seed, { world, error });
    events += world.clock.fired;
    time += world.elapsed;
    options.passed?.(world);
  }
  return { seeds: last - first + 1, events, time };
}

async function replayOne(options: ExplorationOptions, replay: string): Promise<Explored> {
  const [seedText = '', parts] = replay.split(':');
  const seed = Number(seedText);
  if (!Number.isSafeInteger(seed)) {
    throw new ProcessError(
      'EXPLORATION_FAILED',
      `Cannot replay '${replay}': expected a seed, or a seed, a colon and parts, as a failure names them`,
    );
  }
  const only = parts === undefined ? undefined : parseParts(parts);
  const again = await run(options, seed, new Parts(only), atLeastFrames(options.record));
  if (again.error !== undefined) throw new ExplorationFailure(seed, again.error, again, 'this one');
  options.passed?.(again.world);
  return { seeds: 1, events: again.world.clock.fired, time: again.world.elapsed };
}

async function failure(options: ExplorationOptions, seed: number, failed: Run): Promise<ExplorationFailure> {
  const all = failed.world.parts.taken;
  const shortest = await shrink(
    all,
    async (parts) => {
      const { world, error } = await run(options, seed, new Parts(parts), 'none');
      return error !== undefined && likeness(error) === likeness(failed.error) ? world.parts.taken : undefined;
    },
    options.shrinkingRuns ?? 300,
  );
  const final = await run(options, seed, new Parts(shortest), atLeastFrames(options.record));
  return new ExplorationFailure(seed, failed.error, final, `${shortest.size} of ${all.size} faults and acts`);
}

async function run(options: ExplorationOptions, seed: number, parts: Parts, record: Detail): Promise<Run> {
  let outside: unknown;
  const onError = (error: unknown): void => {
    // Its history would not repeat.
    if (error instanceof ProcessError && error.code === 'OUTSIDE_THE_SEAM') outside ??= error;
  };
  const world = new Simulation({ ...options, seed, parts, record, onError });
  try {
    await world.driven(options.scenario(world));
    return { world, error: outside };
  } catch (error) {
    return { world, error: error ?? new Error('the scenario threw undefined') };
  } finally {
    world.abandon();
  }
}

/** Two failures are of one kind if only numbers tell them apart. */
function likeness(error: unknown): string {
  return messageOf(error).replaceAll(/\d+(\.\d+)?/g, '#');
}

function atLeastFrames(record: Detail | undefined): Detail {
  return record === 'timers' ? 'timers' : 'frames';
}
