import { type Resource, Resources } from '@mezzo/protocol';
import type { MasterContext } from '../master-context.ts';
import type { MasterOffer } from '../offers/master-offer.ts';
import { oversubscribedFault } from '../validation/agent.ts';
import type { Agent } from './agent.ts';

/** An agent has other resources than before that may be used as long as their owners do not; what was offered of them is taken back. */
export function oversubscribe(
  { allocator, log }: Pick<MasterContext, 'allocator' | 'log'>,
  agent: Agent,
  resources: readonly Resource[],
  rescind: (offer: MasterOffer) => void,
): void {
  const fault = oversubscribedFault(resources);
  if (fault !== undefined) {
    log.warn({ agentId: agent.id }, `ignored oversubscribed resources: ${fault}`);
    return;
  }
  agent.oversubscribe(Resources.of(resources));
  for (const offer of [...agent.offers]) if (offer.resources.hasRevocable) rescind(offer);
  allocator.updateAgent(agent);
}
