import type { FrameworkID, Task, TaskID } from '@mezzo/protocol';
import { taskAtMaster } from '@mezzo/protocol';
import type { Framework } from '../frameworks/framework.ts';
import type { MasterContext } from '../master-context.ts';
import type { MasterTask } from '../tasks/master-task.ts';
import { masterStatus } from '../tasks/task-status.ts';
import type { Tasks } from '../tasks/tasks.ts';
import type { Agent } from './agent.ts';
import { type Report, reportedTask } from './report.ts';

/** What the agent is told once it knows that it is registered. */
export interface Instructions {
  /** Tasks that it did not report, for it to answer. */
  readonly reconcile: readonly { readonly frameworkId: FrameworkID; readonly taskId: TaskID }[];
  readonly kill: readonly MasterTask[];
  /** Frameworks that are over. */
  readonly shutdown: readonly FrameworkID[];
}

const reason = 'REASON_AGENT_REREGISTERED';

/** Brings what an agent reports and what the master remembers together. */
export class ReturningTasks {
  readonly #context: MasterContext;
  readonly #tasks: Tasks;

  constructor(context: MasterContext, tasks: Tasks) {
    this.#context = context;
    this.#tasks = tasks;
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
      } else if (framework !== undefined && known === undefined) {
        const record = reportedTask(task, framework);
        if (record.isTerminal) continue;
        // It runs what the master gave up, or never knew: it counts until it ends.
        if (framework.completedTasks.has(record.id)) record.kill = { gracePeriod: undefined };
        this.#tasks.add(record);
        reported.add(record);
        hasMore = true;
      }
    }
    if (hasMore) this.#context.allocator.addAgent(agent, agent.holdings());
    const live = [...agent.tasks].filter((task) => !task.isTerminal);
    return {
      reconcile: live
        .filter((task) => !reported.has(task))
        .map(({ frameworkId, id: taskId }) => ({ frameworkId, taskId })),
      kill: live.filter((task) => task.kill !== undefined && reported.has(task)),
      shutdown: this.#ended(report),
    };
  }

  /**
   * Of an agent that was unreachable, or is new to this master. Its frameworks are known by now.
   *
   * @param message why the frameworks hear of their tasks
   */
  adopt(agent: Agent, report: Report, message: string): Instructions {
    const returned = new Set<TaskID>();
    const kill: MasterTask[] = [];
    for (const task of report.tasks) {
      const framework = this.#context.frameworks.get(task.frameworkId);
      if (framework === undefined) continue;
      const rival = framework.tasks.get(task.taskId);
      // Started again elsewhere meanwhile: an id names one task only, and that is the newer one.
      if (rival !== undefined && rival.agentId !== agent.id) kill.push(reportedTask(task, framework));
      else this.#adopt(framework, task, message);
      returned.add(task.taskId);
    }
    for (const framework of this.#context.frameworks.values()) {
      for (const task of [...framework.unreachableTasks.values()]) {
        if (task.agentId === agent.id && !returned.has(task.id)) framework.unreachableTasks.delete(task.id);
      }
    }
    return { reconcile: [], kill, shutdown: this.#ended(report) };
  }

  #adopt(framework: Framework, task: Task, message: string): void {
    const record = reportedTask(task, framework);
    const lost = framework.unreachableTasks.get(record.id);
    if (lost?.state === 'TASK_UNREACHABLE' && taskAtMaster.isEvent(record.state)) {
      this.#tasks.decide(lost, record.state, { reason, message });
      return;
    }
    framework.unreachableTasks.delete(record.id);
    framework.completedTasks.delete(record.id);
    this.#tasks.add(record);
    const { id: taskId, agentId, state } = record;
    const timestamp = this.#context.now();
    this.#tasks.tell(record, masterStatus({ taskId, agentId, state, reason, message, timestamp }));
  }

  #ended(report: Report): readonly FrameworkID[] {
    const ids = new Set(report.tasks.map((task) => task.frameworkId));
    return [...ids].filter((id) => !this.#context.frameworks.has(id));
  }
}
