import { type ExecutorInfo, type FrameworkID, Resources } from '@mezzo/protocol';
import { commandFault } from './command.ts';
import { namedResourcesFault, taskResourcesFault } from './resources.ts';

/** What is wrong with an executor by itself, or undefined. */
export function executorFault(executor: ExecutorInfo, frameworkId: FrameworkID): string | undefined {
  const { type, command, shutdownGracePeriod } = executor;
  if (executor.frameworkId !== undefined && executor.frameworkId !== frameworkId) {
    return `ExecutorInfo has an invalid FrameworkID (Actual: ${executor.frameworkId} vs Expected: ${frameworkId})`;
  }
  if (type === 'DEFAULT' && command !== undefined)
    return `'ExecutorInfo.command' must not be set for 'DEFAULT' executor`;
  if (type === 'CUSTOM' && command === undefined) return `'ExecutorInfo.command' must be set for 'CUSTOM' executor`;
  const wrong = command === undefined ? undefined : commandFault(command);
  if (wrong !== undefined) return `Executor's command is invalid: ${wrong}`;
  if (shutdownGracePeriod !== undefined && !(shutdownGracePeriod >= 0))
    return `ExecutorInfo's 'shutdown_grace_period' must be non-negative`;
  const fault = namedResourcesFault(executor.resources) ?? taskResourcesFault(executor.resources);
  if (fault !== undefined) return `Executor uses invalid resources: ${fault}`;
  if (Resources.of(executor.resources).hasShared) return 'Executors cannot use shared resources';
  return undefined;
}

/** Mesos's MIN_CPUS and MIN_MEM (MB). */
const least = { cpus: 0.01, mem: 32 } as const;

/** What an executor of a task group must have at least, or undefined. */
export function groupExecutorFault({ resources }: ExecutorInfo): string | undefined {
  const { quantities } = Resources.of(resources);
  for (const [name, amount] of Object.entries(least)) {
    if (quantities.get(name) < amount)
      return `Executor uses less ${name} (${quantities.get(name)}) than the minimum required (${amount})`;
  }
  return quantities.get('disk') > 0 ? undefined : 'Executor uses no disk';
}

/** Whether two descriptions mean the same executor: the order in which they name things does not count. */
export function isSameExecutor(left: ExecutorInfo, right: ExecutorInfo): boolean {
  const plain = ({ resources: _resources, frameworkId: _id, ...rest }: ExecutorInfo): string => canonical(rest);
  const amounts = ({ resources }: ExecutorInfo): Resources => Resources.of(resources).unallocate();
  return plain(left) === plain(right) && amounts(left).equals(amounts(right));
}

function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) => {
    if (part instanceof Uint8Array) return [...part];
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part;
    return Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)));
  });
}
