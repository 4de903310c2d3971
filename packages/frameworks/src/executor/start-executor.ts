import type { LocalPID, Runtime } from '@mezzo/process';
import { ExecutorDriver, type ExecutorOptions } from './executor-driver.ts';

/** Starts an executor: `runtime.wait(pid)` tells when it is done, and the program should end then. */
export function startExecutor(runtime: Runtime, options: ExecutorOptions): LocalPID<ExecutorDriver> {
  return runtime.spawn(new ExecutorDriver(runtime.pid(options.environment.agent), options));
}
