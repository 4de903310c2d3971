import {
  type AgentInfo,
  type AgentState,
  type FrameworkInfo,
  type Leader,
  Resources,
  reservationRole,
  UNRESERVED,
} from '@mezzo/protocol';
import type { AgentFramework } from './agent-framework.ts';
import type { AgentExecutor } from './agent-executor.ts';
import type { AgentTask } from './agent-task.ts';
import { agentCapabilities } from './capabilities.ts';
import { agentVersion } from './version.ts';

export interface AgentSnapshot {
  readonly pid: string;
  readonly info: AgentInfo;
  /** With dynamic reservations and volumes. */
  readonly total: Resources;
  /** Milliseconds since the epoch. */
  readonly startTime: number;
  readonly leader: Leader | undefined;
  readonly state: AgentState;
  readonly running: readonly AgentFramework[];
  readonly completed: readonly AgentFramework[];
}

/** What `/state` answers: the keys of Mesos's agent, and `state` and `used_resources` besides. Times are seconds. */
export function agentState(agent: AgentSnapshot): object {
  const { total } = agent;
  const used = Resources.sum(agent.running.flatMap(({ executors }) => [...executors.values()].map(usedBy)));
  return {
    version: agentVersion,
    start_time: agent.startTime / 1000,
    id: agent.info.id ?? '',
    pid: agent.pid,
    hostname: agent.info.hostname,
    state: agent.state,
    capabilities: agentCapabilities,
    resources: flat(total),
    used_resources: flat(used),
    unreserved_resources: flat(total.unreserved()),
    reserved_resources: reserved(total),
    unreserved_resources_allocated: flat(used.unreserved()),
    reserved_resources_allocated: reserved(used),
    attributes: agent.info.attributes,
    master_hostname: agent.leader === undefined ? '' : agent.leader.address.replace(/^.*@|#.*$/g, ''),
    frameworks: agent.running.map(describeFramework),
    completed_frameworks: agent.completed.map(describeFramework),
  };
}

function describeFramework(framework: AgentFramework): object {
  const { info, id } = framework;
  return {
    id,
    name: info.name,
    user: info.user ?? '',
    failover_timeout: info.failoverTimeout / 1000,
    checkpoint: info.checkpoint,
    hostname: info.hostname ?? '',
    ...(info.principal === undefined ? {} : { principal: info.principal }),
    roles: info.roles,
    executors: [...framework.executors.values()].map((executor) => describeExecutor(executor, info)),
    completed_executors: framework.completed.map((executor) => describeExecutor(executor, info)),
  };
}

function describeExecutor(executor: AgentExecutor, framework: FrameworkInfo): object {
  const { info, run, sandbox, isGenerated } = executor;
  const tasks = [...executor.tasks.values()];
  const isQueued = ({ state }: AgentTask): boolean => state === 'queued';
  return {
    id: run.executorId,
    name: info.name ?? '',
    source: info.source ?? '',
    container: run.containerId,
    directory: sandbox,
    resources: flat(usedBy(executor)),
    ...(isGenerated ? {} : { type: info.type }),
    tasks: tasks.filter((task) => !isQueued(task)).map((task) => describeTask(task, framework)),
    queued_tasks: tasks.filter(isQueued).map((task) => describeTask(task, framework)),
    completed_tasks: (executor.completed ?? []).map((task) => describeTask(task, framework)),
  };
}

/** Nothing is set aside for the executor of a command. */
function usedBy({ info, isGenerated, state, tasks }: AgentExecutor): Resources {
  const own = isGenerated || state === 'terminated' ? [] : [Resources.of(info.resources)];
  const active = [...tasks.values()].filter((task) => task.isActive);
  return Resources.sum([...own, ...active.map(resourcesOf)]);
}

function describeTask(task: AgentTask, framework: FrameworkInfo): object {
  const role = task.info.resources[0]?.allocationRole ?? framework.roles[0] ?? UNRESERVED;
  return {
    id: task.id,
    name: task.info.name,
    framework_id: task.frameworkId,
    executor_id: task.executor.isGenerated ? '' : task.run.executorId,
    slave_id: task.run.agentId,
    state: task.latestState,
    resources: flat(resourcesOf(task)),
    role,
    statuses: task.statuses.map(({ state, timestamp }) => ({ state, timestamp: timestamp / 1000 })),
  };
}

function resourcesOf(task: AgentTask): Resources {
  return Resources.of(task.info.resources);
}

function reserved(resources: Resources): object {
  const roles = new Set(resources.reserved().entries.map(reservationRole));
  return Object.fromEntries([...roles].map((role) => [role, flat(resources.reserved(role))]));
}

/** By name: a number, or the text of ranges and sets; cpus, mem, disk and gpus are always there. */
function flat(resources: Resources): object {
  const values: Record<string, number | string> = { cpus: 0, mem: 0, disk: 0, gpus: 0 };
  for (const [name, amount] of resources.quantities) values[name] = amount;
  for (const resource of resources) {
    if (resource.type === 'RANGES') {
      values[resource.name] = `[${resources
        .ranges(resource.name)
        .map(({ begin, end }) => `${begin}-${end}`)
        .join(', ')}]`;
    } else if (resource.type === 'SET') values[resource.name] = `{${[...resources.set(resource.name)].join(', ')}}`;
  }
  return values;
}
