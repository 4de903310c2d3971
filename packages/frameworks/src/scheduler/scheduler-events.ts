import { type ExitReason, type LocalPID, Queue, type Runtime } from '@mezzo/process';
import type { InverseOffer, Offer, OfferID, OperationStatus, TaskStatus } from '@mezzo/protocol';
import { DriverError } from '../driver-error.ts';
import type { Driver, ExecutorFailure, ExecutorMessage, Scheduler, Subscription } from './scheduler.ts';
import type { SchedulerDriver } from './scheduler-driver.ts';
import type { SchedulerOptions } from './scheduler-options.ts';
import { startScheduler } from './start-scheduler.ts';

/** What a scheduler hears; each is a callback of `Scheduler`, under the name that Mesos's v1 API has for it. */
export type SchedulerEvent =
  | ({ readonly type: 'SUBSCRIBED' } & Subscription)
  | { readonly type: 'OFFERS'; readonly offers: readonly Offer[] }
  | { readonly type: 'RESCIND'; readonly offerId: OfferID }
  | { readonly type: 'INVERSE_OFFERS'; readonly inverseOffers: readonly InverseOffer[] }
  | { readonly type: 'RESCIND_INVERSE_OFFER'; readonly inverseOfferId: OfferID }
  | { readonly type: 'UPDATE'; readonly status: TaskStatus }
  | { readonly type: 'UPDATE_OPERATION_STATUS'; readonly status: OperationStatus }
  /** Without an executor's id the agent is lost. */
  | ({ readonly type: 'FAILURE' } & Pick<ExecutorFailure, 'agentId'> & Partial<ExecutorFailure>)
  | ({ readonly type: 'MESSAGE' } & ExecutorMessage)
  | { readonly type: 'ERROR'; readonly message: string }
  | { readonly type: 'DISCONNECTED' };

export interface SchedulerEventsOptions extends Omit<SchedulerOptions, 'scheduler'> {
  /** `automatic`: an update is acknowledged when the loop asks for what comes after it. Default `automatic`. */
  readonly acknowledge?: 'automatic' | 'manual';
  /** How many events may wait for the loop. Default 10,000. */
  readonly buffer?: number;
}

/**
 * Starts a framework whose events are read by `for await`. Calls go to `driver`, by `tell` or `ask`.
 *
 * The loop ends when the driver does. It throws DriverError EVENTS_OVERFLOW when more events wait than `buffer` allows, and
 * DRIVER_CRASHED; the driver has ended then, and an update that was not acknowledged comes again to whoever subscribes next
 * under the framework's id. Leaving the loop stops the driver, as `stop` does.
 */
export function schedulerEvents(runtime: Runtime, options: SchedulerEventsOptions): SchedulerEvents {
  return new SchedulerEvents(runtime, options);
}

export class SchedulerEvents implements AsyncIterable<SchedulerEvent> {
  readonly driver: LocalPID<SchedulerDriver>;
  readonly #waiting = new Queue<SchedulerEvent>();
  readonly #buffer: number;
  readonly #isManual: boolean;
  #isTaken = false;
  /** What the loop is busy with. */
  #shown: SchedulerEvent | undefined;
  #hasEnded = false;
  #failure: DriverError | undefined;

  /** @internal */
  constructor(runtime: Runtime, { buffer = 10_000, acknowledge = 'automatic', ...options }: SchedulerEventsOptions) {
    if (!(buffer >= 1)) throw new RangeError(`Invalid buffer ${buffer} of events: expected a number from 1 on`);
    this.#buffer = buffer;
    this.#isManual = acknowledge === 'manual';
    this.driver = startScheduler(runtime, { ...options, acknowledge: 'manual', scheduler: this.#scheduler() });
    runtime
      .watch(this.driver)
      .onReady((reason) => this.#ended(reason))
      .onAbandoned(() => this.#ended({ kind: 'terminated' }));
  }

  /** @throws DriverError EVENTS_TAKEN for a second loop */
  [Symbol.asyncIterator](): AsyncIterator<SchedulerEvent, void> {
    if (this.#isTaken) throw new DriverError('EVENTS_TAKEN', 'These events are read already: start one loop for them');
    this.#isTaken = true;
    return {
      next: () => this.#next(),
      return: () => {
        if (!this.#hasEnded) this.driver.tell.stop();
        return Promise.resolve({ done: true, value: undefined });
      },
    };
  }

  #next(): Promise<IteratorResult<SchedulerEvent, void>> {
    if (this.#shown !== undefined && !this.#isManual) this.#acknowledge(this.#shown);
    this.#shown = undefined;
    const end = (): IteratorResult<SchedulerEvent, void> => {
      if (this.#failure !== undefined) throw this.#failure;
      return { done: true, value: undefined };
    };
    return this.#waiting.get().then((event) => {
      if (this.#failure !== undefined) return end();
      this.#shown = event;
      return { done: false, value: event };
    }, end);
  }

  #acknowledge(event: SchedulerEvent): void {
    if (this.#hasEnded) return;
    if (event.type === 'UPDATE') this.driver.tell.acknowledge(event.status);
    if (event.type === 'UPDATE_OPERATION_STATUS') this.driver.tell.acknowledgeOperation(event.status);
  }

  #ended(reason: ExitReason): void {
    this.#hasEnded = true;
    if (reason.kind === 'crashed')
      this.#failure ??= new DriverError('DRIVER_CRASHED', `The scheduler's driver crashed: ${reason.message}`, {
        cause: reason.error,
      });
    this.#waiting.stop();
  }

  #put(driver: Driver, event: SchedulerEvent): void {
    if (this.#waiting.size < this.#buffer) {
      this.#waiting.put(event);
      return;
    }
    this.#failure ??= new DriverError(
      'EVENTS_OVERFLOW',
      `${this.#buffer} events wait to be read, and another one came: read them faster, or allow more by 'buffer'`,
    );
    this.#waiting.stop();
    driver.stop();
  }

  #scheduler(): Scheduler {
    return {
      subscribed: (driver, subscription) => this.#put(driver, { type: 'SUBSCRIBED', ...subscription }),
      offers: (driver, offers) => this.#put(driver, { type: 'OFFERS', offers }),
      rescinded: (driver, offerId) => this.#put(driver, { type: 'RESCIND', offerId }),
      inverseOffers: (driver, inverseOffers) => this.#put(driver, { type: 'INVERSE_OFFERS', inverseOffers }),
      inverseOfferRescinded: (driver, inverseOfferId) =>
        this.#put(driver, { type: 'RESCIND_INVERSE_OFFER', inverseOfferId }),
      update: (driver, status) => this.#put(driver, { type: 'UPDATE', status }),
      operationUpdate: (driver, status) => this.#put(driver, { type: 'UPDATE_OPERATION_STATUS', status }),
      failure: (driver, agentId) => this.#put(driver, { type: 'FAILURE', agentId }),
      executorFailed: (driver, failure) => this.#put(driver, { type: 'FAILURE', ...failure }),
      message: (driver, message) => this.#put(driver, { type: 'MESSAGE', ...message }),
      error: (driver, message) => this.#put(driver, { type: 'ERROR', message }),
      disconnected: (driver) => this.#put(driver, { type: 'DISCONNECTED' }),
    };
  }
}
