import {
  type AgentID,
  type Filters,
  type FrameworkID,
  type Offer,
  type OfferEffect,
  type OfferEvent,
  OfferID,
  offerLifecycle,
  type Resource,
  Resources,
  schedulerMessages,
} from '@mezzo/protocol';
import type { Agent } from '../agents/agent.ts';
import type { Framework } from '../frameworks/framework.ts';
import { type MasterContext, sendToFramework } from '../master-context.ts';
import { type Allocated, allocatedFault, type Allocation, judgeAllocation } from '../validation/allocation.ts';
import type { MasterOffer } from './master-offer.ts';
import { RefusedAllocations } from './refused-allocations.ts';

/** Makes offers of what the allocator gives, and takes them back. */
export class Offers {
  readonly #context: MasterContext;
  readonly #refused: RefusedAllocations;
  #numbers = 0;

  constructor(context: MasterContext) {
    this.#context = context;
    this.#refused = new RefusedAllocations(context);
  }

  /** What cannot be offered any more goes back to the allocator; what makes no sense is refused. */
  make(body: unknown): void {
    const fault = allocatedFault(body);
    if (fault !== undefined) return this.#refused.invalid(fault);
    // The form has just been checked.
    const { frameworkId, allocations } = body as Allocated;
    const framework = this.#context.frameworks.get(frameworkId);
    const offers: Offer[] = [];
    for (const allocation of allocations) {
      const offer = this.#offerOf(frameworkId, framework, allocation);
      if (offer !== undefined) offers.push(offer);
    }
    if (framework === undefined || offers.length === 0) return;
    this.#context.metrics.offersSent.increment(offers.length);
    sendToFramework(this.#context, framework, schedulerMessages.Offers, { term: this.#context.term, offers });
  }

  /** The framework uses it; what becomes of its resources is the caller's business. */
  accepted(offer: MasterOffer): void {
    this.#step(offer, 'ACCEPT');
  }

  /** The framework does not want it. */
  decline(offer: MasterOffer, filters?: Filters): void {
    this.#step(offer, 'DECLINE', filters);
  }

  /** Takes it back and tells the framework. */
  rescind(offer: MasterOffer, filters?: Filters): void {
    this.#step(offer, 'RESCIND', filters);
  }

  /** Takes it back without a word. */
  discard(offer: MasterOffer): void {
    this.#step(offer, 'DISCARD');
  }

  /** Takes back every offer of an agent that holds one of the resources. */
  rescindHolding(agent: Agent, resources: readonly Resource[]): void {
    const each = resources.map((resource) => Resources.of([resource]).unallocate());
    for (const offer of [...agent.offers]) {
      const held = offer.resources.unallocate();
      if (each.some((one) => held.contains(one))) this.rescind(offer);
    }
  }

  /** Offers and inverse offers are numbered together. */
  nextId(): OfferID {
    return OfferID(`${this.#context.id}-O${this.#numbers++}`);
  }

  #step(offer: MasterOffer, event: OfferEvent, filters?: Filters): void {
    const transition = offerLifecycle.next(offer.state, event);
    if (transition === undefined) return;
    offer.state = transition.state;
    this.#close(offer);
    for (const effect of transition.effects) this.#carryOut(effect, offer, filters);
  }

  #carryOut(effect: OfferEffect, offer: MasterOffer, filters: Filters | undefined): void {
    const { allocator, frameworks, metrics, term } = this.#context;
    switch (effect) {
      case 'stopTimer':
        offer.timer?.cancel();
        break;
      case 'recoverResources':
        allocator.recoverOffered(offer.frameworkId, offer.agentId, offer.resources, filters);
        break;
      case 'sendRescind': {
        const framework = frameworks.get(offer.frameworkId);
        if (framework === undefined) break;
        const body = { term, offerId: offer.id };
        if (sendToFramework(this.#context, framework, schedulerMessages.Rescind, body))
          metrics.offersRescinded.increment();
        break;
      }
    }
  }

  /** It is no offer any more. */
  #close(offer: MasterOffer): void {
    this.#context.offers.delete(offer.id);
    this.#context.frameworks.get(offer.frameworkId)?.offers.delete(offer.id);
    const agent = this.#context.agents.get(offer.agentId);
    agent?.offers.delete(offer);
    agent?.release(offer.resources);
  }

  #offerOf(frameworkId: FrameworkID, framework: Framework | undefined, allocation: Allocation): Offer | undefined {
    const { allocator, agents } = this.#context;
    const { role, agentId, resources: entries } = allocation;
    const agent = agents.get(agentId);
    const details = { frameworkId, agentId, role };
    if (framework === undefined) {
      this.#refused.stale('the framework is not there', details);
      this.#refused.correct(frameworkId, () => this.#tellAboutFramework(frameworkId));
      return undefined;
    }
    if (agent === undefined) {
      this.#refused.stale('the agent is not there', details);
      this.#refused.correct(agentId, () => this.#tellAboutAgent(agentId));
      return undefined;
    }
    const judged = judgeAllocation(allocation, agent.free);
    if (judged.fault !== undefined) {
      this.#refused.invalid(judged.fault, { ...details, resources: JSON.stringify(entries) });
      this.#refused.correct(agentId, () => this.#tellAboutAgent(agentId));
      return undefined;
    }
    const { resources } = judged;
    if (framework.isActive && agent.isConnected && framework.roles.includes(role))
      return this.#offer(framework, agent, role, resources);
    this.#refused.stale('framework or agent is not connected, or the role was left', details);
    allocator.recoverOffered(frameworkId, agentId, resources);
    return undefined;
  }

  /** As it is, or that it is gone. */
  #tellAboutAgent(agentId: AgentID): void {
    const { allocator, agents } = this.#context;
    const agent = agents.get(agentId);
    if (agent === undefined) allocator.removeAgent(agentId);
    else allocator.addAgent(agent);
  }

  /** That it is gone, unless it has come since. */
  #tellAboutFramework(frameworkId: FrameworkID): void {
    const { allocator, frameworks } = this.#context;
    if (!frameworks.has(frameworkId)) allocator.removeFramework(frameworkId);
  }

  #offer(framework: Framework, agent: Agent, role: string, resources: Resources): Offer {
    const { options, offers } = this.#context;
    const id = this.nextId();
    const offer: MasterOffer = {
      id,
      frameworkId: framework.id,
      agentId: agent.id,
      ...{ role, resources },
      state: offerLifecycle.initial,
      timer: undefined,
    };
    const { offerTimeout } = options;
    if (offerTimeout !== undefined) {
      offer.timer = this.#context.delay(offerTimeout, () => this.rescind(offer));
    }
    offers.set(id, offer);
    framework.offers.set(id, offer);
    agent.offers.add(offer);
    agent.hold(resources);
    // Only who has several roles needs to see which of them each resource was given to.
    const shown = framework.has('MULTI_ROLE') ? resources : resources.unallocate();
    return {
      id,
      frameworkId: framework.id,
      agentId: agent.id,
      hostname: agent.info.hostname,
      role,
      resources: [...shown],
      attributes: agent.info.attributes,
      url: agent.info.url,
      executorIds: [...agent.executors.of(framework.id)].map(({ info }) => info.executorId),
      ...(agent.unavailability === undefined ? undefined : { unavailability: agent.unavailability }),
    };
  }
}
