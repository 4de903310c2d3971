import {
  type ExecutorID,
  type FrameworkID,
  isTerminal,
  Resources,
  type Task,
  taskAtMaster,
  type TaskID,
} from '@mezzo/protocol';
import type { Framework } from '../frameworks/framework.ts';
import type { MasterContext } from '../master-context.ts';
import type { MasterTask } from '../tasks/master-task.ts';
import type { Tasks } from '../tasks/tasks.ts';
import type { Agent } from './agent.ts';
import { recordOf, type Report } from './report.ts';

/** What the agent is told once it knows that it is registered. */
export interface Instructions {
  /** Tasks that it did not report, for it to answer. */
  readonly reconcile: readonly { readonly frameworkId: FrameworkID; readonly taskId: TaskID }[];
  readonly kill: readonly MasterTask[];
  /** Frameworks that are over. */
  readonly shutdown: readonly FrameworkID[];
}

export const nothing: Instructions = { reconcile: [], kill: [], shutdown: [] };

const reason = 'REASON_AGENT_REREGISTERED';

/** Brings what an agent reports and what the master remembers together. */
export class ReturningTasks {
  readonly #context: MasterContext;
  readonly #tasks: Tasks;
  readonly #takeOffersBack: (agent: Agent) => void;

  constructor(context: MasterContext, tasks: Tasks, takeOffersBack: (agent: Agent) => void) {
    this.#context = context;
    this.#tasks = tasks;
    this.#takeOffersBack = takeOffersBack;
  }

  /** Of an agent that was registered all along. */
  reconcile(agent: Agent, report: Report): Instructions {
    const reported = new Set<MasterTask>();
    let hasMore = false;
    for (const task of report.tasks) {
      const framework = this.#context.frameworks.get(task.frameworkId);
      const known = framework?.tasks.get(task.taskId);
      if (known?.agentId === agent.id) {
        reported.add(known);
      } else if (framework !== undefined && known === undefined && !isTerminal(task.state)) {
        // It runs what the master gave up, or never knew: it counts until it ends.
        const wasLost = framework.unreachableTasks.get(task.taskId)?.agentId === agent.id;
        const record = this.#adopt(framework, task, 'Agent reregistered');
        // As its framework does not checkpoint, nothing of it was to outlive the connection.
        if (wasLost) record.kill ??= { gracePeriod: undefined };
        reported.add(record);
        hasMore = true;
      }
    }
    for (const { frameworkId, executor: info } of report.executors ?? []) {
      const isKnown = agent.executors.get(frameworkId, info.executorId) !== undefined;
      if (isKnown || !this.#context.frameworks.has(frameworkId)) continue;
      agent.addExecutor({ frameworkId, info, resources: Resources.of(info.resources) });
      hasMore = true;
    }
    this.#forget(agent);
    const live = [...agent.tasks].filter((task) => !task.isTerminal);
    const missing = live.filter((task) => !reported.has(task));
    this.#dropExecutors(agent, report, missing);
    if (hasMore) {
      // Some of it may be on offer.
      this.#takeOffersBack(agent);
      this.#context.allocator.addAgent(agent);
    }
    return {
      reconcile: missing.map(({ frameworkId, id: taskId }) => ({ frameworkId, taskId })),
      kill: live.filter((task) => task.kill !== undefined && reported.has(task)),
      shutdown: this.#ended(report),
    };
  }

  /** Executors that the agent has not any more hold nothing. One whose task may be on its way is not doubted. */
  #dropExecutors(agent: Agent, { executors = [] }: Report, missing: readonly MasterTask[]): void {
    const name = (frameworkId: FrameworkID, executorId: ExecutorID): string =>
      JSON.stringify([frameworkId, executorId]);
    const kept = new Set(executors.map(({ frameworkId, executor }) => name(frameworkId, executor.executorId)));
    for (const { frameworkId, executorId } of missing)
      if (executorId !== undefined) kept.add(name(frameworkId, executorId));
    for (const executor of [...agent.executors]) {
      if (kept.has(name(executor.frameworkId, executor.info.executorId))) continue;
      agent.removeExecutor(executor);
      this.#context.allocator.recoverUsed(executor.frameworkId, agent.id, executor.resources);
    }
  }

  /**
   * Of an agent that was unreachable, or is new to this master. Its frameworks are known by now.
   *
   * @param message why the frameworks hear of their tasks; undefined if they need not
   */
  adopt(agent: Agent, report: Report, message: string | undefined): Instructions {
    const kill: MasterTask[] = [];
    for (const task of report.tasks) {
      const framework = this.#context.frameworks.get(task.frameworkId);
      if (framework === undefined) continue;
      // Started again elsewhere meanwhile: an id names one task only, and that is the newer one.
      if (framework.tasks.has(task.taskId)) {
        kill.push(recordOf(task, framework));
        continue;
      }
      const record = this.#adopt(framework, task, message);
      if (record.kill !== undefined && !record.isTerminal) kill.push(record);
    }
    this.#forget(agent);
    return { reconcile: [], kill, shutdown: this.#ended(report) };
  }

  /** What was out of reach with the agent, and did not come back with it, is no more. */
  #forget(agent: Agent): void {
    for (const framework of this.#context.frameworks.values()) {
      for (const task of framework.unreachableTasks.values()) {
        if (task.agentId === agent.id) framework.unreachableTasks.delete(task.id);
      }
    }
  }

  /** The master may remember it as lost or over, or not at all. */
  #adopt(framework: Framework, task: Task, message: string | undefined): MasterTask {
    const remembered = framework.unreachableTasks.get(task.taskId) ?? framework.completedTasks.get(task.taskId);
    const cause = { reason, message: message ?? '' };
    const isOurs = remembered?.agentId === task.agentId;
    // What still runs of a task that is over has a record of its own until it is killed: what is over stays so.
    const isLeftover = isOurs && remembered.isTerminal && !isTerminal(task.state);
    const record = isOurs && !isLeftover ? remembered : recordOf(task, framework);
    if (isLeftover) record.kill = { gracePeriod: undefined };
    if (record === remembered) this.#tasks.decide(record, 'AGENT_RETURNED', cause);
    else this.#tasks.add(record);
    if (task.statusUpdateUuid !== undefined && task.statusUpdateState !== undefined)
      record.forwarded = { state: task.statusUpdateState, uuid: task.statusUpdateUuid };
    if (!taskAtMaster.isEvent(task.state)) return record;
    if (message === undefined) this.#tasks.adopt(record, task.state);
    else this.#tasks.decide(record, task.state, cause);
    return record;
  }

  #ended(report: Report): readonly FrameworkID[] {
    const ids = new Set(report.tasks.map((task) => task.frameworkId));
    return [...ids].filter((id) => !this.#context.frameworks.has(id));
  }
}
