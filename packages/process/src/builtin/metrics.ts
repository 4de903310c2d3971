import { parseRate, RateLimiter } from '../concurrency/rate-limiter.ts';
import { parseDuration } from '../duration.ts';
import type { Future } from '../future/future.ts';
import type { Metrics } from '../metrics/metrics.ts';
import { Process } from '../process.ts';
import { type HttpRequest, type HttpResponse, methodNotAllowed, refusal } from '../route.ts';
import { jsonOrScript } from './jsonp.ts';

/** Writes all metrics in another system's format; `prometheusText` of `@mezzo/process/metrics` is one. */
export interface MetricsText {
  readonly contentType: string;
  render(metrics: Metrics, timeout: number | undefined): Future<string>;
}

export interface MetricsEndpointOptions {
  /**
   * How often `/metrics/snapshot` is answered; what exceeds it waits its turn. '' means no limit. Default `2/1secs`
   * (LIBPROCESS_METRICS_SNAPSHOT_ENDPOINT_RATE_LIMIT).
   */
  readonly rate?: string;
  /** What `/metrics` and `/metrics/prometheus` answer with. Default: they answer 501. */
  readonly prometheus?: MetricsText;
}

const methods = ['GET', 'HEAD'];

/** `/metrics/snapshot` as JSON, `/metrics` and `/metrics/prometheus` as Prometheus text. Throws RATE_INVALID. */
export class MetricsProcess extends Process {
  readonly #prometheus: MetricsText | undefined;
  readonly #interval: number | undefined;
  #limiter: RateLimiter | undefined;

  constructor(options: MetricsEndpointOptions = {}) {
    super('metrics');
    const { rate = '2/1secs' } = options;
    this.#prometheus = options.prometheus;
    this.#interval = rate === '' ? undefined : parseRate(rate);
  }

  protected override initialize(): void {
    if (this.#interval !== undefined) this.#limiter = new RateLimiter(this.clock, 1, this.#interval);
    this.route(
      '/snapshot',
      timed((timeout, request) => this.#snapshot(timeout, request)),
      {
        help: 'All metrics as JSON; `?timeout=2secs` leaves out what is not ready by then, `&jsonp=name` calls a function with it.',
      },
    );
    const help = 'All metrics as Prometheus text; `?timeout=2secs` leaves out what is not ready by then.';
    this.route(
      '/',
      timed((timeout) => this.#text(timeout)),
      { help },
    );
    this.route(
      '/prometheus',
      timed((timeout) => this.#text(timeout)),
      { help },
    );
  }

  protected override finalize(): void {
    this.#limiter?.stop();
  }

  #snapshot(timeout: number | undefined, request: HttpRequest): Future<HttpResponse> {
    const { metrics } = this.runtime;
    const take = (): Future<HttpResponse> =>
      metrics.snapshot({ timeout }).map((values) => jsonOrScript(request, Object.fromEntries(finite(values))));
    return this.#limiter?.acquire().andThen(take) ?? take();
  }

  #text(timeout: number | undefined): HttpResponse | Future<HttpResponse> {
    const prometheus = this.#prometheus;
    if (prometheus === undefined) {
      return refusal(
        501,
        'This server writes no Prometheus text: start it with httpServer({ metrics: { prometheus: prometheusText() } }).',
      );
    }
    return prometheus
      .render(this.runtime.metrics, timeout)
      .map((body) => ({ status: 200, headers: { 'content-type': prometheus.contentType }, body }));
  }
}

/** JSON has no NaN and no infinity. */
function finite(values: ReadonlyMap<string, number>): (readonly [string, number])[] {
  return [...values].filter(([, value]) => Number.isFinite(value));
}

/** Answers 405 and, for a timeout that is none, 400, before anything is counted against a rate. */
function timed(answer: (timeout: number | undefined, request: HttpRequest) => HttpResponse | Future<HttpResponse>) {
  return (request: HttpRequest): HttpResponse | Future<HttpResponse> => {
    if (!methods.includes(request.method)) return methodNotAllowed(methods, request.method);
    const given = request.query.get('timeout');
    if (given === null) return answer(undefined, request);
    let timeout: number;
    try {
      timeout = parseDuration(given);
    } catch {
      return refusal(400, `Invalid timeout '${given}': expected a time with its unit, such as '500ms' or '2secs'.`);
    }
    return answer(timeout, request);
  };
}
