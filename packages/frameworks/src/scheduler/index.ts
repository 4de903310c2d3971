export { Basket } from './basket.ts';
export type { TakeOptions } from './basket.ts';
export {
  createVolume,
  destroyVolume,
  growVolume,
  launch,
  launchGroup,
  reserve,
  shrinkVolume,
  unreserve,
} from './operations.ts';
export type { OperationName, ReservationOptions, VolumeOptions } from './operations.ts';
export type {
  Driver,
  ExecutorFailure,
  ExecutorMessage,
  ExecutorReference,
  OperationReference,
  Scheduler,
  Subscription,
  TaskReference,
} from './scheduler.ts';
export { SchedulerDriver } from './scheduler-driver.ts';
export { schedulerEvents } from './scheduler-events.ts';
export type { SchedulerEvent, SchedulerEvents, SchedulerEventsOptions } from './scheduler-events.ts';
export type { FrameworkChanges, FrameworkOptions, SchedulerOptions } from './scheduler-options.ts';
export { shellTask } from './shell-task.ts';
export type { ShellTask } from './shell-task.ts';
export { startScheduler } from './start-scheduler.ts';
