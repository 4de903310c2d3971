import type { Random } from '@mezzo/process';
import type { AgentID, AgentInfo, Resources } from '@mezzo/protocol';

/** An agent that has something to offer, as a placement policy sees it. */
export interface Candidate {
  readonly id: AgentID;
  readonly info: AgentInfo;
  readonly total: Resources;
  /** What nobody has, and what is shared. */
  readonly available: Resources;
}

/**
 * In which order agents are given away: whoever is next by fairness gets the first of them that he may have and wants.
 * Called at the beginning of each of the two stages of a run (guarantees, then fair sharing). Agents that it leaves out
 * are not offered in that stage.
 */
export type Placement = (candidates: readonly Candidate[], random: Random) => Iterable<Candidate>;
