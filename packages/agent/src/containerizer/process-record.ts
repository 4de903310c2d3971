/** What names a process for ever: a pid alone may belong to another one by now. */
export interface ProcessRecord {
  readonly pid: number;
  /** Ticks since boot; see Child.startTime. */
  readonly startTime: number;
  readonly bootId: string;
}

export function encodeProcessRecord({ pid, startTime, bootId }: ProcessRecord): string {
  return `${JSON.stringify({ pid, startTime, bootId })}\n`;
}

/** The record in a `pid` file, or undefined for anything else: a file cut short, or written by somebody else. */
export function decodeProcessRecord(text: string): ProcessRecord | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { pid, startTime, bootId } = value as { readonly [field: string]: unknown };
  // Signals to the groups 0 and 1 reach the agent itself and everything.
  if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid < 2) return undefined;
  if (typeof startTime !== 'number' || !Number.isSafeInteger(startTime) || startTime <= 0) return undefined;
  return typeof bootId === 'string' && bootId !== '' ? { pid, startTime, bootId } : undefined;
}
