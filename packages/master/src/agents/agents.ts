import type { BodyOf, PID } from '@mezzo/process';
import {
  agentAtMaster,
  type AgentAtMasterEffect,
  type AgentAtMasterEvent,
  AgentID,
  type AgentInfo,
  agentMessages,
  Resources,
  schedulerMessages,
} from '@mezzo/protocol';
import type { Frameworks } from '../frameworks/frameworks.ts';
import { type MasterContext, sendToAgent, sendToFramework } from '../master-context.ts';
import type { InverseOffers } from '../offers/inverse-offers.ts';
import type { Offers } from '../offers/offers.ts';
import type { Operations } from '../operations/operations.ts';
import type { Cause, Tasks } from '../tasks/tasks.ts';
import { agentFault } from '../validation/agent.ts';
import { Agent, type Introduction } from './agent.ts';
import { AgentObserver } from './agent-observer.ts';
import { type Report, reportedTasks } from './report.ts';
import { type Instructions, ReturningTasks } from './returning-tasks.ts';

/** What goes with an event: why an agent is lost, or what it reported. */
interface Occasion {
  readonly why?: string;
  readonly report?: Report;
  instructions?: Instructions;
}

interface AgentsParts {
  readonly offers: Offers;
  readonly inverseOffers: InverseOffers;
  readonly tasks: Tasks;
  readonly operations: Operations;
  readonly frameworks: Frameworks;
}

/** Walks agents through their lifecycle and carries out what that asks for. */
export class Agents {
  readonly #context: MasterContext;
  readonly #offers: Offers;
  readonly #inverseOffers: InverseOffers;
  readonly #tasks: Tasks;
  readonly #operations: Operations;
  readonly #frameworks: Frameworks;
  readonly #returning: ReturningTasks;
  /** Registered agents by `id@node`: who registers from there again replaces the one before. */
  readonly #byLocation = new Map<string, Agent>();
  #numbers = 0;

  constructor(context: MasterContext, parts: AgentsParts) {
    this.#context = context;
    this.#offers = parts.offers;
    this.#inverseOffers = parts.inverseOffers;
    this.#tasks = parts.tasks;
    this.#operations = parts.operations;
    this.#frameworks = parts.frameworks;
    this.#returning = new ReturningTasks(context, parts.tasks);
  }

  register(introduction: Introduction, from: PID): void {
    const { agent: info, version } = introduction;
    if (!this.#isValid(introduction, from)) return;
    const before = this.#byLocation.get(from.toString());
    if (before?.isConnected === true && before.pid.equals(from)) {
      this.#step(before, 'REGISTER', {});
      return;
    }
    this.#replace(before);
    const id = AgentID(`${this.#context.id}-S${this.#numbers++}`);
    const agent = new Agent(id, version, from, this.#context.now());
    agent.introduce({ ...introduction, agent: { ...info, id } });
    this.#step(agent, 'REGISTER', {});
    this.#context.metrics.agentRegistrations.increment();
  }

  reregister(given: Report, from: PID): void {
    const { agent: info, version } = given;
    const { agents, unreachableAgents, log, term } = this.#context;
    if (info.id === undefined) return this.register(given, from);
    if (!this.#isValid(given, from)) return;
    const report = { ...given, tasks: [...reportedTasks(given, info.id)] };
    const known = agents.get(info.id) ?? unreachableAgents.get(info.id);
    const fault = known === undefined ? undefined : takeoverFault(known, info, from);
    if (fault !== undefined) {
      log.warn({ agentId: info.id, agent: from.toString() }, fault);
      this.#context.send(from, agentMessages.ShutdownAgent, { term, message: fault });
      return;
    }
    const before = this.#byLocation.get(from.toString());
    if (before !== known) this.#replace(before);
    const agent = known ?? new Agent(info.id, version, from, this.#context.now());
    if (agent.pid.toString() !== from.toString()) this.#byLocation.delete(agent.pid.toString());
    this.#return(agent, given, from);
    this.#step(agent, 'REREGISTER', {
      report,
      why: known === undefined ? 'Unknown agent reregistered' : 'Unreachable agent re-reregistered',
    });
    this.#context.metrics.agentReregistrations.increment();
  }

  unregister(id: AgentID, from: PID): void {
    const agent = this.#calledBy(id, from);
    if (agent !== undefined) this.#step(agent, 'UNREGISTER', { why: 'the agent unregistered' });
  }

  /** What the agent has beside its tasks. */
  update({ agentId, operations }: BodyOf<typeof agentMessages.UpdateAgent>, from: PID): void {
    const agent = this.#calledBy(agentId, from);
    if (agent !== undefined) this.#operations.adopt(agent, operations);
  }

  pong(id: AgentID, from: PID): void {
    this.#calledBy(id, from)?.observer?.pong();
  }

  exited(pid: PID): void {
    const agent = this.#byLocation.get(pid.toString());
    if (agent?.pid.equals(pid) === true) this.#step(agent, 'DISCONNECT', {});
  }

  #calledBy(id: AgentID, from: PID): Agent | undefined {
    const agent = this.#context.agents.get(id);
    return agent?.pid.equals(from) === true ? agent : undefined;
  }

  #isValid({ agent: info, version, checkpointedResources }: Introduction, from: PID): boolean {
    const fault = agentFault(info, version, checkpointedResources);
    if (fault === undefined) return true;
    const message = `Agent ${info.hostname} may not register: ${fault}`;
    this.#context.log.warn({ agent: from.toString() }, message);
    this.#context.send(from, agentMessages.ShutdownAgent, { term: this.#context.term, message });
    return false;
  }

  /** Another agent has come up at the address of this one, so this one is dead. */
  #replace(agent: Agent | undefined): void {
    if (agent === undefined) return;
    this.#step(agent, 'DISCONNECT', {});
    this.#step(agent, 'REPLACE', { why: 'a new agent registered at the same address' });
  }

  #return(agent: Agent, introduction: Introduction, from: PID): void {
    agent.pid = from;
    agent.version = introduction.version;
    agent.reregisteredAt = this.#context.now();
    agent.observer?.pong();
    const total = agent.total;
    agent.introduce(introduction);
    this.#byLocation.set(from.toString(), agent);
    this.#context.link(from);
    if (!agent.isRegistered || agent.total.equals(total)) return;
    for (const offer of [...agent.offers]) this.#offers.rescind(offer);
    this.#context.allocator.addAgent(agent);
  }

  #step(agent: Agent, event: AgentAtMasterEvent, occasion: Occasion): void {
    const transition = agentAtMaster.next(agent.state, event);
    if (transition === undefined) return;
    agent.state = transition.state;
    let isStored = false;
    for (const effect of transition.effects) isStored = this.#carryOut(effect, agent, occasion) || isStored;
    if (isStored) this.#step(agent, 'STORED', occasion);
  }

  /** @returns true when something was stored: there is no registrar yet, so that needs no time */
  #carryOut(effect: AgentAtMasterEffect, agent: Agent, occasion: Occasion): boolean {
    const { allocator, options } = this.#context;
    switch (effect) {
      case 'admit':
      case 'storeReachable':
      case 'storeUnreachable':
      case 'storeRemoved':
        return true;
      case 'addAgent':
        this.#add(agent, occasion.report);
        break;
      case 'offerAgent':
        allocator.addAgent(agent);
        break;
      case 'confirm':
        this.#confirm(agent, occasion);
        break;
      case 'reconcile':
        if (occasion.report !== undefined) occasion.instructions = this.#returning.reconcile(agent, occasion.report);
        break;
      case 'activate':
        allocator.activateAgent(agent.id);
        break;
      case 'deactivate':
        allocator.deactivateAgent(agent.id);
        this.#takeOffersBack(agent);
        break;
      case 'loseVolatileTasks':
        this.#loseVolatileTasks(agent);
        break;
      case 'removeAgent':
        this.#remove(agent, occasion);
        break;
      case 'settleTasks':
        this.#settleTasks(agent, occasion);
        break;
      case 'sendFailure':
        for (const framework of this.#context.frameworks.values()) {
          sendToFramework(this.#context, framework, schedulerMessages.Failure, {
            term: this.#context.term,
            agentId: agent.id,
          });
        }
        break;
      case 'startPinging':
        this.#startPinging(agent);
        break;
      case 'stopPinging':
        agent.observer?.stop();
        break;
      case 'startReregisterTimer':
        agent.reregisterTimer = this.#context.delay(options.agentReregisterTimeout, () => {
          const why = `agent did not reregister within ${options.agentReregisterTimeout / 1000}secs after disconnecting`;
          this.#step(agent, 'REREGISTER_TIMEOUT', { why });
        });
        break;
      case 'stopReregisterTimer':
        agent.reregisterTimer?.cancel();
        break;
      case 'announceRemoval':
        // There are no subscribers to the master yet.
        break;
    }
    return false;
  }

  #takeOffersBack(agent: Agent): void {
    for (const offer of [...agent.offers]) this.#offers.rescind(offer);
    this.#inverseOffers.rescindOf(agent.id);
  }

  #add(agent: Agent, report: Report | undefined): void {
    const { agents, unreachableAgents, log } = this.#context;
    // One that comes back brings its tasks along.
    agent.clear();
    for (const { frameworkId, executor } of report?.executors ?? []) {
      const resources = Resources.of(executor.resources);
      agent.addExecutor({ frameworkId, info: executor, resources });
    }
    agents.set(agent.id, agent);
    unreachableAgents.delete(agent.id);
    this.#byLocation.set(agent.pid.toString(), agent);
    this.#context.link(agent.pid);
    for (const info of report?.frameworks ?? []) this.#frameworks.recover(info);
    log.info({ agentId: agent.id, hostname: agent.info.hostname, resources: String(agent.total) }, 'added an agent');
  }

  #confirm(agent: Agent, { report, instructions }: Occasion): void {
    const { options, term } = this.#context;
    const totalPingTimeout = options.agentPingTimeout * options.maxAgentPingTimeouts;
    const body = { term, agentId: agent.id, totalPingTimeout };
    if (report === undefined) {
      sendToAgent(this.#context, agent, agentMessages.AgentRegistered, body);
      return;
    }
    const reconcile = [...(instructions?.reconcile ?? [])];
    sendToAgent(this.#context, agent, agentMessages.AgentReregistered, { ...body, reconcile });
    for (const { frameworkId, id: taskId, kill } of instructions?.kill ?? []) {
      const gracePeriod = kill?.gracePeriod === undefined ? undefined : { gracePeriod: kill.gracePeriod };
      const order: BodyOf<typeof agentMessages.KillTask> = { term, frameworkId, taskId, ...gracePeriod };
      sendToAgent(this.#context, agent, agentMessages.KillTask, order);
    }
    for (const frameworkId of instructions?.shutdown ?? []) {
      sendToAgent(this.#context, agent, agentMessages.ShutdownFramework, { term, frameworkId });
    }
  }

  #startPinging(agent: Agent): void {
    const { options, term } = this.#context;
    agent.observer = new AgentObserver({
      interval: options.agentPingTimeout,
      limit: options.maxAgentPingTimeouts,
      delay: (milliseconds, call) => this.#context.delay(milliseconds, call),
      ping: () => this.#context.send(agent.pid, agentMessages.Ping, { term, connected: agent.isConnected }),
      lost: () => this.#step(agent, 'PING_TIMEOUT', { why: 'health check timed out' }),
    });
  }

  #loseVolatileTasks(agent: Agent): void {
    const cause = { reason: 'REASON_AGENT_DISCONNECTED', message: `Agent ${agent.info.hostname} disconnected` };
    for (const task of [...agent.tasks]) {
      const framework = this.#context.frameworks.get(task.frameworkId);
      if (framework?.info.checkpoint === false) this.#tasks.decide(task, 'AGENT_DISCONNECTED', cause);
    }
  }

  #remove(agent: Agent, { why }: Occasion): void {
    const { agents, unreachableAgents, allocator, metrics, log } = this.#context;
    this.#takeOffersBack(agent);
    this.#operations.lose(agent, agent.state === 'unreachable' ? 'AGENT_UNREACHABLE' : 'FORGET');
    allocator.removeAgent(agent.id);
    agents.delete(agent.id);
    if (this.#byLocation.get(agent.pid.toString()) === agent) this.#byLocation.delete(agent.pid.toString());
    if (agent.state === 'unreachable') {
      agent.unreachableAt = this.#context.now();
      unreachableAgents.add(agent.id, agent);
      metrics.agentUnreachable.increment();
    }
    metrics.agentRemovals.increment();
    log.warn({ agentId: agent.id, hostname: agent.info.hostname }, `removed an agent: ${why ?? ''}`);
  }

  /** Each task of the agent gets what fits the agent's new state. */
  #settleTasks(agent: Agent, occasion: Occasion): void {
    const { report, why = '' } = occasion;
    if (agent.isRegistered) {
      if (report !== undefined) occasion.instructions = this.#returning.adopt(agent, report, why);
      return;
    }
    const isUnreachable = agent.state === 'unreachable';
    const message = isUnreachable ? why : `Agent ${agent.info.hostname} removed: ${why}`;
    const cause: Cause = { reason: 'REASON_AGENT_REMOVED', message };
    for (const task of [...agent.tasks]) {
      const isAware = this.#context.frameworks.get(task.frameworkId)?.has('PARTITION_AWARE') === true;
      const unreachable = isAware ? 'AGENT_UNREACHABLE' : 'AGENT_UNREACHABLE_UNAWARE';
      this.#tasks.decide(task, isUnreachable ? unreachable : 'AGENT_REMOVED', cause);
    }
  }
}

/** Why somebody cannot be the agent whose id it gives, or undefined. */
function takeoverFault(known: Agent, info: AgentInfo, from: PID): string | undefined {
  if (known.info.hostname !== info.hostname) {
    return `Agent ${known.id} is known from host ${known.info.hostname}, not ${info.hostname}`;
  }
  if (known.isConnected && known.pid.toString() !== from.toString()) {
    return `Agent ${known.id} is connected from ${known.pid.toString()}, not ${from.toString()}`;
  }
  return undefined;
}
