import { type Duration, toMilliseconds } from '../duration.ts';
import { ProcessError } from '../errors.ts';
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

/** Throws SUPERVISION_INVALID for what is no backoff. */
export function checkBackoff(supervisor: string, backoff: Backoff): void {
  const { first, factor = 2, most, jitter = 0.2, healthyAfter = most } = backoff;
  const refuse = (option: string, given: unknown, expected: string): never => {
    throw new ProcessError(
      'SUPERVISION_INVALID',
      `Invalid backoff.${option} ${String(given)} of supervisor '${supervisor}': expected ${expected}`,
    );
  };
  for (const [option, given] of Object.entries({ first, most, healthyAfter })) {
    if (!isDuration(given)) refuse(option, given, "a non-negative number of milliseconds, or text such as '2secs'");
  }
  if (!(Number.isFinite(factor) && factor >= 1)) refuse('factor', factor, 'a finite number from 1 on');
  if (!(jitter >= 0 && jitter <= 1)) refuse('jitter', jitter, 'a number from 0 to 1');
}

function isDuration(given: Duration): boolean {
  try {
    return toMilliseconds(given) >= 0;
  } catch {
    return false;
  }
}

/** Milliseconds to wait before the restart that follows `failures` earlier ones in a row. */
export function backoffDelay(backoff: Backoff, failures: number, random: Random): number {
  // Finite, because no first wait times infinitely much is no number.
  const growth = Math.min((backoff.factor ?? 2) ** failures, Number.MAX_VALUE);
  const wait = toMilliseconds(backoff.first) * growth;
  return Math.min(wait, toMilliseconds(backoff.most)) * (1 - (backoff.jitter ?? 0.2) * random.next());
}

/** Whether a life of so many milliseconds was long enough to forget earlier failures. */
export function wasHealthy(backoff: Backoff, life: number): boolean {
  return life >= toMilliseconds(backoff.healthyAfter ?? backoff.most);
}
