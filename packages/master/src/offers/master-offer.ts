import type { Timer } from '@mezzo/process';
import type { AgentID, FrameworkID, OfferID, Resources } from '@mezzo/protocol';

/** Resources of one agent that are on offer to one framework for one of its roles. */
export interface MasterOffer {
  readonly id: OfferID;
  readonly frameworkId: FrameworkID;
  readonly agentId: AgentID;
  readonly role: string;
  /** They carry the role. */
  readonly resources: Resources;
  timer: Timer | undefined;
}
