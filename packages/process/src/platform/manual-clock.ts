import { type Duration, toMilliseconds } from '../duration.ts';
import { Time } from '../time.ts';
import { nodeClock } from './node-clock.ts';
import type { Clock, Timer } from './platform.ts';
import { TimerQueue } from './timers.ts';

/** No timer is due later. */
const latest = Time.max.milliseconds;

/**
 * A real clock that can be paused, so that a test of a real runtime need not wait:
 * `Runtime.start({ platform: { ...nodePlatform(), clock } })`. While it is paused its time moves by `advance` only and timers
 * wait; afterwards it goes on with the real one, ahead of it by all advances, so time never jumps back. Resume it before the
 * runtime stops: what bounds a stop is a timer too.
 */
export class ManualClock implements Clock {
  readonly #real: Clock;
  readonly #timers = new TimerQueue(() => this.#arm());
  /** Milliseconds of all advances ever made. */
  #advanced = 0;
  /** What the real clock showed at the pause; undefined while time runs. */
  #pausedAt: number | undefined = undefined;
  /** Wakes us when the next timer is due. */
  #alarm: Timer | undefined = undefined;
  #alarmDue = Number.POSITIVE_INFINITY;

  /** @param real goes on while this one is paused. Default: Node's. */
  constructor(real: Clock = nodeClock()) {
    this.#real = real;
  }

  get isPaused(): boolean {
    return this.#pausedAt !== undefined;
  }

  now(): number {
    return (this.#pausedAt ?? this.#real.now()) + this.#advanced;
  }

  timer(delay: number, thunk: () => void): Timer {
    const timer = this.#timers.arm(Math.min(this.now() + Math.max(delay, 0), latest), thunk);
    this.#arm();
    return timer;
  }

  /** Time stands still from now on. */
  pause(): void {
    this.#pausedAt ??= this.#real.now();
    this.#arm();
  }

  /**
   * Moves the time of a paused clock, at once by the whole duration; timers that are due then run soon, not within this call.
   * While time runs it does nothing.
   */
  advance(duration: Duration): void {
    if (!this.isPaused) return;
    this.#advanced += toMilliseconds(duration);
    this.#arm();
  }

  /** Time goes on; what got due meanwhile, also by the real clock, runs soon. */
  resume(): void {
    this.#pausedAt = undefined;
    this.#arm();
  }

  /** @internal Runs the timers that are due; what they arm waits for the next time. True if there was one. */
  fireDue(): boolean {
    const now = this.now();
    let fired = false;
    try {
      for (let left = this.#timers.size; left > 0; left--) {
        const thunk = this.#timers.take(now);
        if (thunk === undefined) break;
        fired = true;
        thunk();
      }
    } finally {
      this.#arm();
    }
    return fired;
  }

  /** Only what is due wakes a paused clock. */
  #arm(): void {
    const next = this.#timers.nextDue();
    const due = next === undefined || (this.isPaused && next > this.now()) ? Number.POSITIVE_INFINITY : next;
    if (due === this.#alarmDue) return;
    this.#alarm?.cancel();
    this.#alarmDue = due;
    this.#alarm = due === Number.POSITIVE_INFINITY ? undefined : this.#real.timer(due - this.now(), this.#ring);
  }

  readonly #ring = (): void => {
    this.#alarm = undefined;
    this.#alarmDue = Number.POSITIVE_INFINITY;
    this.fireDue();
  };
}
