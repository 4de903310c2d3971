import { Cell } from '../cell.ts';
import { toMilliseconds, type Duration } from '../duration.ts';
import { ProcessError } from '../errors.ts';
import type { PID } from '../pid.ts';
import type { Runtime } from '../runtime.ts';

/**
 * What the clock of a living process shows, in milliseconds since the epoch. In a simulation each process has a time of its
 * own, which stays while nothing reaches it; elsewhere it is the runtime's. Throws PROCESS_NOT_FOUND.
 */
export function processTime(runtime: Runtime, pid: PID): number {
  const cell = runtime.cell(pid.id);
  if (cell === undefined || (pid.isExact && !cell.pid.equals(pid))) return notFound(pid);
  return timeOf(cell);
}

/** Brings the clock of one simulated process forward; has no effect elsewhere. Throws PROCESS_NOT_FOUND. */
export function advance(pid: PID, duration: Duration): void {
  const cell = cellOf(pid);
  if (cell.runtime.timed) cell.lift(cell.time + toMilliseconds(duration));
}

/**
 * Lets what `from` did happen before what `to` will do: the clock of `to` shows at least the time of `from`. For simulated
 * processes; has no effect elsewhere. Throws PROCESS_NOT_FOUND.
 */
export function order(from: PID, to: PID): void {
  const cell = cellOf(to);
  if (cell.runtime.timed) cell.lift(timeOf(cellOf(from)));
}

function timeOf(cell: Cell): number {
  return cell.runtime.timed ? cell.time : cell.runtime.clock.now();
}

function cellOf(pid: PID): Cell {
  if (pid.receiver instanceof Cell && !pid.receiver.ended) return pid.receiver;
  return notFound(pid);
}

function notFound(pid: PID): never {
  throw new ProcessError(
    'PROCESS_NOT_FOUND',
    `No time of ${pid.toString()}: expected the address that spawn returned, of a process that lives`,
  );
}
