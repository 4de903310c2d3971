import { reservationRole, type Resources, UNRESERVED, type TaskStatus } from '@mezzo/protocol';
import type { Agent } from '../agents/agent.ts';
import type { Framework } from '../frameworks/framework.ts';
import type { MasterContext } from '../master-context.ts';
import type { MasterOffer } from '../offers/master-offer.ts';
import type { MasterTask } from '../tasks/master-task.ts';
import { version } from '../version.ts';

export interface StateSource {
  readonly context: MasterContext;
  /** Of the master process, `id@node`. */
  readonly address: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
}

/** The body of `/state`, with Mesos's names; times are in seconds. */
export function stateOf({ context, address, startedAt }: StateSource): object {
  const agents = [...context.agents.values()];
  const active = agents.filter((agent) => agent.isConnected).length;
  return {
    version,
    id: context.id,
    pid: address,
    hostname: address.slice(address.indexOf('@') + 1),
    cluster: context.options.cluster,
    start_time: startedAt / 1000,
    elected_time: context.term.created / 1000,
    leader: address,
    leader_info: { id: context.id, pid: address, url: context.url },
    activated_slaves: active,
    deactivated_slaves: agents.length - active,
    unreachable_slaves: context.unreachableAgents.size,
    slaves: agents.map(agentState),
    frameworks: [...context.frameworks.values()].map(frameworkState),
    completed_frameworks: [...context.completedFrameworks.values()].map(frameworkState),
    recovered_slaves: [],
    orphan_tasks: [],
    unregistered_frameworks: [],
  };
}

function agentState(agent: Agent): object {
  const { info, total, used, offered } = agent;
  const reserved = Object.fromEntries(
    [...new Set([...total.reserved()].map(reservationRole))].map((role) => [role, flat(total.reserved(role))]),
  );
  return {
    id: agent.id,
    hostname: info.hostname,
    pid: agent.pid.toString(),
    url: info.url,
    attributes: info.attributes,
    registered_time: agent.registeredAt / 1000,
    ...(agent.reregisteredAt === undefined ? undefined : { reregistered_time: agent.reregisteredAt / 1000 }),
    resources: flat(total),
    used_resources: flat(used),
    offered_resources: flat(offered),
    reserved_resources: reserved,
    unreserved_resources: flat(total.unreserved()),
    active: agent.isConnected,
    deactivated: false,
    version: agent.version,
    capabilities: [],
  };
}

function frameworkState(framework: Framework): object {
  const { info, used, offered } = framework;
  const isMultiRole = framework.has('MULTI_ROLE');
  return {
    id: framework.id,
    name: info.name,
    ...(framework.pid === undefined ? undefined : { pid: framework.pid.toString() }),
    user: info.user ?? '',
    hostname: info.hostname ?? '',
    webui_url: info.webuiUrl ?? '',
    ...(info.principal === undefined ? undefined : { principal: info.principal }),
    ...(isMultiRole ? { roles: framework.roles } : { role: framework.roles[0] ?? UNRESERVED }),
    capabilities: info.capabilities,
    ...(info.labels === undefined ? undefined : { labels: labelList(info.labels) }),
    failover_timeout: info.failoverTimeout / 1000,
    checkpoint: info.checkpoint,
    active: framework.isActive,
    connected: framework.isConnected,
    recovered: framework.state === 'recovered',
    registered_time: framework.registeredAt / 1000,
    unregistered_time: (framework.unregisteredAt ?? 0) / 1000,
    ...(framework.reregisteredAt === undefined ? undefined : { reregistered_time: framework.reregisteredAt / 1000 }),
    resources: flat(used.plus(offered)),
    used_resources: flat(used),
    offered_resources: flat(offered),
    tasks: [...framework.tasks.values()].map(taskState),
    unreachable_tasks: [...framework.unreachableTasks.values()].map(taskState),
    completed_tasks: [...framework.completedTasks.values()].map(taskState),
    offers: [...framework.offers.values()].map(offerState),
    executors: [],
  };
}

function taskState(task: MasterTask): object {
  return {
    id: task.id,
    name: task.name,
    framework_id: task.frameworkId,
    executor_id: '',
    slave_id: task.agentId,
    state: task.state,
    resources: flat(task.resources),
    role: [...task.resources][0]?.allocationRole ?? UNRESERVED,
    statuses: task.statuses.map(statusState),
    ...(task.user === undefined ? undefined : { user: task.user }),
    labels: labelList(task.labels),
  };
}

function statusState({ state, timestamp, healthy, reason, message, source }: TaskStatus): object {
  return { state, timestamp: timestamp / 1000, source, reason, message, healthy };
}

function offerState({ id, frameworkId, agentId, role, resources }: MasterOffer): object {
  return { id, framework_id: frameworkId, slave_id: agentId, allocation_info: { role }, resources: flat(resources) };
}

function labelList(labels: Readonly<Record<string, string>>): readonly object[] {
  return Object.entries(labels).map(([key, value]) => ({ key, value }));
}

/** One value for each name: scalars as numbers, ranges and sets as text. The first four are always there. */
function flat(resources: Resources): object {
  const values: Record<string, number | string> = { cpus: 0, gpus: 0, mem: 0, disk: 0 };
  for (const name of resources.names()) {
    const ranges = resources.ranges(name);
    const items = [...resources.set(name)];
    if (ranges.length > 0) values[name] = `[${ranges.map(({ begin, end }) => `${begin}-${end}`).join(', ')}]`;
    else if (items.length > 0) values[name] = `{${items.join(', ')}}`;
    else values[name] = resources.scalar(name);
  }
  return values;
}
