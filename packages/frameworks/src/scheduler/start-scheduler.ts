import type { LocalPID, Runtime } from '@mezzo/process';
import { AnnouncementDetector } from '@mezzo/protocol';
import { SchedulerDriver } from './scheduler-driver.ts';
import type { SchedulerOptions } from './scheduler-options.ts';

/**
 * Starts a framework: spawns the driver, and a detector unless one is given. The driver finds the leader, subscribes and
 * stays subscribed; `runtime.wait(pid)` tells when it has ended.
 */
export function startScheduler(runtime: Runtime, options: SchedulerOptions): LocalPID<SchedulerDriver> {
  const { cluster, id = 'scheduler' } = options;
  const detector = options.detector ?? runtime.spawn(new AnnouncementDetector({ cluster, id: `${id}-detector` }));
  return runtime.spawn(new SchedulerDriver({ ...options, detector }));
}
