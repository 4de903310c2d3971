import { Future } from '@mezzo/process';
import {
  type AgentID,
  type AgentOperation,
  type Filters,
  type ResourceConversion,
  Resources,
  unallocatedConversion,
} from '@mezzo/protocol';
import type { Agent } from '../agents/agent.ts';
import type { MasterContext } from '../master-context.ts';
import type { Offers } from '../offers/offers.ts';
import { OperatorError } from '../operator-error.ts';
import { judgeOperation } from '../validation/operation.ts';
import type { Operations } from './operations.ts';

/** Who had the resources on offer is offered them no more for a while: Mesos's default filter. */
const rescindFilters: Filters = { refuseSeconds: 5 };

/** What an operator does with resources that nobody uses. Offers that stand in the way are rescinded. */
export class OperatorOperations {
  readonly #context: MasterContext;
  readonly #offers: Offers;
  readonly #operations: Operations;

  constructor(context: MasterContext, offers: Offers, operations: Operations) {
    this.#context = context;
    this.#offers = offers;
    this.#operations = operations;
  }

  /** READY once the agent is told. FAILED with OperatorError INVALID, or CONFLICT if somebody uses the resources. */
  perform(agentId: AgentID, given: AgentOperation, principal: string | undefined): Future<void> {
    const agent = this.#context.agents.get(agentId);
    if (agent === undefined) return refused('INVALID', `No agent found with the id '${agentId}'`);
    if (!agent.isConnected) return refused('CONFLICT', `Agent ${agentId} is not connected`);
    const judged = judgeOperation(given, { kind: 'operator', principal }, agent, agent.used);
    if (judged.fault !== undefined) return refused('INVALID', judged.fault);
    const { operation, conversions } = judged;
    const needed = Resources.sum(conversions.map(({ consumed }) => consumed));
    this.#makeRoom(agent, needed);
    if (!agent.free.contains(needed)) {
      const free = String(agent.free);
      return refused('CONFLICT', `Agent ${agentId} has not ${String(needed)} unused: what it has unused is ${free}`);
    }
    return this.#context.allocator.convertAvailable(agentId, conversions).andThen(
      this.#context.deferred((fault: string | undefined) => {
        if (fault !== undefined) return refused('CONFLICT', fault);
        return this.#carryOut(agentId, operation, conversions);
      }),
    );
  }

  #makeRoom(agent: Agent, needed: Resources): void {
    for (const offer of [...agent.offers]) {
      const missing = needed.minus(agent.free);
      if (missing.isEmpty) return;
      if (!common(offer.resources.unallocate(), missing).isEmpty) this.#offers.rescind(offer, rescindFilters);
    }
  }

  #carryOut(agentId: AgentID, operation: AgentOperation, conversions: readonly ResourceConversion[]): Future<void> {
    const agent = this.#context.agents.get(agentId);
    if (agent?.isConnected !== true) {
      // The allocator believes it done.
      if (agent !== undefined) this.#context.allocator.addAgent(agent);
      return refused('CONFLICT', `Agent ${agentId} is not connected any more`);
    }
    for (const conversion of conversions) agent.convert(unallocatedConversion(conversion));
    this.#operations.apply(agent, operation, undefined);
    return Future.ready(undefined);
  }
}

function refused(kind: OperatorError['kind'], message: string): Future<never> {
  return Future.failed(new OperatorError(kind, message));
}

function common(left: Resources, right: Resources): Resources {
  return left.minus(left.minus(right));
}
