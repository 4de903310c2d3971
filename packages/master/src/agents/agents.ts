import { type BodyOf, Deferred, type Future, type PID } from '@mezzo/process';
import {
  agentAtMaster,
  type AgentAtMasterEffect,
  type AgentAtMasterEvent,
  AgentID,
  type AgentInfo,
  agentMessages,
  type RegistryOperation,
  Resources,
  schedulerMessages,
} from '@mezzo/protocol';
import type { Frameworks } from '../frameworks/frameworks.ts';
import { type MasterContext, sendToFramework } from '../master-context.ts';
import type { InverseOffers } from '../offers/inverse-offers.ts';
import type { Offers } from '../offers/offers.ts';
import type { Operations } from '../operations/operations.ts';
import { machineKey } from '../registrar/index.ts';
import type { Tasks } from '../tasks/tasks.ts';
import { Admission, isSameInfo, takeoverFault } from './admission.ts';
import { oversubscribe } from './oversubscription.ts';
import { Agent, type Introduction } from './agent.ts';
import { AgentObserver } from './agent-observer.ts';
import { confirm } from './confirmation.ts';
import { LostTasks } from './lost-tasks.ts';
import { type Report, reportedTasks } from './report.ts';
import { type Instructions, nothing, ReturningTasks } from './returning-tasks.ts';
import { Scheduling } from './scheduling.ts';

/** What goes with an event: who the agent is, what it reported, or why it is lost. */
interface Occasion {
  readonly why?: string;
  readonly introduction?: Introduction;
  readonly from?: PID;
  readonly report?: Report;
  /** It was only this master that did not know it, so its frameworks need not hear of its tasks. */
  readonly isExpected?: boolean;
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
  readonly scheduling: Scheduling;
  readonly #context: MasterContext;
  readonly #offers: Offers;
  readonly #inverseOffers: InverseOffers;
  readonly #operations: Operations;
  readonly #frameworks: Frameworks;
  readonly #admission: Admission;
  readonly #returning: ReturningTasks;
  readonly #lostTasks: LostTasks;
  /** By `id@node`, from the first registration on: who registers from there again replaces the one before. */
  readonly #byLocation = new Map<string, Agent>();
  /** Agents whose return is being stored. */
  readonly #reregistering = new Map<AgentID, Agent>();
  /** Who waits for agents to be gone. */
  readonly #marked = new Map<AgentID, readonly Deferred<void>[]>();
  #numbers = 0;

  constructor(context: MasterContext, parts: AgentsParts) {
    this.#context = context;
    this.#offers = parts.offers;
    this.#inverseOffers = parts.inverseOffers;
    this.#operations = parts.operations;
    this.#frameworks = parts.frameworks;
    this.#admission = new Admission(context);
    this.#returning = new ReturningTasks(context, parts.tasks, (agent) => this.#takeOffersBack(agent));
    this.#lostTasks = new LostTasks(context, parts.tasks);
    this.scheduling = new Scheduling(context, {
      takeOffersBack: (agent) => this.#takeOffersBack(agent),
      markGone: (agent) => this.markGone(agent),
    });
  }

  /** What the registry has when the master begins. */
  recover(): void {
    const { agents, unreachable } = this.#context.registry.state;
    for (const { agentId, info } of agents.values()) {
      const agent = this.#create(agentId, this.#context.nobody);
      agent.introduce({ agent: info, version: '' });
      this.#step(agent, 'RECOVER', {});
      this.#context.recoveredAgents.set(agentId, agent);
    }
    for (const { agentId, timestamp } of unreachable.values()) {
      const agent = this.#create(agentId, this.#context.nobody);
      agent.unreachableAt = timestamp;
      this.#step(agent, 'RECOVER_UNREACHABLE', {});
      this.#context.unreachableAgents.set(agentId, agent);
    }
  }

  register(introduction: Introduction, from: PID): void {
    const { agent: info } = introduction;
    if (!this.#admission.admits(introduction, from)) return;
    const before = this.#byLocation.get(from.toString());
    if (before?.pid.equals(from) === true && (before.isConnected || before.state === 'registering')) {
      this.#step(before, 'REGISTER', {});
      return;
    }
    this.#replace(before);
    const id = AgentID(`${this.#context.id}-S${this.#numbers++}`);
    const agent = this.#create(id, from);
    this.#byLocation.set(from.toString(), agent);
    this.#context.metrics.agentRegistrations.increment();
    this.#step(agent, 'REGISTER', { introduction: { ...introduction, agent: { ...info, id } }, from });
  }

  reregister(given: Report, from: PID): void {
    const { agent: info } = given;
    const { id } = info;
    if (id === undefined) return this.register(given, from);
    if (this.#context.goneAgents.has(id)) {
      this.#admission.refuse(from, 'Agent has been marked gone');
      return;
    }
    if (!this.#admission.admits(given, from)) return;
    const known = this.find(id);
    const fault = known?.isRegistered === true ? takeoverFault(known, info, from) : undefined;
    if (fault !== undefined) {
      this.#admission.refuse(from, fault);
      return;
    }
    const before = this.#byLocation.get(from.toString());
    if (before !== known) this.#replace(before);
    const report = { ...given, tasks: [...reportedTasks(given, id)] };
    const agent = known ?? this.#create(id, from);
    const isChanged = agent.isRegistered && !isSameInfo(agent.info, info);
    const isUnreachable = agent.state === 'unreachable';
    this.#context.metrics.agentReregistrations.increment();
    this.#step(agent, isChanged ? 'CHANGED' : 'REREGISTER', {
      report,
      introduction: given,
      from,
      isExpected: agent.state === 'recovered',
      why: isUnreachable ? 'Unreachable agent re-reregistered' : 'Unknown agent reregistered',
    });
  }

  unregister(id: AgentID, from: PID): void {
    const agent = this.#calledBy(id, from);
    if (agent !== undefined) this.#step(agent, 'UNREGISTER', { why: 'the agent unregistered' });
  }

  /** What the agent has beside its tasks. */
  update({ agentId, operations, oversubscribedResources }: BodyOf<typeof agentMessages.UpdateAgent>, from: PID): void {
    const agent = this.#calledBy(agentId, from);
    if (agent === undefined) return;
    if (oversubscribedResources !== undefined)
      oversubscribe(this.#context, agent, oversubscribedResources, (offer) => this.#offers.rescind(offer));
    this.#operations.adopt(agent, operations);
    this.scheduling.relieved(agent);
  }

  pong(id: AgentID, from: PID): void {
    const agent = this.#context.agents.get(id);
    if (agent?.pid.toString() === from.toString()) agent.observer?.pong();
  }

  exited(pid: PID): void {
    const agent = this.#byLocation.get(pid.toString());
    if (agent?.pid.equals(pid) === true) this.#step(agent, 'DISCONNECT', {});
  }

  /** Recovered, registered or unreachable. */
  find(id: AgentID): Agent | undefined {
    const { agents, recoveredAgents, unreachableAgents } = this.#context;
    return agents.get(id) ?? this.#reregistering.get(id) ?? recoveredAgents.get(id) ?? unreachableAgents.get(id);
  }

  /** An operator says that it will never come back, or it was drained to be gone. False while something else is under way. */
  markGone(agent: Agent): boolean {
    return this.#step(agent, 'MARK_GONE', { why: 'Agent has been marked gone' });
  }

  /** READY once it is stored that the agent is gone. */
  marked(id: AgentID): Future<void> {
    const marked = new Deferred<void>();
    this.#marked.set(id, [...(this.#marked.get(id) ?? []), marked]);
    return marked.future;
  }

  /** Its machine goes into maintenance. */
  takeDown(agent: Agent): void {
    this.#step(agent, 'TAKE_DOWN', { why: 'Machine is `DOWN`' });
  }

  /** It did not come back to this master in time. */
  giveUp(agent: Agent, why: string): void {
    this.#step(agent, 'REREGISTER_TIMEOUT', { why });
  }

  #create(id: AgentID, pid: PID): Agent {
    return new Agent(id, pid, this.#context.now());
  }

  #calledBy(id: AgentID, from: PID): Agent | undefined {
    const agent = this.#context.agents.get(id);
    return agent?.pid.equals(from) === true ? agent : undefined;
  }

  /** Another agent has come up at the address of this one, so this one is dead. */
  #replace(agent: Agent | undefined): void {
    if (agent === undefined) return;
    this.#step(agent, 'DISCONNECT', {});
    this.#step(agent, 'REPLACE', { why: 'a new agent registered at the same address' });
  }

  /** False if the agent does not take the event in its state. */
  #step(agent: Agent, event: AgentAtMasterEvent, occasion: Occasion): boolean {
    const transition = agentAtMaster.next(agent.state, event);
    if (transition === undefined) return false;
    agent.state = transition.state;
    for (const effect of transition.effects) this.#carryOut(effect, agent, occasion);
    return true;
  }

  #carryOut(effect: AgentAtMasterEffect, agent: Agent, occasion: Occasion): void {
    const { allocator, options, now } = this.#context;
    const { id: agentId } = agent;
    const info = occasion.introduction?.agent;
    switch (effect) {
      case 'admit':
        if (info !== undefined) this.#store(agent, occasion, { kind: 'ADMIT_AGENT', agentId, info });
        break;
      case 'storeReachable':
        this.#reregistering.set(agentId, agent);
        if (info !== undefined) this.#storeReturn(agent, occasion, info);
        break;
      case 'storeUpdate':
        if (info !== undefined) this.#store(agent, occasion, { kind: 'UPDATE_AGENT', agentId, info });
        break;
      case 'storeUnreachable':
        this.#store(agent, occasion, { kind: 'MARK_AGENT_UNREACHABLE', agentId, timestamp: now() });
        break;
      case 'storeGone':
        this.#store(agent, occasion, { kind: 'MARK_AGENT_GONE', agentId, timestamp: now() });
        break;
      case 'storeRemoved':
        this.#store(agent, occasion, { kind: 'REMOVE_AGENT', agentId });
        break;
      case 'introduce':
        this.#introduce(agent, occasion);
        break;
      case 'addAgent':
        this.#add(agent, occasion.report);
        break;
      case 'offerAgent':
        allocator.addAgent(agent);
        this.scheduling.returned(agent);
        break;
      case 'confirm':
        // One that is back is told so, whatever there is to say.
        confirm(this.#context, agent, occasion.report && (occasion.instructions ?? nothing));
        break;
      case 'reconcile':
        if (occasion.report !== undefined) occasion.instructions = this.#returning.reconcile(agent, occasion.report);
        break;
      case 'activate':
        if (agent.isOffered) allocator.activateAgent(agentId);
        this.scheduling.returned(agent);
        break;
      case 'deactivate':
        allocator.deactivateAgent(agentId);
        this.#takeOffersBack(agent);
        break;
      case 'loseVolatileTasks':
        this.#lostTasks.volatile(agent);
        break;
      case 'removeAgent':
        this.#remove(agent, occasion);
        break;
      case 'settleTasks':
        this.#settleTasks(agent, occasion);
        break;
      case 'sendFailure':
        this.#sendFailure(agent);
        break;
      case 'shutdownAgent':
        for (const marked of this.#marked.get(agentId) ?? []) marked.set();
        this.#marked.delete(agentId);
        if (agent.pid.equals(this.#context.nobody)) break;
        this.#admission.refuse(agent.pid, occasion.why ?? '');
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
          this.#context.removals.permit(() => this.giveUp(agent, why));
        });
        break;
      case 'stopReregisterTimer':
        agent.reregisterTimer?.cancel();
        break;
    }
  }

  #store(agent: Agent, occasion: Occasion, operation: RegistryOperation): void {
    this.#context.registry.change(operation).onReady((fault) => {
      // The registry and this master disagree: that is no state to go on from.
      if (fault !== undefined) this.#context.lost(`The registry rejected ${operation.kind} of ${agent.id}: ${fault}`);
      else this.#step(agent, 'STORED', occasion);
    });
  }

  /** One that the registry has as it is needs no record: ten thousand may come back at once. */
  #storeReturn(agent: Agent, occasion: Occasion, info: AgentInfo): void {
    const admitted = this.#context.registry.state.agents.get(agent.id);
    if (admitted === undefined) {
      this.#store(agent, occasion, { kind: 'MARK_AGENT_REACHABLE', agentId: agent.id, info });
    } else if (isSameInfo(admitted.info, info)) {
      this.#step(agent, 'STORED', occasion);
    } else {
      this.#store(agent, occasion, { kind: 'UPDATE_AGENT', agentId: agent.id, info });
    }
  }

  #introduce(agent: Agent, { introduction, from }: Occasion): void {
    if (introduction === undefined || from === undefined) return;
    if (agent.pid.toString() !== from.toString() && this.#byLocation.get(agent.pid.toString()) === agent)
      this.#byLocation.delete(agent.pid.toString());
    const { total, isRegistered } = { total: agent.total, isRegistered: this.#context.agents.has(agent.id) };
    agent.pid = from;
    agent.introduce(introduction);
    agent.observer?.pong();
    this.#byLocation.set(from.toString(), agent);
    this.#context.link(from);
    if (!isRegistered) return;
    // One that can no longer carry operations out, an older program perhaps, has forgotten them.
    if (!agent.has('AGENT_OPERATION_FEEDBACK')) this.#operations.lose(agent, 'FORGET');
    this.#operations.expect(agent, introduction.operations ?? []);
    agent.reregisteredAt = this.#context.now();
    if (!agent.total.equals(total)) this.changed(agent);
  }

  /** Its resources are others: nothing that was offered of them stands. */
  changed(agent: Agent): void {
    this.#takeOffersBack(agent);
    this.#context.allocator.addAgent(agent);
  }

  #add(agent: Agent, report: Report | undefined): void {
    const { agents, recoveredAgents, unreachableAgents, registry, log, now } = this.#context;
    // One that comes back brings its tasks along.
    agent.clear();
    for (const { frameworkId, executor } of report?.executors ?? [])
      agent.addExecutor({ frameworkId, info: executor, resources: Resources.of(executor.resources) });
    agents.set(agent.id, agent);
    this.#reregistering.delete(agent.id);
    recoveredAgents.delete(agent.id);
    unreachableAgents.delete(agent.id);
    if (report !== undefined) agent.reregisteredAt = now();
    agent.unreachableAt = undefined;
    const { hostname, ip } = agent.info;
    agent.unavailability = registry.state.machines.get(
      machineKey(ip === undefined ? { hostname } : { hostname, ip }),
    )?.unavailability;
    for (const framework of report?.frameworks ?? []) this.#frameworks.recover(framework);
    log.info({ agentId: agent.id, hostname, resources: String(agent.total) }, 'added an agent');
  }

  #startPinging(agent: Agent): void {
    const { options, term, removals, metrics, successor } = this.#context;
    // One that was started again lives, though it may take its time to recover.
    const address = successor(agent.pid);
    agent.observer = new AgentObserver({
      interval: options.agentPingTimeout,
      limit: options.maxAgentPingTimeouts,
      delay: (milliseconds, call) => this.#context.delay(milliseconds, call),
      ping: () => this.#context.send(address, agentMessages.Ping, { term, connected: agent.isConnected }),
      permit: (call) => removals.permit(call),
      metrics: {
        scheduled: () => metrics.counter('slave_unreachable_scheduled').increment(),
        cancelled: () => metrics.counter('slave_unreachable_canceled').increment(),
      },
      lost: () => this.#step(agent, 'PING_TIMEOUT', { why: 'health check timed out' }),
    });
  }

  #takeOffersBack(agent: Agent): void {
    for (const offer of [...agent.offers]) this.#offers.rescind(offer);
    this.#inverseOffers.rescindOf(agent.id);
  }

  #sendFailure({ id: agentId }: Agent): void {
    const { frameworks, term } = this.#context;
    for (const framework of frameworks.values())
      sendToFramework(this.#context, framework, schedulerMessages.Failure, { term, agentId });
  }

  #remove(agent: Agent, { why }: Occasion): void {
    const { agents, recoveredAgents, unreachableAgents, allocator, metrics, registry, log } = this.#context;
    const isUnreachable = agent.state === 'unreachable';
    const location = agent.pid.toString();
    if (this.#byLocation.get(location) === agent) this.#byLocation.delete(location);
    unreachableAgents.delete(agent.id);
    recoveredAgents.delete(agent.id);
    if (isUnreachable) {
      agent.unreachableAt = registry.state.unreachable.get(agent.id)?.timestamp ?? this.#context.now();
      unreachableAgents.set(agent.id, agent);
      metrics.agentUnreachable.increment();
    }
    if (!agents.has(agent.id)) return;
    this.#takeOffersBack(agent);
    this.#operations.lose(
      agent,
      isUnreachable ? 'AGENT_UNREACHABLE' : agent.state === 'gone' ? 'AGENT_GONE' : 'FORGET',
    );
    allocator.removeAgent(agent.id);
    agents.delete(agent.id);
    metrics.agentRemovals.increment();
    log.warn({ agentId: agent.id, hostname: agent.info.hostname }, `removed an agent: ${why ?? ''}`);
  }

  /** Each task of the agent gets what fits the agent's new state. */
  #settleTasks(agent: Agent, occasion: Occasion): void {
    const { report, why = '', isExpected = false } = occasion;
    if (!agent.isRegistered) this.#lostTasks.settle(agent, why);
    else if (report !== undefined)
      occasion.instructions = this.#returning.adopt(agent, report, isExpected ? undefined : why);
  }
}
