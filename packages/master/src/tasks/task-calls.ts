import type { BodyOf, PID } from '@mezzo/process';
import {
  agentMessages,
  isTerminal,
  type schedulerMessages,
  schedulerMessages as messages,
  taskAtMaster,
} from '@mezzo/protocol';
import type { Framework } from '../frameworks/framework.ts';
import { type MasterContext, sendToAgent, sendToFramework } from '../master-context.ts';
import { reconciliation, type TaskName } from './reconciliation.ts';
import { noCause, type Tasks } from './tasks.ts';

type Kill = BodyOf<typeof schedulerMessages.Kill>;
type Acknowledge = BodyOf<typeof schedulerMessages.Acknowledge>;
type ForwardStatusUpdate = BodyOf<typeof agentMessages.ForwardStatusUpdate>;

/** What frameworks and agents say about single tasks. */
export class TaskCalls {
  readonly #context: MasterContext;
  readonly #tasks: Tasks;

  constructor(context: MasterContext, tasks: Tasks) {
    this.#context = context;
    this.#tasks = tasks;
  }

  /** An agent's update; only of registered agents, from the agent itself. */
  update({ update }: ForwardStatusUpdate, from: PID): void {
    const { agents, frameworks, metrics, log } = this.#context;
    const { frameworkId, agentId, status, latestState } = update;
    const agent = agents.get(agentId);
    const framework = frameworks.get(frameworkId);
    if (agent === undefined || !agent.pid.equals(from) || framework === undefined) {
      metrics.invalidStatusUpdates.increment();
      log.warn(
        { from: from.toString(), agentId, frameworkId, taskId: status.taskId },
        'ignored a status update: unknown agent or framework',
      );
      return;
    }
    metrics.validStatusUpdates.increment();
    const task = framework.tasks.get(status.taskId);
    if (task?.agentId === agentId && taskAtMaster.isEvent(latestState)) this.#tasks.report(task, latestState, status);
    // The framework may know the task, and only its acknowledgement makes the agent stop.
    else sendToFramework(this.#context, framework, messages.Update, { term: this.#context.term, status });
  }

  acknowledge(framework: Framework, { agentId, taskId, uuid }: Acknowledge): void {
    const { agents, metrics, term } = this.#context;
    const agent = agents.get(agentId);
    const known = framework.tasks.get(taskId);
    const task = known?.agentId === agentId ? known : undefined;
    const body = { term, frameworkId: framework.id, taskId, uuid };
    const isExpected = task === undefined || task.forwarded !== undefined;
    if (!isExpected || !sendToAgent(this.#context, agent, agentMessages.AcknowledgeStatusUpdate, body)) {
      // The agent sends its update again.
      metrics.invalidAcknowledgements.increment();
      return;
    }
    metrics.validAcknowledgements.increment();
    if (task?.forwarded?.uuid !== uuid || !isTerminal(task.forwarded.state)) return;
    this.#tasks.decide(task, 'TERMINAL_ACKNOWLEDGED', noCause);
  }

  kill(framework: Framework, { taskId, agentId, gracePeriod }: Kill): void {
    const lost = framework.unreachableTasks.get(taskId);
    const task = framework.tasks.get(taskId) ?? (lost?.state === 'TASK_UNREACHABLE' ? lost : undefined);
    if (task === undefined) {
      this.reconcile(framework, [{ taskId, agentId }]);
      return;
    }
    if (agentId !== undefined && agentId !== task.agentId) {
      this.#context.log.warn({ taskId, agentId }, `ignored the kill of a task that runs on agent ${task.agentId}`);
      return;
    }
    // As in Mesos, the kill of an unreachable task is not kept: its framework asks again once it is back.
    if (task !== lost) task.kill = { gracePeriod };
    this.#tasks.decide(task, 'KILL', { reason: 'REASON_RECONCILIATION', message: 'Reconciliation: Latest task state' });
  }

  /** Without names: every task the master has. */
  reconcile(framework: Framework, names: readonly TaskName[]): void {
    for (const status of reconciliation(this.#context, framework, names)) {
      sendToFramework(this.#context, framework, messages.Update, { term: this.#context.term, status });
    }
  }
}
