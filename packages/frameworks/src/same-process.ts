import type { PID } from '@mezzo/process';

/** Whether `pid` is the process that is known; a bare address stands for whoever holds it. */
export function isSameProcess(pid: PID, known: PID): boolean {
  return known.isExact && pid.isExact ? pid.equals(known) : pid.toString() === known.toString();
}
