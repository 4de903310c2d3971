import type { IncomingMessage, ServerResponse } from 'node:http';

import { messageOf } from '../errors.ts';
import type { Future } from '../future/future.ts';
import { type HttpResponse, refusal } from '../route.ts';
import type { Runtime } from '../runtime.ts';
import { bodyOf } from './body.ts';
import { compressed } from './compression.ts';

export interface ExchangeOptions {
  readonly maxBody: number;
  /** True once the server stops: the connection ends with this answer. */
  readonly last: () => boolean;
}

/** How long a client that sends too much may go on before its connection is cut, in milliseconds; see #drain. */
const drainLimit = 1000;

/** One request and its answer. */
export class Exchange {
  readonly #runtime: Runtime;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;
  readonly #options: ExchangeOptions;
  #answer: Future<HttpResponse> | undefined;
  #stream: AsyncIterator<Uint8Array> | undefined;
  #lost = false;

  constructor(runtime: Runtime, request: IncomingMessage, response: ServerResponse, options: ExchangeOptions) {
    this.#runtime = runtime;
    this.#request = request;
    this.#response = response;
    this.#options = options;
  }

  /** @param done called once the answer is with the operating system; not if the connection is lost before. */
  begin(done: () => void): void {
    this.#response.once('finish', done);
    // Errors of a connection end in its 'close'; without a listener they would end the OS process.
    this.#request.on('error', () => {});
    this.#response.on('error', () => {});
    this.#guard(this.#serve());
  }

  /** The client is gone: the producer of the answer is told, whichever it is at. */
  lost(): void {
    if (this.#lost) return;
    this.#lost = true;
    this.#answer?.discard();
    returned(this.#stream);
  }

  async #serve(): Promise<void> {
    const { headers, method = 'GET', url = '/' } = this.#request;
    const body = await bodyOf(this.#request, this.#options.maxBody);
    if (this.#lost) return;
    if (body.kind === 'refused') {
      this.#drain();
      this.#respond(body.answer);
      return;
    }
    const answer = this.#runtime.router.serve({
      method,
      path: pathOf(url),
      headers: plain(headers, body.inflated),
      body: body.bytes,
    });
    this.#answer = answer;
    answer.onReady((response) => this.#respond(response));
    answer.onFailed((error) => this.#respond(refusal(500, messageOf(error))));
    answer.onDiscarded(() => this.#respond(refusal(500, 'discarded future')));
    answer.onAbandoned(() => this.#respond(refusal(503)));
  }

  #respond(answer: HttpResponse): void {
    const { body = '' } = answer;
    if (typeof body === 'string') this.#guard(this.#send(answer, Buffer.from(body)));
    else if (body instanceof Uint8Array) this.#guard(this.#send(answer, body));
    else this.#guard(this.#pour(answer, body));
  }

  /** Whatever a process answers, a request must not end the OS process. */
  #guard(work: Promise<void>): void {
    work.catch((error: unknown) => {
      this.#runtime.report(error, `${this.#request.method ?? ''} ${this.#request.url ?? ''} could not be answered`);
      if (this.#response.headersSent) this.#response.destroy();
      else this.#response.writeHead(500).end();
    });
  }

  async #send(answer: HttpResponse, body: Uint8Array): Promise<void> {
    const { bytes, encoding } = await compressed(body, this.#request.headers['accept-encoding'], answer.headers);
    if (this.#lost) return;
    const headers: Record<string, string> = { ...lowerCased(answer.headers) };
    if (encoding !== undefined) headers['content-encoding'] = encoding;
    // 204 and 304 have no body, and 204 not even its length.
    if (answer.status !== 204 && answer.status !== 304) headers['content-length'] = String(bytes.length);
    if (this.#head(answer.status, headers)) this.#response.end(bytes);
  }

  async #pour(answer: HttpResponse, body: AsyncIterable<Uint8Array>): Promise<void> {
    const stream = body[Symbol.asyncIterator]();
    if (this.#lost || !this.#head(answer.status, lowerCased(answer.headers))) {
      returned(stream);
      return;
    }
    const response = this.#response;
    if (this.#request.method === 'HEAD' || answer.status === 204 || answer.status === 304) {
      returned(stream);
      response.end();
      return;
    }
    this.#stream = stream;
    response.flushHeaders();
    try {
      for (let next = await stream.next(); next.done !== true && !this.#lost; next = await stream.next()) {
        if (next.value.length > 0 && !response.write(next.value)) await this.#drained();
      }
      if (!this.#lost) response.end();
    } catch (error) {
      // A status can no longer be given: only a broken connection tells the client that this is not all.
      this.#runtime.log.warn({ err: error, url: this.#request.url }, 'HTTP answer broke off: its stream failed');
      response.destroy();
    } finally {
      this.#stream = undefined;
    }
  }

  /** False, after an answer of its own, if the process gave a status or headers that HTTP does not have. */
  #head(status: number, headers: Readonly<Record<string, string>>): boolean {
    try {
      this.#response.writeHead(status, this.#options.last() ? { ...headers, connection: 'close' } : headers);
      return true;
    } catch (error) {
      this.#runtime.report(error, `the answer to ${this.#request.method ?? ''} ${this.#request.url ?? ''} is no HTTP`);
      this.#response.writeHead(500, { 'content-type': 'text/plain; charset=utf-8' });
      this.#response.end('500 Internal Server Error.');
      return false;
    }
  }

  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const response = this.#response;
      const done = (): void => {
        response.off('drain', done);
        this.#request.socket.off('close', done);
        resolve();
      };
      response.on('drain', done);
      this.#request.socket.on('close', done);
    });
  }

  /**
   * Reads on and forgets what a client still sends after it was refused: closing at once would reset the connection, and
   * the client might never see the answer.
   */
  #drain(): void {
    const request = this.#request;
    request.resume();
    const timer = this.#runtime.clock.timer(drainLimit, () => void request.socket.destroy());
    request.once('close', () => void timer.cancel());
  }
}

function returned(stream: AsyncIterator<Uint8Array> | undefined): void {
  // What a producer still throws while it is told to stop concerns nobody.
  const ignore = (): void => {};
  try {
    stream?.return?.().then(ignore, ignore);
  } catch {
    ignore();
  }
}

/** Proxies ask by absolute URL. */
function pathOf(url: string): string {
  const match = /^https?:\/\/[^/?#]*(.*)$/i.exec(url);
  if (match === null) return url;
  const path = match[1] ?? '';
  return path.startsWith('/') ? path : `/${path}`;
}

function plain(headers: IncomingMessage['headers'], inflated: boolean): Record<string, string> {
  const entries: [string, string][] = [];
  for (const [name, value] of Object.entries(headers)) {
    // They describe what came over the wire, which the process does not get to see.
    if (inflated && (name === 'content-encoding' || name === 'content-length')) continue;
    if (value !== undefined) entries.push([name, typeof value === 'string' ? value : value.join(', ')]);
  }
  return Object.fromEntries(entries);
}

function lowerCased(headers: Readonly<Record<string, string>> = {}): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]));
}
