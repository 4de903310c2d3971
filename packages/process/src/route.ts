import { ProcessError } from './errors.ts';
import type { Future } from './future/future.ts';

export interface HttpRequest {
  readonly method: string;
  /** What follows the matched route, percent-decoded, without a leading slash; '' if nothing does. */
  readonly rest: string;
  /** The whole path, percent-decoded; if the delegate serves it, with the delegate's id in front. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names are lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text, bytes, or a stream that is sent as it comes; if the client leaves, the iterator's `return` is called. */
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array>;
}

/** Runs in a turn of the process; a promise or Future it returns does not hold the mailbox. */
export type RouteHandler = (request: HttpRequest) => HttpResponse | Future<HttpResponse> | Promise<HttpResponse>;

export interface RouteOptions {
  /** One line for `/help`. */
  readonly help?: string;
  /** For `/` only: it also serves everything below that no longer route matches. Default false. */
  readonly fallback?: boolean;
}

export interface Route {
  readonly handler: RouteHandler;
  readonly options: RouteOptions;
}

/** A JSON answer. */
export function json(value: unknown, status = 200): HttpResponse {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) };
}

/** A plain text answer. */
export function text(body: string, status = 200): HttpResponse {
  return { status, headers: { 'content-type': 'text/plain; charset=utf-8' }, body };
}

const reasons = {
  400: 'Bad Request',
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'Not Found',
  406: 'Not Acceptable',
  409: 'Conflict',
  412: 'Precondition Failed',
  413: 'Payload Too Large',
  415: 'Unsupported Media Type',
  500: 'Internal Server Error',
  501: 'Not Implemented',
  503: 'Service Unavailable',
} as const;

/** An answer that says no, with libprocess's text (`404 Not Found.`) unless one is given. */
export function refusal(status: keyof typeof reasons, body = `${status} ${reasons[status]}.`): HttpResponse {
  return text(body, status);
}

/** 405 that names the methods the endpoint takes, in the text and in `Allow`. */
export function methodNotAllowed(allowed: readonly string[], received: string): HttpResponse {
  const answer = text(`Expecting one of { '${allowed.join("', '")}' }, but received '${received}'.`, 405);
  return { ...answer, headers: { ...answer.headers, allow: allowed.join(', ') } };
}

/** @internal The form in which routes are kept: without the leading slash. Throws ROUTE_INVALID. */
export function routeKey(path: string): string {
  if (!path.startsWith('/') || (path.length > 1 && path.endsWith('/'))) {
    throw new ProcessError(
      'ROUTE_INVALID',
      `Invalid route '${path}': expected '/' or a path such as '/state', without a slash at the end`,
    );
  }
  return path.slice(1);
}
