import type { AgentID } from '@mezzo/protocol';
import type { AgentExecutor } from '../agent-executor.ts';
import { durationText } from './duration-text.ts';
import { defaultPath } from './task-environment.ts';

/** What programs that are executors learn about where they run. Times are milliseconds. */
export interface ExecutorSetting {
  readonly agentId: AgentID;
  /** Address of the agent's process. */
  readonly agent: string;
  /** What the agent's operator adds; anything else wins over it. */
  readonly given: Readonly<Record<string, string>>;
  readonly shutdownGracePeriod: number;
  readonly recoveryTimeout: number;
}

/** The environment of an executor that is a program of its own: Mesos's names, and those of its own command, which win. */
export function executorEnvironment(executor: AgentExecutor, setting: ExecutorSetting): Record<string, string> {
  const { run, sandbox, info, framework } = executor;
  const { checkpoint } = framework.info;
  return {
    PATH: defaultPath,
    ...setting.given,
    MEZZO_AGENT: setting.agent,
    MESOS_SANDBOX: sandbox,
    MESOS_DIRECTORY: sandbox,
    MESOS_AGENT_ID: setting.agentId,
    MESOS_SLAVE_ID: setting.agentId,
    MESOS_FRAMEWORK_ID: run.frameworkId,
    MESOS_EXECUTOR_ID: run.executorId,
    MESOS_CHECKPOINT: checkpoint ? '1' : '0',
    MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD: durationText(setting.shutdownGracePeriod),
    ...(checkpoint ? { MESOS_RECOVERY_TIMEOUT: durationText(setting.recoveryTimeout) } : {}),
    ...info.command?.environment,
  };
}
