import type { DrainConfig, TaskStatus } from '@mezzo/protocol';
import type { AgentTask } from './agent-task.ts';

/** What changes for the tasks of an agent while an operator drains it. */
export class Draining {
  config: DrainConfig | undefined;

  /** Milliseconds for a kill of the task, or undefined for those that it has itself. */
  gracePeriodOf({ info }: AgentTask): number | undefined {
    const { maxGracePeriod } = this.config ?? {};
    const own = info.killGracePeriod;
    return maxGracePeriod !== undefined && (own === undefined || maxGracePeriod < own) ? maxGracePeriod : undefined;
  }

  /** The update as frameworks shall see it: those of kills tell why, and that the task will not come back if the agent will not. */
  explained(status: TaskStatus, { executor: { framework } }: AgentTask): TaskStatus {
    const { config } = this;
    if (config === undefined || (status.state !== 'TASK_KILLING' && status.state !== 'TASK_KILLED')) return status;
    const isGone = status.state === 'TASK_KILLED' && config.markGone && framework.has('PARTITION_AWARE');
    return { ...status, reason: 'REASON_AGENT_DRAINING', state: isGone ? 'TASK_GONE_BY_OPERATOR' : status.state };
  }
}
