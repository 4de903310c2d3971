import type { ExitStatus } from '@mezzo/process';

/** Linux's numbers of the signals that end processes. */
export const signals: Readonly<Record<number, string>> = {
  1: 'SIGHUP',
  2: 'SIGINT',
  3: 'SIGQUIT',
  4: 'SIGILL',
  5: 'SIGTRAP',
  6: 'SIGABRT',
  7: 'SIGBUS',
  8: 'SIGFPE',
  9: 'SIGKILL',
  10: 'SIGUSR1',
  11: 'SIGSEGV',
  12: 'SIGUSR2',
  13: 'SIGPIPE',
  14: 'SIGALRM',
  15: 'SIGTERM',
  16: 'SIGSTKFLT',
  24: 'SIGXCPU',
  25: 'SIGXFSZ',
  26: 'SIGVTALRM',
  27: 'SIGPROF',
  29: 'SIGIO',
  30: 'SIGPWR',
  31: 'SIGSYS',
};

/**
 * The status in an `exit` file, or undefined if there is none in it. A shell tells an exit by signal n from an exit with
 * code 128 + n no more than its users do: both read as the signal.
 */
export function decodeExitRecord(text: string): ExitStatus | undefined {
  if (!/^\d{1,3}\n$/.test(text)) return undefined;
  const code = Number(text);
  const signal = signals[code - 128];
  return signal === undefined ? { kind: 'exited', code } : { kind: 'signaled', signal };
}
