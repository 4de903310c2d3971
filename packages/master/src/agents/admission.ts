import type { PID } from '@mezzo/process';
import { type AgentInfo, agentMessages, Resources } from '@mezzo/protocol';
import type { MasterContext } from '../master-context.ts';
import { machineKey } from '../registrar/index.ts';
import { agentFault } from '../validation/agent.ts';
import type { Agent, Introduction } from './agent.ts';

/** Who may register. */
export class Admission {
  readonly #context: MasterContext;

  constructor(context: MasterContext) {
    this.#context = context;
  }

  /** Whoever may not is told to end, or not heard. */
  admits({ agent: info, version, checkpointedResources }: Introduction, from: PID): boolean {
    const { options, registry } = this.#context;
    const { hostname, ip, domain } = info;
    const machine = registry.state.machines.get(machineKey(ip === undefined ? { hostname } : { hostname, ip }));
    if (machine?.mode === 'DOWN') return this.refuse(from, 'Machine is `DOWN`');
    // Mesos ignores them, and so they go on asking: a master of another configuration may take them.
    const domainFault =
      domain !== undefined && options.domain === undefined
        ? 'it has a domain and the master has none'
        : domain === undefined && options.requireAgentDomain
          ? 'it has no domain'
          : undefined;
    if (domainFault !== undefined) {
      this.#context.log.warn({ agent: from.toString(), hostname }, `ignored an agent: ${domainFault}`);
      return false;
    }
    const fault = agentFault(info, version, checkpointedResources);
    if (fault !== undefined) return this.refuse(from, `Agent ${hostname} may not register: ${fault}`);
    return true;
  }

  /** It must end, and may not come back. */
  refuse(to: PID, message: string): false {
    this.#context.log.warn({ agent: to.toString() }, message);
    this.#context.send(to, agentMessages.ShutdownAgent, { term: this.#context.term, message });
    return false;
  }
}

/** Why somebody cannot be the agent whose id it gives, or undefined. */
export function takeoverFault(known: Agent, info: AgentInfo, from: PID): string | undefined {
  if (known.info.hostname !== info.hostname) {
    return `Agent ${known.id} is known from host ${known.info.hostname}, not ${info.hostname}`;
  }
  if (known.isConnected && known.pid.toString() !== from.toString()) {
    return `Agent ${known.id} is connected from ${known.pid.toString()}, not ${from.toString()}`;
  }
  return undefined;
}

/** Where its HTTP server is changes with every start and is nobody's concern but the reader's. */
export function isSameInfo(left: AgentInfo, right: AgentInfo): boolean {
  const plain = ({ resources: _resources, attributes, hostname, ip, domain }: AgentInfo): string =>
    JSON.stringify([
      Object.entries(attributes).toSorted(([a], [b]) => (a < b ? -1 : 1)),
      hostname,
      ip,
      domain?.region,
      domain?.zone,
    ]);
  return plain(left) === plain(right) && Resources.of(left.resources).equals(Resources.of(right.resources));
}
