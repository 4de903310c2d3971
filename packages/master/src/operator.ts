import { Future } from '@mezzo/process';
import {
  type AgentID,
  type AgentOperation,
  type DrainConfig,
  type FrameworkID,
  type MachineID,
  type MaintenanceWindow,
  type Quota,
  type RegistryOperation,
  roleFault,
} from '@mezzo/protocol';
import type { Agent } from './agents/agent.ts';
import type { Agents } from './agents/agents.ts';
import type { Frameworks } from './frameworks/frameworks.ts';
import { Maintenance, type MaintenanceStatus } from './maintenance/maintenance.ts';
import type { MasterContext } from './master-context.ts';
import type { InverseOffers } from './offers/inverse-offers.ts';
import type { Offers } from './offers/offers.ts';
import type { Operations } from './operations/operations.ts';
import { OperatorOperations } from './operations/operator-operations.ts';
import { OperatorError } from './operator-error.ts';
import { Quotas } from './quotas.ts';
import type { QuotaText } from './validation/quota.ts';

interface OperatorParts {
  readonly offers: Offers;
  readonly inverseOffers: InverseOffers;
  readonly operations: Operations;
  readonly agents: Agents;
  readonly frameworks: Frameworks;
}

/**
 * What operators decide. What must survive the master is stored before it takes effect, and the call is READY then. What is
 * wrong fails the call, with OperatorError, and changes nothing.
 */
export class Operator {
  readonly #context: MasterContext;
  readonly #agents: Agents;
  readonly #offers: Offers;
  readonly #frameworks: Frameworks;
  readonly #operations: OperatorOperations;
  readonly #maintenance: Maintenance;
  readonly #quotas: Quotas;

  constructor(context: MasterContext, { offers, inverseOffers, operations, agents, frameworks }: OperatorParts) {
    this.#context = context;
    this.#agents = agents;
    this.#offers = offers;
    this.#frameworks = frameworks;
    this.#operations = new OperatorOperations(context, offers, operations);
    this.#quotas = new Quotas(context, offers);
    this.#maintenance = new Maintenance(context, {
      takeOffersBack: (agent) => {
        for (const offer of [...agent.offers]) offers.rescind(offer);
        inverseOffers.rescindOf(agent.id);
      },
      takeDown: (agent) => agents.takeDown(agent),
    });
  }

  // ---- roles

  /** Of the roles that have one. */
  get quotas(): ReadonlyMap<string, Quota> {
    return this.#quotas.present;
  }

  /**
   * Sets what roles are guaranteed and may have at most, in the text form of quantities: `{ ads: { guarantees: 'cpus:8',
   * limits: 'cpus:16' } }`. What is left out is no guarantee, and no limit. Nothing is changed if anything is wrong: FAILED
   * with ResourcesParseError, or with RangeError for a role that is invalid or lies below another one, absurd amounts,
   * guarantees above their limits, or above what the cluster has, limits below what the role has already. What stands in
   * the way is rescinded: offers to the role above its limits, and as many to others as guarantees need.
   *
   * @param options `force` admits guarantees that the agents of now cannot keep, and limits that are exceeded.
   */
  setQuotas(quotas: Readonly<Record<string, QuotaText>>, options: { readonly force?: boolean } = {}): Future<void> {
    const judged = this.#quotas.judge(quotas, options.force ?? false);
    if (judged instanceof Error) return Future.failed(judged);
    const entries = [...judged].map(([role, quota]) => ({ role, quota }));
    return this.#store({ kind: 'UPDATE_QUOTAS', quotas: entries }, () => this.#quotas.enforce(judged));
  }

  /**
   * How much roles count in fair sharing, above 0; default 1. Those of other roles stay as they are. If one of them has
   * frameworks, every offer is made anew. FAILED with RangeError.
   */
  setWeights(weights: Readonly<Record<string, number>>): Future<void> {
    for (const [role, weight] of Object.entries(weights)) {
      const fault =
        roleFault(role) ??
        this.#strangerFault(role) ??
        (weight > 0 && Number.isFinite(weight) ? undefined : 'expected more than 0');
      if (fault !== undefined)
        return Future.failed(new RangeError(`Invalid weight ${weight} of role '${role}': ${fault}`));
    }
    const entries = Object.entries(weights).map(([role, weight]) => ({ role, weight }));
    return this.#store({ kind: 'UPDATE_WEIGHTS', weights: entries }, () => {
      const { allocator, frameworks, offers } = this.#context;
      allocator.setWeights(weights);
      const isActive = [...frameworks.values()].some(
        (framework) => framework.isActive && framework.roles.some((role) => Object.hasOwn(weights, role)),
      );
      if (isActive) for (const offer of [...offers.values()]) this.#offers.rescind(offer);
    });
  }

  // ---- agents

  /** Only agents on these hosts are offered from now on; without a list all are, with an empty one none. It is not stored. */
  setWhitelist(hostnames: readonly string[] | undefined): void {
    this.#context.allocator.setWhitelist(hostnames);
  }

  /** Its tasks are killed and it gets no others; when the last is over it is DRAINED, or gone if the config says so. */
  drainAgent(agentId: AgentID, config: Partial<DrainConfig> = {}): Future<void> {
    const { maxGracePeriod, markGone = false } = config;
    const settled = maxGracePeriod === undefined ? { markGone } : { markGone, maxGracePeriod };
    return this.#withAgent(agentId, (agent) => this.#agents.scheduling.drain(agent, settled));
  }

  /** It is not offered any more; its tasks go on. */
  deactivateAgent(agentId: AgentID): Future<void> {
    return this.#withAgent(agentId, (agent) => this.#agents.scheduling.deactivate(agent));
  }

  /** It is offered again: it was deactivated, or is drained. */
  reactivateAgent(agentId: AgentID): Future<void> {
    return this.#withAgent(agentId, (agent) => this.#agents.scheduling.reactivate(agent));
  }

  /** It will never come back: its tasks are gone, and it may not register any more. */
  markAgentGone(agentId: AgentID): Future<void> {
    return this.#withAgent(agentId, (agent) => {
      if (this.#agents.markGone(agent)) return this.#agents.marked(agentId);
      return Future.failed(new OperatorError('CONFLICT', `Agent ${agentId} is ${agent.state}: try again`));
    });
  }

  // ---- resources

  /**
   * Reserves, unreserves, or makes, destroys, grows and shrinks volumes of what nobody uses on an agent; offers that stand in
   * the way are rescinded. READY once the agent is told. FAILED with OperatorError: INVALID for what makes no sense,
   * CONFLICT if somebody uses it.
   *
   * @param options `principal`: who does it; reservations and volumes must then name the same.
   */
  performOperation(
    agentId: AgentID,
    operation: AgentOperation,
    options: { readonly principal?: string } = {},
  ): Future<void> {
    return this.#operations.perform(agentId, operation, options.principal);
  }

  // ---- maintenance

  get maintenanceSchedule(): readonly MaintenanceWindow[] {
    return this.#maintenance.schedule;
  }

  /** In place of the schedule of before. Machines that are in it are DRAINING: frameworks are asked to leave them. */
  updateMaintenanceSchedule(windows: readonly MaintenanceWindow[]): Future<void> {
    return this.#maintenance.update(windows);
  }

  /** The machines are DOWN from now on: their agents are shut down, and none may register from there. */
  startMaintenance(machines: readonly MachineID[]): Future<void> {
    return this.#maintenance.start(machines);
  }

  /** The machines are back, and out of the schedule. */
  stopMaintenance(machines: readonly MachineID[]): Future<void> {
    return this.#maintenance.stop(machines);
  }

  maintenanceStatus(): Future<MaintenanceStatus> {
    return this.#maintenance.status();
  }

  // ---- frameworks

  /** The framework is over: its tasks are killed. */
  teardown(frameworkId: FrameworkID): Future<void> {
    const framework = this.#context.frameworks.get(frameworkId);
    if (framework === undefined)
      return Future.failed(new OperatorError('UNKNOWN', `No framework found with the id '${frameworkId}'`));
    this.#frameworks.teardown(framework);
    return Future.ready(undefined);
  }

  #strangerFault(role: string): string | undefined {
    return this.#context.options.roles?.has(role) === false ? 'it is none of the roles of this cluster' : undefined;
  }

  #withAgent(agentId: AgentID, call: (agent: Agent) => Future<void>): Future<void> {
    const agent = this.#agents.find(agentId);
    if (agent !== undefined) return call(agent);
    return Future.failed(new OperatorError('UNKNOWN', `No agent found with the id '${agentId}'`));
  }

  #store(operation: RegistryOperation, stored: () => void): Future<void> {
    return this.#context.registry.change(operation).andThen(
      this.#context.deferred((fault: string | undefined) => {
        if (fault !== undefined) return Future.failed(new OperatorError('INVALID', fault));
        stored();
        return Future.ready(undefined);
      }),
    );
  }
}
