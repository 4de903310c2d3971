import type { LocalPID, Runtime } from '@mezzo/process';
import type { Simulation } from '@mezzo/process/testing';
import type { InverseOffer, Offer, OperationStatus, TaskStatus } from '@mezzo/protocol';
import {
  type Driver,
  type ExecutorFailure,
  type ExecutorMessage,
  type Scheduler,
  type SchedulerDriver,
  type SchedulerOptions,
  shellTask,
  startScheduler,
} from '@mezzo/frameworks';
import { FakeMaster } from './fake-master.ts';

/** Keeps what it hears, one line per event. */
export class Recorder implements Scheduler {
  readonly events: string[] = [];
  readonly held: Offer[] = [];
  readonly statuses: TaskStatus[] = [];
  readonly operations: OperationStatus[] = [];
  readonly asked: InverseOffer[] = [];
  driver: Driver | undefined;

  subscribed(driver: Driver, { frameworkId, again }: { frameworkId: string; again: boolean }): void {
    this.driver = driver;
    this.events.push(`subscribed ${frameworkId}${again ? ' again' : ''}`);
  }
  offers(_driver: Driver, offers: readonly Offer[]): void {
    this.held.push(...offers);
    this.events.push(`offers ${offers.map(({ id }) => id).join(' ')}`);
  }
  rescinded(_driver: Driver, offerId: string): void {
    this.events.push(`rescinded ${offerId}`);
  }
  update(_driver: Driver, status: TaskStatus): void {
    this.statuses.push(status);
    this.events.push(`${status.taskId} ${status.state}`);
  }
  operationUpdate(_driver: Driver, status: OperationStatus): void {
    this.operations.push(status);
    this.events.push(`${status.operationId} ${status.state}`);
  }
  inverseOffers(_driver: Driver, inverseOffers: readonly InverseOffer[]): void {
    this.asked.push(...inverseOffers);
    this.events.push(`inverse offers ${inverseOffers.map(({ id }) => id).join(' ')}`);
  }
  inverseOfferRescinded(_driver: Driver, inverseOfferId: string): void {
    this.events.push(`inverse offer rescinded ${inverseOfferId}`);
  }
  failure(_driver: Driver, agentId: string): void {
    this.events.push(`failure ${agentId}`);
  }
  executorFailed(_driver: Driver, { agentId, executorId, status }: ExecutorFailure): void {
    this.events.push(`executor failed ${agentId} ${executorId} ${status}`);
  }
  message(_driver: Driver, { agentId, executorId, data }: ExecutorMessage): void {
    this.events.push(`message ${agentId} ${executorId} ${new TextDecoder().decode(data)}`);
  }
  error(_driver: Driver, message: string): void {
    this.events.push(`error ${message}`);
  }
  disconnected(): void {
    this.events.push('disconnected');
  }
}

export interface Stage {
  readonly world: Simulation;
  readonly master: FakeMaster;
  readonly recorder: Recorder;
  readonly runtime: Runtime;
  readonly driver: LocalPID<SchedulerDriver>;
  /** Calls a method of the driver in its turn. */
  call<R>(act: (driver: SchedulerDriver) => R): Promise<R>;
}

export async function stage(world: Simulation, options: Partial<SchedulerOptions> = {}): Promise<Stage> {
  const master = FakeMaster.on(await world.start('master'));
  const runtime = await world.start('framework');
  const recorder = new Recorder();
  const driver = startScheduler(runtime, {
    cluster: 'test',
    framework: { name: 'test' },
    scheduler: recorder,
    ...options,
  });
  await world.advance('100ms');
  return {
    world,
    master,
    recorder,
    runtime,
    driver,
    call: async (act) => {
      const result = runtime.dispatch(driver, act);
      await world.settle();
      return result.get() as ReturnType<typeof act>;
    },
  };
}

export async function launch({ call, recorder, world }: Stage, ...ids: string[]): Promise<void> {
  const offer = recorder.held.at(-1);
  if (offer === undefined) throw new Error('no offer to launch with');
  await call((driver) =>
    driver.accept(
      offer,
      ids.map((id) => shellTask(offer, { id, command: 'true', resources: offer.resources })),
    ),
  );
  await world.advance('10ms');
}
