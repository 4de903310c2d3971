import type { BodyOf } from '@mezzo/process';
import {
  type AgentID,
  type allocatorMessages,
  type Filters,
  inverseOfferLifecycle,
  type InverseOfferEffect,
  type InverseOfferEvent,
  type OfferID,
  schedulerMessages,
} from '@mezzo/protocol';
import type { Framework } from '../frameworks/framework.ts';
import { type MasterContext, sendToFramework } from '../master-context.ts';
import type { MasterInverseOffer } from './master-offer.ts';

type InverseAllocated = BodyOf<typeof allocatorMessages.InverseAllocated>;

/** Asks frameworks to leave agents whose machines will be away, and hears what they answer. */
export class InverseOffers {
  readonly #context: MasterContext;
  readonly #outstanding = new Map<OfferID, MasterInverseOffer>();
  readonly #nextId: () => OfferID;

  /** @param nextId offers and inverse offers are numbered together */
  constructor(context: MasterContext, nextId: () => OfferID) {
    this.#context = context;
    this.#nextId = nextId;
  }

  make({ frameworkId, agents }: InverseAllocated): void {
    const framework = this.#context.frameworks.get(frameworkId);
    const made: MasterInverseOffer[] = [];
    for (const { agentId, unavailability } of agents) {
      const agent = this.#context.agents.get(agentId);
      if (framework?.isConnected !== true || agent?.isConnected !== true) {
        this.#context.allocator.answerInverseOffer(frameworkId, agentId, undefined);
        continue;
      }
      const offer: MasterInverseOffer = {
        id: this.#nextId(),
        ...{ frameworkId, agentId, unavailability },
        state: inverseOfferLifecycle.initial,
        timer: undefined,
      };
      const { offerTimeout } = this.#context.options;
      if (offerTimeout !== undefined)
        offer.timer = this.#context.delay(offerTimeout, () => this.#step(offer, 'RESCIND', undefined));
      this.#outstanding.set(offer.id, offer);
      made.push(offer);
    }
    if (framework === undefined || made.length === 0) return;
    sendToFramework(this.#context, framework, schedulerMessages.InverseOffers, {
      term: this.#context.term,
      inverseOffers: made.map(({ id, agentId, unavailability }) => ({ id, frameworkId, agentId, unavailability })),
    });
  }

  /** Inverse offers that are not there any more, or are not its own, are passed over. */
  answer(framework: Framework, id: OfferID, answer: 'ACCEPT' | 'DECLINE', filters: Filters): void {
    const offer = this.#outstanding.get(id);
    if (offer?.frameworkId === framework.id) this.#step(offer, answer, filters);
  }

  /** Takes back what is outstanding for an agent and tells the frameworks. */
  rescindOf(agentId: AgentID): void {
    for (const offer of this.#outstanding.values())
      if (offer.agentId === agentId) this.#step(offer, 'RESCIND', undefined);
  }

  /** Takes back what is outstanding for a framework. */
  discardOf(framework: Framework): void {
    for (const offer of this.#outstanding.values())
      if (offer.frameworkId === framework.id) this.#step(offer, 'DISCARD', undefined);
  }

  #step(offer: MasterInverseOffer, event: InverseOfferEvent, filters: Filters | undefined): void {
    const transition = inverseOfferLifecycle.next(offer.state, event);
    if (transition === undefined) return;
    offer.state = transition.state;
    this.#outstanding.delete(offer.id);
    for (const effect of transition.effects) this.#carryOut(effect, offer, filters);
  }

  #carryOut(effect: InverseOfferEffect, offer: MasterInverseOffer, filters: Filters | undefined): void {
    const { id: inverseOfferId, frameworkId, agentId } = offer;
    const { allocator, frameworks, term } = this.#context;
    switch (effect) {
      case 'stopTimer':
        offer.timer?.cancel();
        break;
      case 'recordAccept':
        allocator.answerInverseOffer(frameworkId, agentId, 'ACCEPT', filters);
        break;
      case 'recordDecline':
        allocator.answerInverseOffer(frameworkId, agentId, 'DECLINE', filters);
        break;
      case 'recordNothing':
        allocator.answerInverseOffer(frameworkId, agentId, undefined);
        break;
      case 'sendRescind': {
        const framework = frameworks.get(frameworkId);
        if (framework !== undefined)
          sendToFramework(this.#context, framework, schedulerMessages.RescindInverseOffer, { term, inverseOfferId });
        break;
      }
    }
  }
}
