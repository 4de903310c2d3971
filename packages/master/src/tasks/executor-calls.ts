import type { BodyOf, PID } from '@mezzo/process';
import { agentMessages, schedulerMessages } from '@mezzo/protocol';
import type { Agent } from '../agents/agent.ts';
import type { Framework } from '../frameworks/framework.ts';
import { type MasterContext, sendToAgent, sendToFramework } from '../master-context.ts';

type Shutdown = BodyOf<typeof schedulerMessages.ShutdownExecutor>;
type ToExecutor = BodyOf<typeof schedulerMessages.MessageToExecutor>;
type ToFramework = BodyOf<typeof agentMessages.ExecutorMessage>;
type Exited = BodyOf<typeof agentMessages.ExitedExecutor>;

/** What frameworks and agents say about executors. Messages between a framework and its executors may be lost. */
export class ExecutorCalls {
  readonly #context: MasterContext;

  constructor(context: MasterContext) {
    this.#context = context;
  }

  shutdown(framework: Framework, { agentId, executorId }: Shutdown): void {
    const { agents, term, log } = this.#context;
    const body = { term, frameworkId: framework.id, executorId };
    if (!sendToAgent(this.#context, agents.get(agentId), agentMessages.ShutdownAgentExecutor, body))
      log.warn({ agentId, executorId }, 'cannot shut an executor down: its agent is not connected');
  }

  toExecutor(framework: Framework, { agentId, executorId, data }: ToExecutor): void {
    const { agents, term } = this.#context;
    const body = { term, frameworkId: framework.id, executorId, data };
    const isSent = sendToAgent(this.#context, agents.get(agentId), agentMessages.FrameworkMessage, body);
    this.#count(isSent, 'framework_to_executor_messages');
  }

  toFramework({ agentId, frameworkId, executorId, data }: ToFramework, from: PID): void {
    const framework = this.#context.frameworks.get(frameworkId);
    const isKnown = this.#calledBy(agentId, from) !== undefined && framework !== undefined;
    const body = { term: this.#context.term, agentId, executorId, data };
    const isSent = isKnown && sendToFramework(this.#context, framework, schedulerMessages.MessageFromExecutor, body);
    this.#count(isSent, 'executor_to_framework_messages');
  }

  /** Its tasks have updates of their own. */
  exited({ agentId, frameworkId, executorId, status }: Exited, from: PID): void {
    const { frameworks, allocator, term, log } = this.#context;
    const agent = this.#calledBy(agentId, from);
    if (agent === undefined) {
      log.warn({ agentId, executorId, from: from.toString() }, 'ignored the end of an executor: unknown agent');
      return;
    }
    const executor = agent.executors.get(frameworkId, executorId);
    if (executor !== undefined) {
      agent.removeExecutor(executor);
      allocator.recoverUsed(frameworkId, agentId, executor.resources);
    }
    const framework = frameworks.get(frameworkId);
    const body = { term, agentId, executorId, status };
    if (framework !== undefined) sendToFramework(this.#context, framework, schedulerMessages.Failure, body);
  }

  #calledBy(id: Exited['agentId'], from: PID): Agent | undefined {
    const agent = this.#context.agents.get(id);
    return agent?.pid.equals(from) === true ? agent : undefined;
  }

  #count(isValid: boolean, what: string): void {
    this.#context.metrics.counter(`${isValid ? 'valid' : 'invalid'}_${what}`).increment();
  }
}
