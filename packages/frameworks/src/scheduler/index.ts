export { Basket } from './basket.ts';
export type { Driver, Scheduler, Subscription } from './scheduler.ts';
export { SchedulerDriver } from './scheduler-driver.ts';
export type { FrameworkOptions, SchedulerOptions } from './scheduler-options.ts';
export { shellTask } from './shell-task.ts';
export type { ShellTask } from './shell-task.ts';
export { startScheduler } from './start-scheduler.ts';
