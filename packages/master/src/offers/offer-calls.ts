import type { BodyOf } from '@mezzo/process';
import {
  agentMessages,
  defaultFilters,
  type Filters,
  Resources,
  schedulerMessages,
  type TaskInfo,
  type TaskState,
} from '@mezzo/protocol';
import type { Agent } from '../agents/agent.ts';
import type { Framework } from '../frameworks/framework.ts';
import { type MasterContext, sendToAgent, sendToFramework } from '../master-context.ts';
import { MasterTask } from '../tasks/master-task.ts';
import { masterStatus } from '../tasks/task-status.ts';
import type { Tasks } from '../tasks/tasks.ts';
import { judgeOffers } from '../validation/offers.ts';
import { judgeTask } from '../validation/task.ts';
import type { Offers } from './offers.ts';

type Accept = BodyOf<typeof schedulerMessages.Accept>;
type Decline = BodyOf<typeof schedulerMessages.Decline>;

/** What frameworks do with their offers. */
export class OfferCalls {
  readonly #context: MasterContext;
  readonly #offers: Offers;
  readonly #tasks: Tasks;

  constructor(context: MasterContext, offers: Offers, tasks: Tasks) {
    this.#context = context;
    this.#offers = offers;
    this.#tasks = tasks;
  }

  accept(framework: Framework, { offerIds, operations, filters = defaultFilters }: Accept): void {
    const launched = operations.flatMap((operation) => (operation.type === 'LAUNCH' ? operation.tasks : []));
    const verdict = judgeOffers(offerIds, framework.id, this.#context.offers);
    if (verdict.fault !== undefined) {
      this.#takeBack(framework, offerIds);
      const state = framework.has('PARTITION_AWARE') ? 'TASK_DROPPED' : 'TASK_LOST';
      const message = `Task launched with invalid offers: ${verdict.fault}`;
      for (const task of launched) this.#refuse(framework, task, state, 'REASON_INVALID_OFFERS', message);
      return;
    }
    const { agentId, role } = verdict.offers[0];
    const agent = this.#context.agents.get(agentId);
    // Offers go with their agent, so it is there.
    if (agent === undefined) return;
    for (const offer of verdict.offers) this.#offers.close(offer);
    let available = Resources.sum(verdict.offers.map((offer) => offer.resources));
    for (const task of launched) {
      const judged = judgeTask(task, { framework, agentId, role, available });
      if (judged.fault !== undefined) {
        this.#refuse(framework, task, 'TASK_ERROR', 'REASON_TASK_INVALID', judged.fault);
        continue;
      }
      available = available.minus(judged.resources);
      this.#launch(framework, agent, task, judged.resources);
    }
    this.#context.metrics[launched.length === 0 ? 'offersDeclined' : 'offersAccepted'].increment(offerIds.length);
    this.#context.allocator.recoverOffered(framework.id, agentId, available, filters);
  }

  /** Offers that are not there any more, or are not its own, are passed over. */
  decline(framework: Framework, { offerIds, filters = defaultFilters }: Decline): void {
    this.#context.metrics.offersDeclined.increment(this.#takeBack(framework, offerIds, filters));
  }

  #takeBack(framework: Framework, offerIds: Decline['offerIds'], filters?: Filters): number {
    let count = 0;
    for (const id of offerIds) {
      const offer = framework.offers.get(id);
      if (offer === undefined) continue;
      this.#offers.discard(offer, filters);
      count++;
    }
    return count;
  }

  #launch(framework: Framework, agent: Agent, info: TaskInfo, resources: Resources): void {
    const { taskId: id, name, labels } = info;
    const { user } = framework.info;
    this.#tasks.add(
      new MasterTask({ id, frameworkId: framework.id, agentId: agent.id, name, resources, user, labels }),
    );
    this.#context.allocator.use(framework.id, agent.id, resources);
    sendToAgent(this.#context, agent, agentMessages.RunTask, {
      term: this.#context.term,
      framework: framework.info,
      frameworkId: framework.id,
      task: { ...info, resources: [...resources] },
    });
  }

  #refuse(framework: Framework, task: TaskInfo, state: TaskState, reason: string, message: string): void {
    const { taskId, agentId } = task;
    const status = masterStatus({ taskId, agentId, state, reason, message, timestamp: this.#context.now() });
    this.#context.metrics.taskEnded(state, status);
    this.#context.log.warn({ taskId, frameworkId: framework.id }, `refused a task: ${message}`);
    sendToFramework(this.#context, framework, schedulerMessages.Update, { term: this.#context.term, status });
  }
}
