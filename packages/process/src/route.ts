import type { Future } from './future/future.ts';

export interface HttpRequest {
  readonly method: string;
  /** What follows the matched route, without a leading slash; '' if nothing does. */
  readonly rest: string;
  /** The whole path, percent-decoded. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Names are lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export interface HttpResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Text, bytes, or a stream that is sent as it comes. */
  readonly body?: string | Uint8Array | AsyncIterable<Uint8Array>;
}

/** Runs in a turn of the process; a promise or Future it returns does not hold the mailbox. */
export type RouteHandler = (request: HttpRequest) => HttpResponse | Future<HttpResponse> | Promise<HttpResponse>;

export interface RouteOptions {
  /** One line for `/help`. */
  readonly help?: string;
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
