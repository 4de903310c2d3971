import { type Duration, toMilliseconds } from './duration.ts';
import type { Clock } from './platform/platform.ts';

const nanosecondsPerMillisecond = 1_000_000n;
const nanosecondsPerSecond = 1_000_000_000n;
const secondsPerDay = 86_400;
/** 400 years of the Gregorian calendar; they repeat for ever. */
const daysPerEra = 146_097;
/** From 0000-03-01, where the eras begin, to the epoch. */
const daysBeforeEpoch = 719_468;
const limit = 2n ** 63n;

const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'] as const;
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'] as const;

/**
 * A point in time in whole nanoseconds, exact where a number of milliseconds is not. As libprocess's it reaches from 1677 to
 * 2262; what would go beyond stops there.
 */
export class Time {
  static readonly epoch = new Time(0n);
  /** 2262-04-11 23:47:16.854775807. */
  static readonly max = new Time(limit - 1n);
  static readonly min = new Time(-limit);

  /** Since 1970-01-01 00:00:00 UTC. */
  readonly nanoseconds: bigint;

  /** @param nanoseconds since 1970-01-01 00:00:00 UTC. */
  constructor(nanoseconds: bigint) {
    this.nanoseconds = nanoseconds >= limit ? limit - 1n : nanoseconds < -limit ? -limit : nanoseconds;
  }

  static now(clock: Clock): Time {
    return Time.at(clock.now());
  }

  /** @param milliseconds since the epoch, as a Clock tells them. */
  static at(milliseconds: number): Time {
    return new Time(nanosecondsOf(milliseconds));
  }

  plus(duration: Duration): Time {
    return new Time(this.nanoseconds + nanosecondsOf(toMilliseconds(duration)));
  }

  minus(duration: Duration): Time {
    return new Time(this.nanoseconds - nanosecondsOf(toMilliseconds(duration)));
  }

  /** Milliseconds from `earlier` to this; negative if it is later. */
  since(earlier: Time): number {
    return millisecondsOf(this.nanoseconds - earlier.nanoseconds);
  }

  /** Since the epoch, as a Clock tells them. */
  get milliseconds(): number {
    return millisecondsOf(this.nanoseconds);
  }

  /** Negative if this is before `other`, 0 if they are the same, positive after. */
  compare(other: Time): number {
    return this.nanoseconds < other.nanoseconds ? -1 : Number(this.nanoseconds > other.nanoseconds);
  }

  equals(other: Time): boolean {
    return this.nanoseconds === other.nanoseconds;
  }

  /** As HTTP writes it: `Thu, 02 Mar 1989 00:00:00 GMT`. */
  rfc1123(): string {
    const { weekday, day, month, year, clock } = this.#calendar();
    return `${weekdays[weekday]}, ${digits(day, 2)} ${months[month - 1]} ${year} ${clock} GMT`;
  }

  /** `1989-03-02 00:00:00.000000001+00:00`; a fraction only if there is one. */
  rfc3339(): string {
    const { day, month, year, clock, fraction } = this.#calendar();
    const nanoseconds = fraction === 0 ? '' : `.${digits(fraction, 9)}`;
    return `${year}-${digits(month, 2)}-${digits(day, 2)} ${clock}${nanoseconds}+00:00`;
  }

  toString(): string {
    return this.rfc3339();
  }

  toJSON(): string {
    return this.rfc3339();
  }

  /** Years begin in March here, so that the leap day is the last of its year and every month has a fixed place. */
  #calendar(): Calendar {
    const fraction = Number(((this.nanoseconds % nanosecondsPerSecond) + nanosecondsPerSecond) % nanosecondsPerSecond);
    const seconds = Number((this.nanoseconds - BigInt(fraction)) / nanosecondsPerSecond);
    const days = Math.floor(seconds / secondsPerDay);
    const second = seconds - days * secondsPerDay;
    const era = Math.floor((days + daysBeforeEpoch) / daysPerEra);
    const dayOfEra = days + daysBeforeEpoch - era * daysPerEra;
    const leapDays =
      Math.floor(dayOfEra / 1460) - Math.floor(dayOfEra / 36_524) + Math.floor(dayOfEra / (daysPerEra - 1));
    const yearOfEra = Math.floor((dayOfEra - leapDays) / 365);
    const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
    // From March on, five months have 153 days.
    const monthFromMarch = Math.floor((5 * dayOfYear + 2) / 153);
    const month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9;
    return {
      year: yearOfEra + era * 400 + (month <= 2 ? 1 : 0),
      month,
      day: dayOfYear - Math.floor((153 * monthFromMarch + 2) / 5) + 1,
      // The epoch was a Thursday.
      weekday: (((days + 4) % 7) + 7) % 7,
      clock: [second / 3600, (second / 60) % 60, second % 60].map((part) => digits(Math.floor(part), 2)).join(':'),
      fraction,
    };
  }
}

interface Calendar {
  readonly year: number;
  /** From 1. */
  readonly month: number;
  readonly day: number;
  /** From 0, which is Sunday. */
  readonly weekday: number;
  /** `23:47:16`. */
  readonly clock: string;
  /** Nanoseconds. */
  readonly fraction: number;
}

function nanosecondsOf(milliseconds: number): bigint {
  // Far beyond the limits is as good as at them, and infinity has no bigint.
  const bounded = Math.min(Math.max(milliseconds, -1e14), 1e14);
  const whole = Math.floor(bounded);
  return BigInt(whole) * nanosecondsPerMillisecond + BigInt(Math.round((bounded - whole) * 1e6));
}

function millisecondsOf(nanoseconds: bigint): number {
  const whole = nanoseconds / nanosecondsPerMillisecond;
  return Number(whole) + Number(nanoseconds - whole * nanosecondsPerMillisecond) / 1e6;
}

function digits(number: number, count: number): string {
  return String(number).padStart(count, '0');
}
