import {
  isTerminal,
  schedulerMessages,
  taskAtMaster,
  type TaskAtMasterEffect,
  type TaskAtMasterEvent,
  type TaskInfo,
  type TaskState,
  type TaskStatus,
  agentMessages,
} from '@mezzo/protocol';
import type { Framework } from '../frameworks/framework.ts';
import { type MasterContext, sendToAgent, sendToFramework } from '../master-context.ts';
import type { MasterTask } from './master-task.ts';
import { masterStatus } from './task-status.ts';

/** Why the master decides about a task. */
export interface Cause {
  readonly reason: string;
  readonly message: string;
  /** Since when the task's agent has been unreachable, in milliseconds since the epoch. */
  readonly unreachableTime?: number | undefined;
}

export const noCause: Cause = { reason: '', message: '' };

/** The state that the framework is told when the master decides, which a terminal task itself does not enter. */
const decided: Partial<Record<TaskAtMasterEvent, TaskState>> = {
  AGENT_UNREACHABLE: 'TASK_UNREACHABLE',
  AGENT_UNREACHABLE_UNAWARE: 'TASK_LOST',
  AGENT_REMOVED: 'TASK_LOST',
  AGENT_DISCONNECTED: 'TASK_LOST',
  AGENT_GONE: 'TASK_GONE_BY_OPERATOR',
  AGENT_GONE_UNAWARE: 'TASK_LOST',
  FRAMEWORK_REMOVED: 'TASK_KILLED',
};

/** Walks tasks through their lifecycle and carries out what that asks for. */
export class Tasks {
  readonly #context: MasterContext;

  constructor(context: MasterContext) {
    this.#context = context;
  }

  /** A task that its framework and agent have from now on. */
  add(task: MasterTask): void {
    this.#context.frameworks.get(task.frameworkId)?.tasks.set(task.id, task);
    const agent = this.#context.agents.get(task.agentId);
    agent?.tasks.add(task);
    if (task.isHolding) agent?.hold(task.resources);
  }

  /** The agent reports: `event` is the newest state it knows of, `status` what it wants told. */
  report(task: MasterTask, event: TaskAtMasterEvent, status: TaskStatus): void {
    this.#step(task, event, status);
    // What needs no acknowledgement is over with the telling.
    if (status.uuid === undefined && isTerminal(status.state)) this.decide(task, 'TERMINAL_ACKNOWLEDGED', noCause);
  }

  /** The master decides, or hears of a task from an agent that registers again. */
  decide(task: MasterTask, event: TaskAtMasterEvent, cause: Cause): void {
    const { id: taskId, agentId } = task;
    const state = decided[event] ?? (taskAtMaster.isState(event) ? event : task.state);
    this.#step(task, event, masterStatus({ taskId, agentId, state, ...cause, timestamp: this.#context.now() }));
  }

  /** A task that is not launched. */
  refuse(framework: Framework, { taskId, agentId }: TaskInfo, state: TaskState, cause: Cause): void {
    const status = masterStatus({ taskId, agentId, state, ...cause, timestamp: this.#context.now() });
    this.#context.metrics.taskEnded(state, status);
    this.#context.log.warn({ taskId, frameworkId: framework.id }, `refused a task: ${cause.message}`);
    sendToFramework(this.#context, framework, schedulerMessages.Update, { term: this.#context.term, status });
  }

  /** The agent has it in this state, and its framework knows or will hear from the agent. */
  adopt(task: MasterTask, event: TaskAtMasterEvent): void {
    const transition = taskAtMaster.next(task.state, event);
    if (transition === undefined) return;
    task.state = transition.state;
    if (transition.effects.includes('recoverResources')) this.#recoverResources(task);
  }

  /** Passes a status on to the task's framework, if that is connected. */
  tell(task: MasterTask, status: TaskStatus): boolean {
    const framework = this.#context.frameworks.get(task.frameworkId);
    if (framework === undefined) return false;
    return sendToFramework(this.#context, framework, schedulerMessages.Update, { term: this.#context.term, status });
  }

  #step(task: MasterTask, event: TaskAtMasterEvent, status: TaskStatus): void {
    const transition = taskAtMaster.next(task.state, event);
    if (transition === undefined) return;
    const previous = task.state;
    task.state = transition.state;
    // A task that its agent brought back is in its first state for a moment, which is in nobody's history.
    const isNews = task.state !== previous && task.state !== taskAtMaster.initial && !task.wasLast(task.state);
    const told = task.isTerminal ? task.state : status.state;
    if (isNews && isTerminal(told)) this.#context.metrics.taskEnded(told, status);
    if (isNews || status.source !== 'SOURCE_MASTER') task.record(status);
    for (const effect of transition.effects) this.#carryOut(effect, task, status);
  }

  #recoverResources({ frameworkId, agentId, resources }: MasterTask): void {
    const { agents, allocator } = this.#context;
    const agent = agents.get(agentId);
    if (agent === undefined) return;
    agent.release(resources);
    allocator.recoverUsed(frameworkId, agentId, resources);
  }

  #carryOut(effect: TaskAtMasterEffect, task: MasterTask, status: TaskStatus): void {
    const { frameworks, agents } = this.#context;
    const framework = frameworks.get(task.frameworkId);
    const agent = agents.get(task.agentId);
    switch (effect) {
      case 'forwardUpdate':
        if (this.tell(task, status)) task.forwarded = { state: status.state, uuid: status.uuid };
        break;
      case 'sendUpdate':
        this.tell(task, status);
        break;
      case 'sendKill':
        sendToAgent(this.#context, agent, agentMessages.KillTask, {
          term: this.#context.term,
          frameworkId: task.frameworkId,
          taskId: task.id,
          ...(task.kill?.gracePeriod === undefined ? undefined : { gracePeriod: task.kill.gracePeriod }),
        });
        break;
      case 'recoverResources':
        this.#recoverResources(task);
        break;
      case 'completeTask':
        framework?.tasks.delete(task.id);
        framework?.unreachableTasks.delete(task.id);
        framework?.completedTasks.add(task.id, task);
        agent?.tasks.delete(task);
        if (agent !== undefined) this.#context.relieved(agent);
        break;
      case 'keepUnreachable':
        framework?.tasks.delete(task.id);
        framework?.unreachableTasks.add(task.id, task);
        agent?.tasks.delete(task);
        break;
      case 'restoreTask':
        framework?.unreachableTasks.delete(task.id);
        framework?.completedTasks.delete(task.id);
        this.add(task);
        break;
      case 'reconcile':
        // Only for a task that is out of reach.
        this.tell(task, { ...status, state: framework?.has('PARTITION_AWARE') === true ? task.state : 'TASK_LOST' });
        break;
    }
  }
}
