import { asset } from './assets.ts';
import type { Cell } from './cell.ts';
import { messageOf } from './errors.ts';
import { Deferred, Future } from './future/future.ts';
import { type HttpRequest, type HttpResponse, refusal, type Route } from './route.ts';
import type { Runtime } from './runtime.ts';

const nothing = new Uint8Array();

/** What a router serves: only the path must be there, still percent-encoded, with the query unless `query` gives it. */
export type RoutedRequest = Partial<Omit<HttpRequest, 'rest'>> & { readonly path: string };

/** The process and the segments, decoded, that follow its id. */
interface Target {
  readonly cell: Cell;
  readonly segments: readonly string[];
}

type Match =
  | { readonly route: Route; readonly rest: readonly string[] }
  | { readonly asset: string; readonly rest: readonly string[] };

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

  serve(request: RoutedRequest): Future<HttpResponse> {
    const [path = '', ...queries] = request.path.split('?');
    const query = queries.join('?');
    if (!path.startsWith('/')) return Future.ready(refusal(400));
    if (path.includes('/..')) return Future.ready(refusal(404));
    const segments = decode(path);
    if (segments === undefined || decoded(query.replaceAll('+', ' ')) === undefined) return Future.ready(refusal(400));
    const target = this.#target(segments);
    // An encoded '..' must not reach a handler that takes what follows its route for a file name.
    if (target === undefined || segments.includes('..')) return Future.ready(refusal(404));
    const { cell, segments: inside } = target;
    const whole = {
      method: request.method ?? 'GET',
      path: `/${[cell.id, ...inside].join('/')}`,
      query: request.query ?? new URLSearchParams(query),
      headers: request.headers ?? {},
      body: request.body ?? nothing,
    };
    return this.#call(cell, () => this.#answer(cell, inside, whole));
  }

  #target(segments: readonly string[]): Target | undefined {
    const named = segments[0] === undefined ? undefined : this.#runtime.cell(segments[0]);
    if (named !== undefined) return { cell: named, segments: segments.slice(1) };
    const delegate = this.delegate === undefined ? undefined : this.#runtime.cell(this.delegate);
    return delegate === undefined ? undefined : { cell: delegate, segments };
  }

  /** Runs in a turn of the process: only then are the routes there that its `initialize` sets. */
  #answer(cell: Cell, segments: readonly string[], request: Omit<HttpRequest, 'rest'>): ReturnType<Route['handler']> {
    const match = find(cell, segments);
    if (match === undefined) return refusal(404);
    if ('asset' in match) return asset(this.#runtime.files, match.asset, match.rest, request.method);
    return match.route.handler({ ...request, rest: match.rest.join('/') });
  }

  #call(cell: Cell, handle: () => ReturnType<Route['handler']>): Future<HttpResponse> {
    const answer = new Deferred<HttpResponse>();
    const dispatched = new Deferred<unknown>();
    // The outcome travels in a box: a promise must not hold the mailbox, and an exception must not end the process.
    this.#runtime.delivery.dispatch(cell.pid, () => ({ outcome: attempt(handle) }), '', dispatched);
    dispatched.future.onReady((boxed) => {
      const { outcome } = boxed as { outcome: Future<HttpResponse> };
      answer.future.onDiscard(() => void outcome.discard());
      outcome.onReady((response) => void answer.set(response));
      outcome.onFailed((error) => void answer.set(refusal(500, messageOf(error))));
      outcome.onDiscarded(() => void answer.set(refusal(500, 'discarded future')));
      outcome.onAbandoned(() => void answer.set(refusal(503)));
    });
    dispatched.future.onAbandoned(() => void answer.set(refusal(500)));
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

function decode(path: string): readonly string[] | undefined {
  const segments: string[] = [];
  for (const encoded of path.split('/')) {
    if (encoded === '') continue;
    const segment = decoded(encoded);
    if (segment === undefined) return undefined;
    segments.push(segment);
  }
  return segments;
}

function decoded(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** The longest route, else the longest asset path, that is a prefix of the segments. */
function find(cell: Cell, segments: readonly string[]): Match | undefined {
  for (let length = segments.length; length >= 0; length--) {
    const route = cell.routes?.get(segments.slice(0, length).join('/'));
    // '/' is the bare path of the process, not a catch-all, unless it says so; assets come before a catch-all.
    if (route === undefined || (length === 0 && segments.length > 0)) continue;
    return { route, rest: segments.slice(length) };
  }
  for (let length = segments.length; length >= 0; length--) {
    const found = cell.assets?.get(segments.slice(0, length).join('/'));
    if (found !== undefined) return { asset: found, rest: segments.slice(length) };
  }
  const fallback = cell.routes?.get('');
  return fallback?.options.fallback === true ? { route: fallback, rest: segments } : undefined;
}
