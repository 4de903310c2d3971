import type { ExecutorID, ExecutorInfo, FrameworkID, Resources } from '@mezzo/protocol';

/** An executor of a framework on an agent; those of single commands are the agent's own business. */
export interface MasterExecutor {
  readonly frameworkId: FrameworkID;
  readonly info: ExecutorInfo;
  /** What it holds beside its tasks, with the role that it was allocated to. */
  readonly resources: Resources;
}

/** The executors of one agent. */
export class AgentExecutors {
  readonly #byFramework = new Map<FrameworkID, Map<ExecutorID, MasterExecutor>>();

  get(frameworkId: FrameworkID, executorId: ExecutorID): MasterExecutor | undefined {
    return this.#byFramework.get(frameworkId)?.get(executorId);
  }

  /** Whether there is one of that framework. */
  has(frameworkId: FrameworkID): boolean {
    return this.#byFramework.has(frameworkId);
  }

  of(frameworkId: FrameworkID): Iterable<MasterExecutor> {
    return this.#byFramework.get(frameworkId)?.values() ?? [];
  }

  add(executor: MasterExecutor): void {
    let executors = this.#byFramework.get(executor.frameworkId);
    if (executors === undefined) this.#byFramework.set(executor.frameworkId, (executors = new Map()));
    executors.set(executor.info.executorId, executor);
  }

  delete({ frameworkId, info }: MasterExecutor): void {
    const executors = this.#byFramework.get(frameworkId);
    executors?.delete(info.executorId);
    if (executors?.size === 0) this.#byFramework.delete(frameworkId);
  }

  clear(): void {
    this.#byFramework.clear();
  }

  *[Symbol.iterator](): Iterator<MasterExecutor> {
    for (const executors of this.#byFramework.values()) yield* executors.values();
  }
}
