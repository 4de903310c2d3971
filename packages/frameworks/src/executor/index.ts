export type { Executor, ExecutorControl, ExecutorStatus, Registration, Reregistration } from './executor.ts';
export { ExecutorDriver } from './executor-driver.ts';
export type { ExecutorOptions } from './executor-driver.ts';
export { executorEnvironment } from './executor-environment.ts';
export type { ExecutorEnvironment } from './executor-environment.ts';
export { startExecutor } from './start-executor.ts';
