import type { TaskAtMasterEvent } from '@mezzo/protocol';
import type { MasterContext } from '../master-context.ts';
import type { MasterTask } from '../tasks/master-task.ts';
import type { Cause, Tasks } from '../tasks/tasks.ts';
import type { Agent } from './agent.ts';

/** Gives the tasks of agents that are lost the event that fits. */
export class LostTasks {
  readonly #context: MasterContext;
  readonly #tasks: Tasks;

  constructor(context: MasterContext, tasks: Tasks) {
    this.#context = context;
    this.#tasks = tasks;
  }

  /** Of an agent that is disconnected: tasks of frameworks that do not checkpoint do not outlive that. */
  volatile(agent: Agent): void {
    const cause = { reason: 'REASON_AGENT_DISCONNECTED', message: `Agent ${agent.info.hostname} disconnected` };
    for (const task of [...agent.tasks]) {
      const framework = this.#context.frameworks.get(task.frameworkId);
      if (framework?.info.checkpoint === false) this.#tasks.decide(task, 'AGENT_DISCONNECTED', cause);
    }
    for (const executor of [...agent.executors]) {
      if (this.#context.frameworks.get(executor.frameworkId)?.info.checkpoint !== false) continue;
      agent.removeExecutor(executor);
      this.#context.allocator.recoverUsed(executor.frameworkId, agent.id, executor.resources);
    }
  }

  /** Of an agent that is unreachable, removed or gone by now. */
  settle(agent: Agent, why: string): void {
    for (const task of this.#of(agent)) this.#tasks.decide(task, ...this.#verdict(agent, task, why));
  }

  #of(agent: Agent): readonly MasterTask[] {
    if (agent.state !== 'gone') return [...agent.tasks];
    const earlier = [...this.#context.frameworks.values()].flatMap(({ unreachableTasks }) =>
      [...unreachableTasks.values()].filter(({ agentId }) => agentId === agent.id),
    );
    return [...agent.tasks, ...earlier];
  }

  #verdict(agent: Agent, task: MasterTask, why: string): [TaskAtMasterEvent, Cause] {
    const isAware = this.#context.frameworks.get(task.frameworkId)?.has('PARTITION_AWARE') === true;
    const reason = 'REASON_AGENT_REMOVED';
    if (agent.state === 'unreachable') {
      const cause = { reason, message: why, unreachableTime: agent.unreachableAt };
      return [isAware ? 'AGENT_UNREACHABLE' : 'AGENT_UNREACHABLE_UNAWARE', cause];
    }
    if (agent.state !== 'gone')
      return ['AGENT_REMOVED', { reason, message: `Agent ${agent.info.hostname} removed: ${why}` }];
    if (isAware) return ['AGENT_GONE', { reason: 'REASON_AGENT_REMOVED_BY_OPERATOR', message: why }];
    return ['AGENT_GONE_UNAWARE', { reason, message: why }];
  }
}
