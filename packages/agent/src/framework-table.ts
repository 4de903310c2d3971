import type { FrameworkID, FrameworkInfo } from '@mezzo/protocol';
import { AgentFramework } from './agent-framework.ts';

/** Mesos's max_completed_frameworks. */
const longestHistory = 50;

/** The frameworks that have something on this agent, and those that had. */
export class FrameworkTable {
  /** Of each framework (max_completed_executors_per_framework). */
  maxCompletedExecutors = 150;
  readonly #present = new Map<FrameworkID, AgentFramework>();
  readonly #past: AgentFramework[] = [];

  get isEmpty(): boolean {
    return this.#present.size === 0;
  }

  /** Oldest first. */
  get history(): readonly AgentFramework[] {
    return this.#past;
  }

  get(id: FrameworkID): AgentFramework | undefined {
    return this.#present.get(id);
  }

  all(): readonly AgentFramework[] {
    return [...this.#present.values()];
  }

  /** Those that are not being shut down. */
  running(): readonly AgentFramework[] {
    return this.all().filter(({ isTerminating }) => !isTerminating);
  }

  /** The framework with this id, with the newest information about it: the present one, the past one, or a new one. */
  open(id: FrameworkID, info: FrameworkInfo): AgentFramework {
    const framework =
      this.#present.get(id) ?? this.#takeFromPast(id) ?? new AgentFramework(id, info, this.maxCompletedExecutors);
    this.#present.set(id, framework);
    framework.info = info;
    return framework;
  }

  /** Moves it into the history; gives those for which the history had no more room. */
  complete(framework: AgentFramework): readonly AgentFramework[] {
    this.#present.delete(framework.id);
    this.#past.push(framework);
    return this.#past.splice(0, Math.max(this.#past.length - longestHistory, 0));
  }

  #takeFromPast(id: FrameworkID): AgentFramework | undefined {
    const at = this.#past.findIndex((framework) => framework.id === id && !framework.isTerminating);
    return at === -1 ? undefined : this.#past.splice(at, 1)[0];
  }
}
