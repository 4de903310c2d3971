import { parseDuration, PID } from '@mezzo/process';
import { ExecutorID, FrameworkID } from '@mezzo/protocol';
import { DriverError } from '../driver-error.ts';

/** Which executor a program is, and what its agent wants it to know. All durations in milliseconds. */
export interface ExecutorEnvironment {
  readonly frameworkId: FrameworkID;
  readonly executorId: ExecutorID;
  /** Address of the agent's process, such as `agent@node`. */
  readonly agent: string;
  /** The executor and its tasks go on when the agent ends, until one on the same machine comes back. */
  readonly checkpoint: boolean;
  /** How long they go on without an agent (recovery_timeout). */
  readonly recoveryTimeout: number;
  /** Longest time between SHUTDOWN and the end (executor_shutdown_grace_period). */
  readonly shutdownGracePeriod: number;
  /** The sandbox: where the executor may write. */
  readonly sandbox: string | undefined;
}

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Reads what an agent puts into the environment of an executor: MESOS_FRAMEWORK_ID, MESOS_EXECUTOR_ID and MEZZO_AGENT must
 * be there; MESOS_CHECKPOINT (0 or 1, default 0), MESOS_RECOVERY_TIMEOUT (default 15mins),
 * MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD (default 5secs) and MESOS_SANDBOX need not.
 *
 * @throws DriverError ENVIRONMENT_INVALID, which names everything that is missing or wrong
 */
export function executorEnvironment(variables: Variables): ExecutorEnvironment {
  const faults: string[] = [];
  const read = <T>(name: string, fallback: string | undefined, parse: (text: string) => T): T | undefined => {
    const text = variables[name] ?? fallback;
    if (text === undefined || text === '') {
      faults.push(`${name} is not set`);
      return undefined;
    }
    try {
      return parse(text);
    } catch (error) {
      faults.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
      return undefined;
    }
  };
  const frameworkId = read('MESOS_FRAMEWORK_ID', undefined, FrameworkID);
  const executorId = read('MESOS_EXECUTOR_ID', undefined, ExecutorID);
  const agent = read('MEZZO_AGENT', undefined, (text) => PID.parse(text).toString());
  const checkpoint = read('MESOS_CHECKPOINT', '0', parseSwitch);
  const recoveryTimeout = read('MESOS_RECOVERY_TIMEOUT', '15mins', parseDuration);
  const shutdownGracePeriod = read('MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD', '5secs', parseDuration);
  const sandbox = variables['MESOS_SANDBOX'];
  if (
    frameworkId === undefined ||
    executorId === undefined ||
    agent === undefined ||
    checkpoint === undefined ||
    recoveryTimeout === undefined ||
    shutdownGracePeriod === undefined
  ) {
    throw new DriverError(
      'ENVIRONMENT_INVALID',
      `This is not the environment that an agent gives its executors: ${faults.join('; ')}. Executors are started by agents`,
    );
  }
  return { frameworkId, executorId, agent, checkpoint, recoveryTimeout, shutdownGracePeriod, sandbox };
}

function parseSwitch(text: string): boolean {
  if (text === '0' || text === '1') return text === '1';
  throw new RangeError(`'${text}' is neither 0 nor 1`);
}
