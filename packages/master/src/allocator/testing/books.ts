import { type AgentID, type Filters, type FrameworkID, Resources, resourcesFault } from '@mezzo/protocol';
import { type Allocated, allocatedFault, type Allocation, judgeAllocation } from '../../validation/allocation.ts';

/** What one framework holds of one agent for one role. */
export interface Offered {
  readonly frameworkId: FrameworkID;
  readonly agentId: AgentID;
  readonly role: string;
  /** They carry the role. */
  readonly resources: Resources;
}

interface Refusal {
  readonly role: string;
  readonly agentId: AgentID;
  /** Without the role. */
  readonly resources: Resources;
  /** Milliseconds since the epoch. */
  readonly until: number;
}

class FrameworkBook {
  roles: ReadonlySet<string>;
  readonly suppressed = new Set<string>();
  isActive = true;
  refusals: readonly Refusal[] = [];

  constructor(roles: Iterable<string>) {
    this.roles = new Set(roles);
  }
}

class AgentBook {
  total: Resources;
  isActive = true;

  constructor(total: Resources) {
    this.total = total;
  }
}

/**
 * Who has what by the master's reckoning, and what an allocator did that it must not. Of what the master has changed and the
 * allocator may not have heard yet nothing is held against it: that is given back without a word.
 */
export class Books {
  readonly faults: string[] = [];
  readonly frameworks = new Map<FrameworkID, FrameworkBook>();
  readonly agents = new Map<AgentID, AgentBook>();
  readonly offers: Offered[] = [];
  readonly tasks: Offered[] = [];
  readonly #now: () => number;
  readonly #respectsFilters: boolean;
  /** Frameworks and agents that have just changed. */
  readonly #unsettled = new Set<string>();

  constructor(now: () => number, respectsFilters: boolean) {
    this.#now = now;
    this.#respectsFilters = respectsFilters;
  }

  // ---- what the master does

  addFramework(id: FrameworkID, roles: Iterable<string>, suppressed: Iterable<string> = []): void {
    const framework = new FrameworkBook(roles);
    for (const role of suppressed) framework.suppressed.add(role);
    this.frameworks.set(id, framework);
  }

  removeFramework(id: FrameworkID): void {
    this.#unsettled.add(id);
    this.frameworks.delete(id);
    this.#dropAll((held) => held.frameworkId === id);
  }

  /** Something is no longer allowed that was. */
  changed(id: FrameworkID | AgentID): void {
    this.#unsettled.add(id);
  }

  addAgent(id: AgentID, total: Resources, used: readonly Offered[] = []): void {
    this.agents.set(id, new AgentBook(total));
    this.tasks.push(...used);
  }

  removeAgent(id: AgentID): void {
    this.#unsettled.add(id);
    this.agents.delete(id);
    this.#dropAll((held) => held.agentId === id);
    for (const framework of this.frameworks.values())
      framework.refusals = framework.refusals.filter(({ agentId }) => agentId !== id);
  }

  launch(offer: Offered): void {
    if (drop(this.offers, offer)) this.tasks.push(offer);
  }

  give(held: Offered): void {
    if (!drop(this.offers, held)) drop(this.tasks, held);
  }

  refuse({ frameworkId, agentId, role, resources }: Offered, { refuseSeconds }: Filters): void {
    const framework = this.frameworks.get(frameworkId);
    if (framework === undefined) return;
    const until = this.#now() + refuseSeconds * 1000;
    framework.refusals = [...framework.refusals, { role, agentId, resources: resources.unallocate(), until }];
  }

  forgetRefusals(id: FrameworkID, roles: Iterable<string>): void {
    const framework = this.frameworks.get(id);
    if (framework === undefined) return;
    const forgotten = new Set(roles);
    framework.refusals = framework.refusals.filter(({ role }) => !forgotten.has(role));
  }

  /** Every message has arrived: from now on the allocator knows. */
  settled(): void {
    this.#unsettled.clear();
  }

  /** Nobody has anything of anybody. */
  clear(): void {
    this.frameworks.clear();
    this.agents.clear();
    this.offers.length = 0;
    this.tasks.length = 0;
  }

  free(id: AgentID): Resources {
    const total = this.agents.get(id)?.total ?? Resources.empty;
    const held = [...this.offers, ...this.tasks].filter(({ agentId }) => agentId === id);
    const taken = Resources.sum(held.map(({ resources }) => resources.unallocate()));
    return total.nonShared().minus(taken.nonShared()).plus(total.shared());
  }

  // ---- what the allocator does

  /** Enters it. @returns what nobody can have, to be given back */
  allocated(body: unknown): readonly Offered[] {
    const fault = allocatedFault(body);
    if (fault !== undefined) {
      this.faults.push(`sent an allocation that is ${fault}`);
      return [];
    }
    // The form has just been checked.
    const { frameworkId, allocations } = body as Allocated;
    return allocations.flatMap((allocation) => {
      const { agentId, role } = allocation;
      const wrong = this.#faultOf(frameworkId, allocation);
      if (wrong !== undefined && !this.#unsettled.has(frameworkId) && !this.#unsettled.has(agentId)) {
        const what = `${textOf(allocation)} of agent ${agentId} to framework ${frameworkId} for role ${role}`;
        this.faults.push(`offered ${what}: ${wrong}`);
        return [];
      }
      const offered = { frameworkId, agentId, role, resources: Resources.of(allocation.resources) };
      if (wrong !== undefined) return [offered];
      this.offers.push(offered);
      return [];
    });
  }

  #faultOf(frameworkId: FrameworkID, allocation: Allocation): string | undefined {
    const { agentId, role } = allocation;
    const framework = this.frameworks.get(frameworkId);
    if (framework === undefined) return 'there is no such framework';
    const agent = this.agents.get(agentId);
    if (agent === undefined) return 'there is no such agent';
    if (!framework.isActive) return 'the framework is deactivated';
    if (!framework.roles.has(role)) return 'the framework is not subscribed to the role';
    if (framework.suppressed.has(role)) return 'the role is suppressed';
    if (!agent.isActive) return 'the agent is deactivated';
    const judged = judgeAllocation(allocation, this.free(agentId));
    if (judged.fault !== undefined) return judged.fault;
    if (this.#respectsFilters && this.#isRefused(framework, allocation, judged.resources.unallocate()))
      return 'the framework has declined that, and the time it gave is not over';
    return undefined;
  }

  #isRefused({ refusals }: FrameworkBook, { role, agentId }: Allocation, resources: Resources): boolean {
    const now = this.#now();
    return refusals.some(
      (refusal) =>
        refusal.role === role &&
        refusal.agentId === agentId &&
        now < refusal.until &&
        refusal.resources.contains(resources),
    );
  }

  #dropAll(isGone: (held: Offered) => boolean): void {
    for (const list of [this.offers, this.tasks]) list.splice(0, list.length, ...list.filter((held) => !isGone(held)));
  }
}

/** Also of what makes no sense. */
function textOf({ resources }: Allocation): string {
  const text = resourcesFault(resources) === undefined ? String(Resources.of(resources).unallocate()) : '';
  return text === '' ? JSON.stringify(resources) : text;
}

function drop(list: Offered[], held: Offered): boolean {
  const index = list.indexOf(held);
  if (index === -1) return false;
  list.splice(index, 1);
  return true;
}
