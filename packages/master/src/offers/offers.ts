import type { BodyOf } from '@mezzo/process';
import {
  type allocatorMessages,
  type Filters,
  type Offer,
  OfferID,
  Resources,
  schedulerMessages,
} from '@mezzo/protocol';
import type { Agent } from '../agents/agent.ts';
import type { Framework } from '../frameworks/framework.ts';
import { type MasterContext, sendToFramework } from '../master-context.ts';
import type { MasterOffer } from './master-offer.ts';

type Allocated = BodyOf<typeof allocatorMessages.Allocated>;

/** Makes offers of what the allocator gives, and takes them back. */
export class Offers {
  readonly #context: MasterContext;
  #numbers = 0;

  constructor(context: MasterContext) {
    this.#context = context;
  }

  /** What cannot be offered any more goes back to the allocator. */
  make({ frameworkId, allocations }: Allocated): void {
    const { allocator, agents, frameworks, log } = this.#context;
    const framework = frameworks.get(frameworkId);
    const offers: Offer[] = [];
    for (const { role, agentId, resources: entries } of allocations) {
      const resources = Resources.of(entries);
      const agent = agents.get(agentId);
      if (framework === undefined || !framework.isActive || agent === undefined || !agent.isConnected) {
        allocator.recover(frameworkId, agentId, resources);
      } else if (!agent.free.contains(resources.unallocate())) {
        const given = String(resources);
        log.error(
          { agentId, resources: given },
          'the allocator gave what is not free; it is told about the agent anew',
        );
        allocator.addAgent(agent);
      } else {
        offers.push(this.#offer(framework, agent, role, resources));
      }
    }
    if (framework === undefined || offers.length === 0) return;
    this.#context.metrics.offersSent.increment(offers.length);
    sendToFramework(this.#context, framework, schedulerMessages.Offers, { term: this.#context.term, offers });
  }

  /** Takes it back and tells the framework. */
  rescind(offer: MasterOffer): void {
    this.discard(offer);
    const framework = this.#context.frameworks.get(offer.frameworkId);
    if (framework === undefined) return;
    const body = { term: this.#context.term, offerId: offer.id };
    if (sendToFramework(this.#context, framework, schedulerMessages.Rescind, body)) {
      this.#context.metrics.offersRescinded.increment();
    }
  }

  /** Takes it back without a word. */
  discard(offer: MasterOffer, filters?: Filters): void {
    this.close(offer);
    this.#context.allocator.recover(offer.frameworkId, offer.agentId, offer.resources, filters);
  }

  /** It is no offer any more; what becomes of its resources is the caller's business. */
  close(offer: MasterOffer): void {
    offer.timer?.cancel();
    this.#context.offers.delete(offer.id);
    this.#context.frameworks.get(offer.frameworkId)?.offers.delete(offer.id);
    const agent = this.#context.agents.get(offer.agentId);
    agent?.offers.delete(offer);
    agent?.release(offer.resources);
  }

  #offer(framework: Framework, agent: Agent, role: string, resources: Resources): Offer {
    const { id: masterId, options, offers } = this.#context;
    const id = OfferID(`${masterId}-O${this.#numbers++}`);
    const offer: MasterOffer = { id, frameworkId: framework.id, agentId: agent.id, role, resources, timer: undefined };
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
    };
  }
}
