import { type Duration, toMilliseconds } from '../duration.ts';
import type { Random } from '../platform/platform.ts';

/** How long a child stays down before each restart in a row. */
export interface Backoff {
  /** Before the first restart. */
  readonly first: Duration;
  /** What each further wait is multiplied by. Default 2. */
  readonly factor?: number;
  /** The longest wait. */
  readonly most: Duration;
  /** Which part of a wait is left to chance, 0 to 1: of 0.2, between 80 and 100 % are waited. Default 0.2. */
  readonly jitter?: number;
  /** After so long a life a child counts as healthy, and its next restart is a first one. Default: `most`. */
  readonly healthyAfter?: Duration;
}

/** Milliseconds to wait before the restart that follows `failures` earlier ones in a row. */
export function backoffDelay(backoff: Backoff, failures: number, random: Random): number {
  const wait = toMilliseconds(backoff.first) * (backoff.factor ?? 2) ** failures;
  return Math.min(wait, toMilliseconds(backoff.most)) * (1 - (backoff.jitter ?? 0.2) * random.next());
}

/** Whether a life of so many milliseconds was long enough to forget earlier failures. */
export function wasHealthy(backoff: Backoff, life: number): boolean {
  return life >= toMilliseconds(backoff.healthyAfter ?? backoff.most);
}
