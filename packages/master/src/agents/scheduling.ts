import { Future } from '@mezzo/process';
import {
  agentMessages,
  type DrainConfig,
  type RegistryOperation,
  type SchedulingEffect,
  type SchedulingEvent,
  schedulingLifecycle,
} from '@mezzo/protocol';
import { type MasterContext, sendToAgent } from '../master-context.ts';
import { OperatorError } from '../operator-error.ts';
import type { Agent } from './agent.ts';

interface SchedulingParts {
  readonly takeOffersBack: (agent: Agent) => void;
  readonly markGone: (agent: Agent) => boolean;
}

/** Whether agents are offered, as operators decide it: deactivated, drained, active again. */
export class Scheduling {
  readonly #context: MasterContext;
  readonly #parts: SchedulingParts;

  constructor(context: MasterContext, parts: SchedulingParts) {
    this.#context = context;
    this.#parts = parts;
  }

  /** READY once it is stored; the tasks end after that. FAILED with OperatorError. */
  drain(agent: Agent, config: DrainConfig): Future<void> {
    return this.#decide(agent, 'DRAIN', { kind: 'DRAIN_AGENT', agentId: agent.id, config });
  }

  deactivate(agent: Agent): Future<void> {
    return this.#decide(agent, 'DEACTIVATE', { kind: 'DEACTIVATE_AGENT', agentId: agent.id });
  }

  reactivate(agent: Agent): Future<void> {
    return this.#decide(agent, 'REACTIVATE', { kind: 'REACTIVATE_AGENT', agentId: agent.id });
  }

  /** It is registered, again or for the first time: what was decided about it stands. */
  returned(agent: Agent): void {
    const { drainInfo, deactivated = false } = this.#stored(agent) ?? {};
    if (drainInfo !== undefined) agent.scheduling = drainInfo.state === 'DRAINING' ? 'draining' : 'drained';
    else agent.scheduling = deactivated ? 'deactivated' : 'active';
    this.#step(agent, 'RETURNED');
  }

  /** A task or an operation on it is over: it may have been the last. */
  relieved(agent: Agent): void {
    if (agent.scheduling !== 'draining' || agent.isStoringDrained || !agent.isRegistered) return;
    if (agent.tasks.size > 0 || agent.operations.size > 0) return;
    agent.isStoringDrained = true;
    this.#context.registry.change({ kind: 'MARK_AGENT_DRAINED', agentId: agent.id }).onReady((fault) => {
      agent.isStoringDrained = false;
      if (fault === undefined) this.#step(agent, 'EMPTY');
    });
  }

  #decide(agent: Agent, event: SchedulingEvent, operation: RegistryOperation): Future<void> {
    if (schedulingLifecycle.next(agent.scheduling, event) === undefined) {
      const message = `Agent ${agent.id} is ${agent.scheduling}: that cannot be followed by ${event}`;
      return Future.failed(new OperatorError('INVALID', message));
    }
    return this.#context.registry.change(operation).andThen(
      this.#context.deferred((fault: string | undefined) => {
        if (fault !== undefined) return Future.failed(new OperatorError('CONFLICT', fault));
        this.#step(agent, event);
        if (event === 'DRAIN') this.relieved(agent);
        return Future.ready(undefined);
      }),
    );
  }

  #step(agent: Agent, event: SchedulingEvent): void {
    const transition = schedulingLifecycle.next(agent.scheduling, event);
    if (transition === undefined) return;
    agent.scheduling = transition.state;
    for (const effect of transition.effects) this.#carryOut(effect, agent);
  }

  #carryOut(effect: SchedulingEffect, agent: Agent): void {
    const { allocator, agents, term } = this.#context;
    const config = this.#stored(agent)?.drainInfo?.config;
    switch (effect) {
      case 'deactivate':
        if (!agents.has(agent.id)) break;
        allocator.deactivateAgent(agent.id);
        this.#parts.takeOffersBack(agent);
        break;
      case 'activate':
        if (agent.isOffered) allocator.activateAgent(agent.id);
        break;
      case 'sendDrain':
        if (config !== undefined) sendToAgent(this.#context, agent, agentMessages.DrainAgent, { term, config });
        break;
      case 'markGone':
        if (config?.markGone === true) this.#parts.markGone(agent);
        break;
    }
  }

  #stored({ id }: Agent) {
    const { agents, unreachable } = this.#context.registry.state;
    return agents.get(id) ?? unreachable.get(id);
  }
}
