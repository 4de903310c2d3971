import { type Clock, type Counter, RateLimiter } from '@mezzo/process';

export interface PrincipalLimit {
  readonly principal: string;
  /** Messages a second. Default: any. */
  readonly qps?: number;
  /** Messages that may wait. Default: any. */
  readonly capacity?: number;
}

/** How many messages frameworks may send, as in Mesos's file (rate_limits). */
export interface RateLimits {
  readonly limits?: readonly PrincipalLimit[];
  /** For all the principals together that are not named, and frameworks without one. Default: any. */
  readonly aggregateDefaultQps?: number;
  readonly aggregateDefaultCapacity?: number;
}

/** Throws RangeError for a principal that is named twice, and for what is no rate or no capacity. */
export function checkRateLimits({
  limits = [],
  aggregateDefaultQps: qps,
  aggregateDefaultCapacity: capacity,
}: RateLimits): void {
  if (new Set(limits.map(({ principal }) => principal)).size < limits.length)
    throw new RangeError('A principal has two rate limits: give one');
  for (const limit of [...limits, { qps, capacity }]) {
    if (limit.qps !== undefined && !(limit.qps > 0 && limit.qps < Infinity))
      throw new RangeError(`Invalid qps ${limit.qps} of a rate limit: expected messages a second, above 0`);
    if (limit.capacity !== undefined && !(limit.capacity >= 0))
      throw new RangeError(
        `Invalid capacity ${limit.capacity} of a rate limit: expected a number of messages, or none`,
      );
  }
}

interface Line {
  readonly limiter: RateLimiter | undefined;
  readonly capacity: number;
  waiting: number;
}

interface Ports {
  readonly clock: Clock;
  /** `frameworks/<principal>/messages_<what>` */
  readonly counter: (principal: string, what: 'received' | 'processed') => Counter;
  /** Runs a function in a turn of the master. */
  readonly defer: (call: () => void) => () => void;
}

/** Lets the messages of frameworks through at the rate of their principal, in their order. */
export class PrincipalLimits {
  readonly #ports: Ports;
  readonly #lines = new Map<string, Line>();
  readonly #others: Line;

  /** @param limits have been checked */
  constructor(limits: RateLimits | undefined, ports: Ports) {
    this.#ports = ports;
    for (const { principal, qps, capacity } of limits?.limits ?? [])
      this.#lines.set(principal, this.#line(qps, capacity));
    const { aggregateDefaultQps: qps, aggregateDefaultCapacity: capacity } = limits ?? {};
    this.#others = this.#line(qps, capacity);
  }

  /**
   * Calls back when it is the message's turn: at once, or in a later turn of the master.
   *
   * @param refuse is called instead if too many wait: what their number may be
   */
  pass(principal: string | undefined, call: () => void, refuse: (capacity: number) => void): void {
    const line = this.#lineOf(principal);
    this.#count(principal, 'received');
    if (line.waiting >= line.capacity) return refuse(line.capacity);
    this.#queue(line, () => {
      this.#count(principal, 'processed');
      call();
    });
  }

  /** Calls back after what has been said before. */
  after(principal: string | undefined, call: () => void): void {
    this.#queue(this.#lineOf(principal), call);
  }

  stop(): void {
    for (const line of this.#lines.values()) line.limiter?.stop();
    this.#others.limiter?.stop();
  }

  #lineOf(principal: string | undefined): Line {
    return (principal === undefined ? undefined : this.#lines.get(principal)) ?? this.#others;
  }

  #queue(line: Line, call: () => void): void {
    if (line.limiter === undefined) return call();
    line.waiting++;
    line.limiter.acquire().onReady(
      this.#ports.defer(() => {
        line.waiting--;
        call();
      }),
    );
  }

  #count(principal: string | undefined, what: 'received' | 'processed'): void {
    if (principal !== undefined) this.#ports.counter(principal, what).increment();
  }

  #line(qps: number | undefined, capacity = Infinity): Line {
    const limiter = qps === undefined ? undefined : new RateLimiter(this.#ports.clock, qps, '1secs');
    return { limiter, capacity, waiting: 0 };
  }
}
