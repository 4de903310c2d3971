import type { Runtime } from '@mezzo/process';
import type { Simulation } from '@mezzo/process/testing';
import type { FrameworkRecord } from './framework-record.ts';
import type { Handled, Law } from './laws/law.ts';
import { Launches } from './laws/launches.ts';
import { RegistryWriters } from './laws/registry-writers.ts';
import { RememberedTasks } from './laws/remembered-tasks.ts';
import { ResourceUse } from './laws/resource-use.ts';
import { StoredUpdates } from './laws/stored-updates.ts';
import { TerminalStates } from './laws/terminal-states.ts';
import { Terms } from './laws/terms.ts';
import { Scene } from './scene.ts';

/** Watches every node of a simulated cluster, and holds what happens against the laws. */
export class Witness {
  readonly launches: Launches;
  readonly terminalStates: TerminalStates;
  readonly registryWriters: RegistryWriters;
  readonly scene: Scene;
  readonly #laws: Readonly<Record<string, Law>>;
  readonly #begins: readonly Law[];
  readonly #ends: readonly Law[];
  readonly #settled: readonly Law[];
  #busy = new Set<string>();
  #broken: unknown;

  constructor(world: Simulation, frameworks: readonly FrameworkRecord[]) {
    this.scene = new Scene(world, frameworks);
    this.launches = new Launches(this.scene);
    this.terminalStates = new TerminalStates(this.scene);
    this.registryWriters = new RegistryWriters((violation) => this.broken(violation));
    this.#laws = {
      launches: this.launches,
      terminalStates: this.terminalStates,
      resourceUse: new ResourceUse(this.scene),
      terms: new Terms(this.scene),
      registryWriters: this.registryWriters,
      storedUpdates: new StoredUpdates(this.scene),
      rememberedTasks: new RememberedTasks(this.scene),
    };
    const laws = Object.values(this.#laws);
    this.#begins = laws.filter((law) => law.begins !== undefined && law !== this.registryWriters);
    this.#ends = laws.filter((law) => law.ends !== undefined);
    this.#settled = laws.filter((law) => law.settled !== undefined);
    world.invariant(() => this.#look());
  }

  /** How often each law looked at something that could have been wrong. */
  get looks(): Readonly<Record<string, number>> {
    return Object.fromEntries(Object.entries(this.#laws).map(([name, { looks }]) => [name, looks]));
  }

  /** From now on, until the node ends. @param laws more that are for this node only */
  watch(node: string, runtime: Runtime, ...laws: readonly Law[]): void {
    const [begins, ends] = [[...this.#begins, ...laws], this.#ends];
    runtime.inspect((inspected) => {
      if (inspected.kind !== 'begins' && inspected.kind !== 'ends') return;
      const { pid, event } = inspected;
      const handled: Handled = { node, pid, event };
      this.#busy.add(node);
      this.guard(() => {
        if (inspected.kind === 'begins') for (const law of begins) law.begins?.(handled);
        else for (const law of ends) law.ends?.(handled);
      });
    });
  }

  /** What a law throws in here ends the run at once, and not the process that was just served. */
  guard(look: () => void): void {
    try {
      look();
    } catch (error) {
      this.broken(error);
    }
  }

  broken(violation: unknown): void {
    this.#broken ??= violation;
  }

  /** All is over, and all must be well. */
  conclude(): void {
    this.#look();
    for (const law of Object.values(this.#laws)) law.over?.();
  }

  #look(): void {
    if (this.#busy.size > 0) {
      const nodes = this.#busy;
      this.#busy = new Set();
      for (const law of this.#settled) this.guard(() => law.settled?.(nodes));
    }
    if (this.#broken !== undefined) throw this.#broken;
  }
}
