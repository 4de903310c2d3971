import {
  type AdmittedAgent,
  type Domain,
  type DrainInfo,
  type GoneAgent,
  type MasterInfo,
  type RegisteredMachine,
  toMesosResource,
  type Unavailability,
} from '@mezzo/protocol';
import type { RegistryState } from './registry-state.ts';

const nanosecondsPerMillisecond = 1e6;

/** The registry in the shape in which Mesos shows its own; what is empty is left out, as there. */
export function registryJson(state: RegistryState): object {
  const { master, schedule } = state;
  const slaves = Array.from(state.agents.values(), agentJson);
  const machines = Array.from(state.machines.values(), machineJson);
  const windows = schedule.map((window) => ({
    machine_ids: window.machines,
    unavailability: unavailabilityJson(window.unavailability),
  }));
  const weights = Array.from(state.weights, ([role, weight]) => ({ info: { role, weight } }));
  const unreachable = Array.from(state.unreachable.values(), ({ agentId, timestamp, ...rest }) => ({
    ...markedJson({ agentId, timestamp }),
    ...withheldJson(rest),
  }));
  const gone = Array.from(state.gone.values(), markedJson);
  const capabilities = Array.from(state.minimumCapabilities, (capability) => ({ capability }));
  const quotas = Array.from(state.quotas, ([role, { guarantees, limits }]) => ({
    role,
    guarantees: scalars(guarantees),
    limits: scalars(limits),
  }));
  return {
    ...(master !== undefined && { master: { info: masterJson(master) } }),
    ...(slaves.length > 0 && { slaves: { slaves } }),
    ...(machines.length > 0 && { machines: { machines } }),
    ...(windows.length > 0 && { schedules: [{ windows }] }),
    ...(weights.length > 0 && { weights }),
    ...(unreachable.length > 0 && { unreachable: { slaves: unreachable } }),
    ...(gone.length > 0 && { gone: { slaves: gone } }),
    ...(capabilities.length > 0 && { minimum_capabilities: capabilities }),
    ...(quotas.length > 0 && { quota_configs: quotas }),
  };
}

function masterJson({ id, address, hostname, url, version, capabilities, domain }: MasterInfo): object {
  const port = portOf(url);
  return {
    id,
    pid: address,
    hostname,
    version,
    ...(port !== undefined && { port, address: { hostname, port } }),
    capabilities: capabilities.map((type) => ({ type })),
    ...domainJson(domain),
  };
}

function agentJson({ agentId, info, ...rest }: AdmittedAgent): object {
  const port = portOf(info.url);
  return {
    info: {
      id: { value: agentId },
      hostname: info.hostname,
      ...(port !== undefined && { port }),
      resources: info.resources.map((resource) => toMesosResource(resource, 'POST_REFINEMENT')),
      attributes: Object.entries(info.attributes).map(([name, value]) => ({ name, type: 'TEXT', text: { value } })),
      ...domainJson(info.domain),
    },
    ...withheldJson(rest),
  };
}

function markedJson({ agentId, timestamp }: GoneAgent): object {
  return { id: { value: agentId }, timestamp: time(timestamp) };
}

function machineJson({ id, mode, unavailability }: RegisteredMachine): object {
  return {
    info: { id, mode, ...(unavailability !== undefined && { unavailability: unavailabilityJson(unavailability) }) },
  };
}

function withheldJson({ drainInfo, deactivated }: { drainInfo?: DrainInfo | undefined; deactivated: boolean }): object {
  if (drainInfo === undefined) return { deactivated };
  const { maxGracePeriod, markGone } = drainInfo.config;
  const config = {
    ...(maxGracePeriod !== undefined && { max_grace_period: time(maxGracePeriod) }),
    mark_gone: markGone,
  };
  return { drain_info: { state: drainInfo.state, config }, deactivated };
}

function unavailabilityJson({ start, duration }: Unavailability): object {
  return { start: time(start), ...(duration !== undefined && { duration: time(duration) }) };
}

/** Both points and lengths of time. */
function time(milliseconds: number): object {
  return { nanoseconds: Math.round(milliseconds) * nanosecondsPerMillisecond };
}

function domainJson(domain: Domain | undefined): object | undefined {
  if (domain === undefined) return undefined;
  return { domain: { fault_domain: { region: { name: domain.region }, zone: { name: domain.zone } } } };
}

function scalars(amounts: Readonly<Record<string, number>>): object {
  return Object.fromEntries(Object.entries(amounts).map(([name, value]) => [name, { value }]));
}

function portOf(url: string): number | undefined {
  const port = URL.canParse(url) ? Number(new URL(url).port) : 0;
  return port === 0 ? undefined : port;
}
