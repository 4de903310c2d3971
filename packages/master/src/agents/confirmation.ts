import type { BodyOf } from '@mezzo/process';
import { agentMessages } from '@mezzo/protocol';
import { type MasterContext, sendToAgent } from '../master-context.ts';
import type { Agent } from './agent.ts';
import type { Instructions } from './returning-tasks.ts';

/**
 * Tells an agent that it is registered.
 *
 * @param instructions for one that has been here before
 */
export function confirm(context: MasterContext, agent: Agent, instructions: Instructions | undefined): void {
  const { options, term } = context;
  const totalPingTimeout = options.agentPingTimeout * options.maxAgentPingTimeouts;
  const body = { term, agentId: agent.id, totalPingTimeout };
  if (instructions === undefined) {
    sendToAgent(context, agent, agentMessages.AgentRegistered, body);
    return;
  }
  const { reconcile, kill, shutdown } = instructions;
  sendToAgent(context, agent, agentMessages.AgentReregistered, { ...body, reconcile: [...reconcile] });
  for (const { frameworkId, id: taskId, kill: asked } of kill) {
    const gracePeriod = asked?.gracePeriod === undefined ? undefined : { gracePeriod: asked.gracePeriod };
    const order: BodyOf<typeof agentMessages.KillTask> = { term, frameworkId, taskId, ...gracePeriod };
    sendToAgent(context, agent, agentMessages.KillTask, order);
  }
  for (const frameworkId of shutdown)
    sendToAgent(context, agent, agentMessages.ShutdownFramework, { term, frameworkId });
}
