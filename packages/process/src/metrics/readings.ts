import { Deferred, type Future } from '../future/future.ts';
import type { Clock } from '../platform/platform.ts';
import type { Metric } from './metric.ts';
import type { Statistics } from './statistics.ts';

/** A metric as it was at one moment. */
export interface Reading {
  readonly metric: Metric;
  /** Undefined if it failed, was discarded or abandoned, or came too late. */
  readonly value: number | undefined;
  readonly statistics: Statistics | undefined;
}

/**
 * Asks every metric for its value and waits for those that are Futures, `timeout` milliseconds at most. What is still
 * pending then, or when the result is discarded, gets a discard request.
 */
export function readAll(metrics: readonly Metric[], clock: Clock, timeout: number): Future<readonly Reading[]> {
  const asked = metrics.map((metric) => ({ metric, statistics: metric.statistics() }));
  const values = new Map<Metric, number>();
  const pending = new Set<Future<number>>();
  const done = new Deferred<readonly Reading[]>();
  const finish = (): void => void done.set(asked.map((reading) => ({ ...reading, value: values.get(reading.metric) })));
  const giveUp = (): void => {
    for (const value of [...pending]) value.discard();
  };
  const timer = clock.timer(timeout, () => {
    finish();
    giveUp();
  });
  let asking = true;
  const finishIfComplete = (): void => {
    if (asking || pending.size > 0) return;
    timer.cancel();
    finish();
  };
  for (const metric of metrics) {
    const value = metric.value;
    if (typeof value === 'number') {
      values.set(metric, value);
      continue;
    }
    const close = (): void => {
      pending.delete(value);
      finishIfComplete();
    };
    pending.add(value);
    value.onReady((number) => void values.set(metric, number));
    value.onAny(close).onAbandoned(close);
  }
  asking = false;
  finishIfComplete();
  done.future.onDiscard(() => {
    timer.cancel();
    done.discard();
    giveUp();
  });
  return done.future;
}
