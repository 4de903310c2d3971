import type { BodyOf } from '@mezzo/process';
import { defaultFilters, type Filters, Resources, type schedulerMessages, type TaskInfo } from '@mezzo/protocol';
import type { Framework } from '../frameworks/framework.ts';
import type { MasterContext } from '../master-context.ts';
import type { Operations } from '../operations/operations.ts';
import type { Tasks } from '../tasks/tasks.ts';
import { judgeOffers } from '../validation/offers.ts';
import { AcceptedOffers } from './accepted-offers.ts';
import type { InverseOffers } from './inverse-offers.ts';
import type { Offers } from './offers.ts';

type Accept = BodyOf<typeof schedulerMessages.Accept>;
type Decline = BodyOf<typeof schedulerMessages.Decline>;
type AnswerInverse = BodyOf<typeof schedulerMessages.AcceptInverseOffers>;

/** What frameworks do with their offers. */
export class OfferCalls {
  readonly #context: MasterContext;
  readonly #offers: Offers;
  readonly #inverseOffers: InverseOffers;
  readonly #tasks: Tasks;
  readonly #operations: Operations;

  constructor(
    context: MasterContext,
    parts: {
      readonly offers: Offers;
      readonly inverseOffers: InverseOffers;
      readonly tasks: Tasks;
      readonly operations: Operations;
    },
  ) {
    this.#context = context;
    this.#offers = parts.offers;
    this.#inverseOffers = parts.inverseOffers;
    this.#tasks = parts.tasks;
    this.#operations = parts.operations;
  }

  accept(framework: Framework, { offerIds, operations, filters = defaultFilters }: Accept): void {
    const verdict = judgeOffers(offerIds, framework.id, this.#context.offers);
    if (verdict.fault !== undefined) return this.#refuseAll(framework, offerIds, operations, verdict.fault);
    const agent = this.#context.agents.get(verdict.offers[0].agentId);
    // Offers go with their agent, so it is there.
    if (agent === undefined) return;
    for (const offer of verdict.offers) this.#offers.accepted(offer);
    const { role } = verdict.offers[0];
    const resources = Resources.sum(verdict.offers.map((offer) => offer.resources));
    const accepted = new AcceptedOffers(
      { context: this.#context, tasks: this.#tasks, operations: this.#operations, offers: this.#offers },
      { framework, agent, role, resources },
    );
    const isLaunch = operations.some((operation) => launchedBy(operation).length > 0 || !('tasks' in operation));
    this.#context.metrics[isLaunch ? 'offersAccepted' : 'offersDeclined'].increment(offerIds.length);
    accepted.perform(operations);
    accepted.giveBackRest(filters);
  }

  /** Offers that are not there any more, or are not its own, are passed over. */
  decline(framework: Framework, { offerIds, filters = defaultFilters }: Decline): void {
    this.#context.metrics.offersDeclined.increment(this.#takeBack(framework, offerIds, filters));
  }

  answerInverse(framework: Framework, answer: 'ACCEPT' | 'DECLINE', { inverseOfferIds, filters }: AnswerInverse): void {
    for (const id of inverseOfferIds) this.#inverseOffers.answer(framework, id, answer, filters ?? defaultFilters);
  }

  #refuseAll(
    framework: Framework,
    offerIds: Accept['offerIds'],
    operations: Accept['operations'],
    fault: string,
  ): void {
    this.#takeBack(framework, offerIds);
    const state = framework.has('PARTITION_AWARE') ? 'TASK_DROPPED' : 'TASK_LOST';
    const cause = { reason: 'REASON_INVALID_OFFERS', message: `Task launched with invalid offers: ${fault}` };
    for (const operation of operations) {
      for (const task of launchedBy(operation)) this.#tasks.refuse(framework, task, state, cause);
      if (!('tasks' in operation))
        this.#operations.refuse(framework, operation, undefined, `Operation attempted with invalid offers: ${fault}`);
    }
  }

  #takeBack(framework: Framework, offerIds: Decline['offerIds'], filters?: Filters): number {
    let count = 0;
    for (const id of offerIds) {
      const offer = framework.offers.get(id);
      if (offer === undefined) continue;
      this.#offers.decline(offer, filters);
      count++;
    }
    return count;
  }
}

function launchedBy(operation: Accept['operations'][number]): readonly TaskInfo[] {
  return 'tasks' in operation ? operation.tasks : [];
}
