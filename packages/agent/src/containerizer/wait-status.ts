import type { ExitStatus } from '@mezzo/process';
import { signals } from './exit-record.ts';

const numbers = new Map(Object.entries(signals).map(([number, name]) => [name, Number(number)]));

/** The number that wait(2) gives on Linux: the exit code in the second byte, or the signal in the first. */
export function waitStatus(status: ExitStatus): number {
  return status.kind === 'exited' ? status.code << 8 : (numbers.get(status.signal) ?? 0);
}
