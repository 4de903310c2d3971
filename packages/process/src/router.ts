import type { Cell } from './cell.ts';
import { messageOf } from './errors.ts';
import { Deferred, Future } from './future/future.ts';
import type { HttpRequest, HttpResponse, Route } from './route.ts';
import { text } from './route.ts';
import type { Runtime } from './runtime.ts';

const nothing = new Uint8Array();

/**
 * Finds the process and route of a request, as libprocess does: the first segment names the process, then the longest
 * route that is a prefix of the rest, by whole segments. Unknown processes go to the delegate, if one is set.
 */
export class Router {
  readonly #runtime: Runtime;
  /** Id of the process that also serves `/` and paths whose first segment is no process. */
  delegate: string | undefined;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  serve(request: Partial<HttpRequest> & { readonly path: string }): Future<HttpResponse> {
    const { path } = request;
    if (!path.startsWith('/')) return Future.ready(text('400 Bad Request.', 400));
    if (path.includes('/..')) return Future.ready(text('404 Not Found.', 404));
    const segments = path.split('/').filter((segment) => segment !== '');
    const found = this.#find(segments);
    if (found === undefined) return Future.ready(text('404 Not Found.', 404));
    const whole: HttpRequest = {
      method: request.method ?? 'GET',
      path,
      rest: found.rest,
      query: request.query ?? new URLSearchParams(),
      headers: request.headers ?? {},
      body: request.body ?? nothing,
    };
    return this.#call(found.cell, found.route, whole);
  }

  #find(segments: readonly string[]): { cell: Cell; route: Route; rest: string } | undefined {
    const named = segments[0] === undefined ? undefined : this.#runtime.cell(segments[0]);
    if (named !== undefined) return longest(named, segments.slice(1));
    const delegate = this.delegate === undefined ? undefined : this.#runtime.cell(this.delegate);
    return delegate === undefined ? undefined : longest(delegate, segments);
  }

  #call(cell: Cell, route: Route, request: HttpRequest): Future<HttpResponse> {
    const answer = new Deferred<HttpResponse>();
    const dispatched = new Deferred<unknown>();
    // The outcome travels in a box: a promise must not hold the mailbox, and an exception must not end the process.
    this.#runtime.dispatchTo(cell.pid, () => ({ outcome: attempt(() => route.handler(request)) }), '', dispatched);
    dispatched.future.onReady((boxed) => {
      const { outcome } = boxed as { outcome: Future<HttpResponse> };
      answer.future.onDiscard(() => void outcome.discard());
      outcome.onReady((response) => void answer.set(response));
      outcome.onFailed((error) => void answer.set(text(messageOf(error), 500)));
      outcome.onDiscarded(() => void answer.set(text('discarded future', 500)));
      outcome.onAbandoned(() => void answer.set(text('503 Service Unavailable.', 503)));
    });
    dispatched.future.onAbandoned(() => void answer.set(text('500 Internal Server Error.', 500)));
    return answer.future;
  }
}

function attempt(call: () => HttpResponse | PromiseLike<HttpResponse>): Future<HttpResponse> {
  try {
    const outcome = call();
    if (outcome instanceof Future) return outcome;
    return 'then' in outcome ? Future.from(outcome) : Future.ready(outcome);
  } catch (error) {
    return Future.failed(error);
  }
}

function longest(cell: Cell, segments: readonly string[]): { cell: Cell; route: Route; rest: string } | undefined {
  for (let length = segments.length; length >= 0; length--) {
    // '/' is the bare path of the process, not a catch-all.
    if (length === 0 && segments.length > 0) return undefined;
    const route = cell.routes?.get(segments.slice(0, length).join('/'));
    if (route !== undefined) return { cell, route, rest: segments.slice(length).join('/') };
  }
  return undefined;
}
