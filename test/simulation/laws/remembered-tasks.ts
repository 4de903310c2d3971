import { isTerminal } from '@mezzo/protocol';
import type { Agent as MasterAgent } from '../../../packages/master/src/agents/agent.ts';
import { type Scene, type SeenMaster, Violation } from '../scene.ts';
import type { Law } from './law.ts';

/**
 * No task is forgotten: while an agent is registered, the master knows what runs there. In the end all agree: every framework
 * has heard of each of its tasks, and what it heard last is how it is.
 */
export class RememberedTasks implements Law {
  looks = 0;
  readonly #scene: Scene;
  /** How many tasks of each agent a master knew when it was looked at last. */
  readonly #counted = new WeakMap<MasterAgent, number>();

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  settled(nodes: ReadonlySet<string>): void {
    for (const node of nodes) {
      const master = this.#scene.master(node);
      if (master === undefined) this.#lookAt(node);
      else
        for (const agent of master.context.agents.values())
          if (this.#hasChanged(agent)) this.#lookAt(agent.info.hostname);
    }
  }

  #hasChanged(agent: MasterAgent): boolean {
    const tasks = agent.tasks.size;
    if (this.#counted.get(agent) === tasks) return false;
    this.#counted.set(agent, tasks);
    return true;
  }

  #lookAt(node: string): void {
    const agent = this.#scene.agent(node);
    if (agent?.['state'] !== 'running') return;
    const leader = agent['master'];
    const id = agent['agentId'];
    const master = leader && this.#scene.master(leader.node);
    if (master === undefined || id === undefined) return;
    const known = master.context.agents.get(id);
    if (known?.isConnected !== true || !known.pid.equals(agent.self)) return;
    for (const framework of agent['frameworks'].running()) {
      const remembered = master.context.frameworks.get(framework.id);
      if (remembered === undefined) continue;
      for (const task of framework.tasks.values()) {
        if (!task.isActive) continue;
        this.looks++;
        if (!remembered.tasks.has(task.id))
          throw new Violation(`Task ${task.id} runs on ${node}, and the master on ${master.node} does not know it`);
      }
    }
  }

  over(): void {
    const leader = this.#leader();
    const running = this.#running(leader);
    for (const agent of leader.context.agents.values()) {
      for (const task of agent.tasks) {
        this.looks++;
        const state = running.get(`${task.frameworkId} ${task.id}`);
        if (state !== task.state)
          throw new Violation(
            `Task ${task.id} is ${task.state} for the master on ${leader.node}, and ${state ?? 'unknown'} on ${agent.info.hostname}`,
          );
      }
    }
    for (const record of this.#scene.frameworks) {
      for (const task of record.tasks.values()) {
        this.looks++;
        const truth = record.id === undefined ? undefined : running.get(`${record.id} ${task.id}`);
        if (task.state === undefined)
          throw new Violation(`Framework ${record.name} never heard of its task ${task.id} on agent ${task.agentId}`);
        // An agent that never heard of its name has another one now: nobody can tell of what was sent to it by the old one.
        const isLostAgent = task.state === 'TASK_UNREACHABLE' && leader.context.unreachableAgents.has(task.agentId);
        if (truth === undefined && !isTerminal(task.state) && !isLostAgent)
          throw new Violation(
            `Framework ${record.name} takes its task ${task.id} for ${task.state}, and no agent has it (${task.agentId})`,
          );
        if (truth !== undefined && truth !== task.state)
          throw new Violation(
            `Framework ${record.name} takes its task ${task.id} for ${task.state}, and it is ${truth}`,
          );
      }
    }
  }

  #leader(): SeenMaster {
    const leaders = this.#scene.masters();
    const [leader] = leaders;
    if (leader === undefined || leaders.length > 1)
      throw new Violation(`In the end ${leaders.length} masters lead: ${leaders.map(({ node }) => node).join()}`);
    return leader;
  }

  /** States by framework and task, as the agents know them. */
  #running({ context, node }: SeenMaster): ReadonlyMap<string, string> {
    const running = new Map<string, string>();
    for (const { node: machine, agent } of this.#scene.agents()) {
      const id = agent['agentId'];
      const known = id === undefined ? undefined : context.agents.get(id);
      if (agent['state'] !== 'running' || known?.isConnected !== true)
        throw new Violation(
          `In the end ${machine} (${id ?? 'unnamed'}) is ${agent['state']}, and ${known?.state ?? 'unknown'} to ${node}`,
        );
      for (const framework of agent['frameworks'].all())
        for (const task of framework.tasks.values()) running.set(`${framework.id} ${task.id}`, task.latestState);
    }
    return running;
  }
}
