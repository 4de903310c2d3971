import type { Timer } from '@mezzo/process';
import type {
  AgentID,
  FrameworkID,
  InverseOfferState,
  OfferID,
  OfferState,
  Resources,
  Unavailability,
} from '@mezzo/protocol';

/** Resources of one agent that are on offer to one framework for one of its roles. */
export interface MasterOffer {
  readonly id: OfferID;
  readonly frameworkId: FrameworkID;
  readonly agentId: AgentID;
  readonly role: string;
  /** They carry the role. */
  readonly resources: Resources;
  state: OfferState;
  timer: Timer | undefined;
}

/** A framework is asked to leave an agent whose machine will be away. */
export interface MasterInverseOffer {
  readonly id: OfferID;
  readonly frameworkId: FrameworkID;
  readonly agentId: AgentID;
  readonly unavailability: Unavailability;
  state: InverseOfferState;
  timer: Timer | undefined;
}
