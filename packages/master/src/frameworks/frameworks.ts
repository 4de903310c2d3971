import type { PID } from '@mezzo/process';
import {
  agentMessages,
  FrameworkID,
  type FrameworkEffect,
  type FrameworkEvent,
  type FrameworkInfo,
  frameworkLifecycle,
  schedulerMessages,
} from '@mezzo/protocol';
import type { Agent } from '../agents/agent.ts';
import { type MasterContext, sendToAgent, sendToFramework } from '../master-context.ts';
import type { InverseOffers } from '../offers/inverse-offers.ts';
import type { Offers } from '../offers/offers.ts';
import type { Tasks } from '../tasks/tasks.ts';
import { frameworkFault, withDefaultRole } from '../validation/framework.ts';
import { Framework } from './framework.ts';

/** Walks frameworks through their lifecycle and carries out what that asks for. */
export class Frameworks {
  readonly #context: MasterContext;
  readonly #offers: Offers;
  readonly #inverseOffers: InverseOffers;
  readonly #tasks: Tasks;
  #numbers = 0;

  constructor(
    context: MasterContext,
    parts: { readonly offers: Offers; readonly inverseOffers: InverseOffers; readonly tasks: Tasks },
  ) {
    this.#context = context;
    this.#offers = parts.offers;
    this.#inverseOffers = parts.inverseOffers;
    this.#tasks = parts.tasks;
  }

  /** The framework with this scheduler; undefined if it is not connected from there. */
  calledBy(id: FrameworkID, from: PID): Framework | undefined {
    const framework = this.#context.frameworks.get(id);
    return framework?.pid?.equals(from) === true ? framework : undefined;
  }

  /** @param suppressedRoles replaces what was suppressed before; undefined leaves that as it is */
  subscribe(given: FrameworkInfo, suppressedRoles: readonly string[] | undefined, from: PID): void {
    const { frameworks, completedFrameworks } = this.#context;
    const info = withDefaultRole(given);
    const fault = frameworkFault(info, suppressedRoles, this.#context.options.roles);
    if (fault !== undefined) return this.#refuse(from, fault);
    if (info.id !== undefined && completedFrameworks.has(info.id))
      return this.#refuse(from, 'Framework has been removed');
    const known = info.id === undefined ? this.subscribedFrom(from) : frameworks.get(info.id);
    if (known === undefined) {
      const framework = this.#create(info.id ?? this.#nextId(), info);
      suppress(framework, suppressedRoles);
      this.#step(framework, 'SUBSCRIBE', from);
    } else if (known.info.principal !== info.principal) {
      this.#refuse(from, `Changing framework's principal is not allowed.`);
    } else if (info.id === undefined) {
      // Asked twice because the answer was slow.
      this.#sendSubscribed(known);
    } else {
      this.#change(known, info, suppressedRoles);
      known.reregisteredAt = this.#context.now();
      this.#step(known, 'SUBSCRIBE', from);
    }
  }

  /** What the framework asks to be from now on; without a fault it is done. */
  update(given: FrameworkInfo, suppressedRoles: readonly string[] | undefined, from: PID): { readonly fault?: string } {
    const framework = given.id === undefined ? undefined : this.#context.frameworks.get(given.id);
    // A question comes from an address of its own; what can be known is the node.
    if (framework?.pid?.node !== from.node || framework.pid.incarnation !== from.incarnation)
      return { fault: 'The framework is not subscribed from here' };
    const info = withDefaultRole(given);
    const fault =
      frameworkFault(info, suppressedRoles, this.#context.options.roles) ?? immutableFault(framework.info, info);
    if (fault !== undefined) return { fault };
    const before = JSON.stringify(framework.info);
    this.#change(framework, info, suppressedRoles ?? []);
    if (JSON.stringify(framework.info) !== before) this.#announce(framework, this.#context.agents.values());
    return {};
  }

  /** Known only from an agent that runs its tasks. */
  recover(info: FrameworkInfo): Framework | undefined {
    if (info.id === undefined) return undefined;
    const known = this.#context.frameworks.get(info.id);
    if (known !== undefined) return known;
    if (this.#context.completedFrameworks.has(info.id)) return undefined;
    const framework = this.#create(info.id, withDefaultRole(info));
    this.#step(framework, 'RECOVER');
    return framework;
  }

  teardown(framework: Framework): void {
    this.#step(framework, 'TEARDOWN');
  }

  exited(pid: PID): void {
    for (const framework of this.#context.frameworks.values()) {
      if (framework.pid?.equals(pid) === true) this.#step(framework, 'DISCONNECT');
    }
  }

  /** Whose scheduler this is. */
  subscribedFrom(pid: PID): Framework | undefined {
    for (const framework of this.#context.frameworks.values())
      if (framework.pid?.equals(pid) === true) return framework;
    return undefined;
  }

  #nextId(): FrameworkID {
    return FrameworkID(`${this.#context.id}-${String(this.#numbers++).padStart(4, '0')}`);
  }

  #create(id: FrameworkID, info: FrameworkInfo): Framework {
    return new Framework(id, { ...info, id }, this.#context.now(), this.#context.options);
  }

  /** As in Mesos, user and checkpoint stay what they were at first. */
  #change(framework: Framework, info: FrameworkInfo, suppressedRoles: readonly string[] | undefined): void {
    const { user, checkpoint } = framework.info;
    framework.info = { ...info, id: framework.id, checkpoint, ...(user === undefined ? undefined : { user }) };
    suppress(framework, suppressedRoles);
    this.#context.allocator.updateFramework(framework);
    for (const offer of [...framework.offers.values()])
      if (!framework.roles.includes(offer.role)) this.#offers.rescind(offer);
  }

  #refuse(to: PID, message: string): void {
    this.#context.log.warn({ scheduler: to.toString() }, `refused a framework: ${message}`);
    this.#context.send(to, schedulerMessages.FrameworkError, { term: this.#context.term, message });
  }

  #sendSubscribed(framework: Framework): void {
    const { term, url: masterUrl } = this.#context;
    sendToFramework(this.#context, framework, schedulerMessages.Subscribed, {
      term,
      frameworkId: framework.id,
      masterUrl,
    });
  }

  /** @param from the scheduler that subscribes */
  #step(framework: Framework, event: FrameworkEvent, from?: PID): void {
    const transition = frameworkLifecycle.next(framework.state, event);
    if (transition === undefined) return;
    framework.state = transition.state;
    for (const effect of transition.effects) this.#carryOut(effect, framework, from);
  }

  #carryOut(effect: FrameworkEffect, framework: Framework, from: PID | undefined): void {
    const { frameworks, allocator, log } = this.#context;
    switch (effect) {
      case 'addFramework':
        frameworks.set(framework.id, framework);
        allocator.addFramework(framework);
        log.info({ frameworkId: framework.id, name: framework.info.name }, 'added a framework');
        break;
      case 'attachConnection':
        framework.pid = from;
        if (from !== undefined) this.#context.link(from);
        break;
      case 'supersedeConnection':
        // Without one the same scheduler subscribed again: it may have lost a message, so its offers are called back.
        if (from !== undefined && framework.pid?.equals(from) === true) this.#rescindOffers(framework);
        else if (framework.pid !== undefined) this.#refuse(framework.pid, 'Framework failed over');
        break;
      case 'detachConnection':
        framework.pid = undefined;
        break;
      case 'sendSubscribed':
        this.#sendSubscribed(framework);
        break;
      case 'activate':
        allocator.activateFramework(framework.id);
        break;
      case 'deactivate':
        allocator.deactivateFramework(framework.id);
        break;
      case 'discardOffers':
        for (const offer of [...framework.offers.values()]) this.#offers.discard(offer);
        this.#inverseOffers.discardOf(framework);
        break;
      case 'rescindOffers':
        this.#rescindOffers(framework);
        break;
      case 'startFailoverTimer':
        framework.failoverTimer = this.#context.delay(framework.info.failoverTimeout, () =>
          this.#step(framework, 'FAILOVER_TIMEOUT'),
        );
        break;
      case 'stopFailoverTimer':
        framework.failoverTimer?.cancel();
        break;
      case 'removeFramework':
        this.#remove(framework);
        break;
      case 'announceUpdate':
        this.#announce(framework, agentsWith(framework, this.#context));
        break;
    }
  }

  #rescindOffers(framework: Framework): void {
    for (const offer of [...framework.offers.values()]) this.#offers.rescind(offer);
    this.#inverseOffers.discardOf(framework);
  }

  /** They hear who the framework is now: executors there may belong to it. */
  #announce({ info }: Framework, agents: Iterable<Agent>): void {
    const { term } = this.#context;
    for (const agent of agents)
      sendToAgent(this.#context, agent, agentMessages.UpdateFramework, { term, framework: info });
  }

  #remove(framework: Framework): void {
    const { id } = framework;
    const { agents, frameworks, completedFrameworks, allocator, term, log } = this.#context;
    for (const agent of agents.values()) {
      sendToAgent(this.#context, agent, agentMessages.ShutdownFramework, { term, frameworkId: id });
    }
    const tasks = [...framework.tasks.values(), ...framework.unreachableTasks.values()];
    const cause = { reason: 'REASON_FRAMEWORK_REMOVED', message: `Framework ${id} removed` };
    for (const task of tasks) this.#tasks.decide(task, 'FRAMEWORK_REMOVED', cause);
    for (const agent of agents.values()) for (const executor of agent.executors.of(id)) agent.removeExecutor(executor);
    allocator.removeFramework(id);
    framework.unregisteredAt = this.#context.now();
    frameworks.delete(id);
    completedFrameworks.add(id, framework);
    log.info({ frameworkId: id, name: framework.info.name }, 'removed a framework');
  }
}

/**
 * Those that run something of it: the others would pass its new connection over, and after a failover there are millions
 * of pairs of both.
 */
function agentsWith({ id, tasks }: Framework, { agents }: MasterContext): Iterable<Agent> {
  const found = new Set<Agent>();
  for (const { agentId } of tasks.values()) {
    const agent = agents.get(agentId);
    if (agent !== undefined) found.add(agent);
  }
  for (const agent of agents.values()) if (agent.executors.has(id)) found.add(agent);
  return found;
}

/** What Mesos does not let a framework change, or undefined. */
function immutableFault(before: FrameworkInfo, after: FrameworkInfo): string | undefined {
  const changed = (['principal', 'user', 'checkpoint'] as const).find((field) => before[field] !== after[field]);
  return changed === undefined ? undefined : `Updating 'FrameworkInfo.${changed}' is unsupported`;
}

function suppress(framework: Framework, roles: readonly string[] = [...framework.suppressed]): void {
  framework.suppressed.clear();
  for (const role of roles) if (framework.roles.includes(role)) framework.suppressed.add(role);
}
