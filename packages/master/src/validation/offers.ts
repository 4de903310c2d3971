import type { FrameworkID, OfferID } from '@mezzo/protocol';
import type { MasterOffer } from '../offers/master-offer.ts';

export type OffersVerdict =
  | { readonly offers: readonly [MasterOffer, ...MasterOffer[]]; readonly fault?: undefined }
  | { readonly fault: string };

/** Whether a framework may use these offers together, in Mesos's order of checks and with its words. */
export function judgeOffers(
  ids: readonly OfferID[],
  frameworkId: FrameworkID,
  known: ReadonlyMap<OfferID, MasterOffer>,
): OffersVerdict {
  const seen = new Set<OfferID>();
  for (const id of ids) {
    if (seen.has(id)) return { fault: `Duplicate offer ${id} in offer list` };
    seen.add(id);
  }
  const offers: MasterOffer[] = [];
  for (const id of ids) {
    const offer = known.get(id);
    if (offer === undefined) return { fault: `Offer ${id} is no longer valid` };
    offers.push(offer);
  }
  const [first, ...others] = offers;
  if (first === undefined) return { fault: 'No offers specified' };
  for (const offer of offers) {
    if (offer.frameworkId !== frameworkId) {
      return {
        fault: `Offer ${offer.id} has invalid framework ${offer.frameworkId} while framework ${frameworkId} is expected`,
      };
    }
  }
  for (const offer of others) {
    if (offer.role !== first.role) {
      return {
        fault: `Aggregated offers must be allocated to the same role. Offer ${first.id} uses role ${first.role} but offer ${offer.id} uses role ${offer.role}`,
      };
    }
  }
  for (const offer of others) {
    if (offer.agentId !== first.agentId) {
      return {
        fault: `Aggregated offers must belong to one single agent. Offer ${first.id} uses agent ${first.agentId} and offer ${offer.id} uses agent ${offer.agentId}`,
      };
    }
  }
  return { offers: [first, ...others] };
}
