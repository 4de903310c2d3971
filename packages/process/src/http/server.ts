import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';

import { type BuiltinOptions, spawnBuiltins } from '../builtin/index.ts';
import { type Duration, toMilliseconds } from '../duration.ts';
import { messageOf, ProcessError } from '../errors.ts';
import { Future } from '../future/future.ts';
import type { Runtime } from '../runtime.ts';
import type { HttpEdge } from '../runtime-options.ts';
import { Exchange } from './exchange.ts';

export interface HttpServerOptions extends BuiltinOptions {
  /** Address to listen on. Default 127.0.0.1: nobody outside this machine. */
  readonly host?: string;
  /** Default 0: any free port; `runtime.url` tells which. */
  readonly port?: number;
  /** Largest request body in bytes, also after inflating; above it the answer is 413. Default 8 MiB. */
  readonly maxBody?: number;
  /** How long `stop` waits for answers under way before it cuts their connections. Default 500 ms. */
  readonly grace?: Duration;
}

/**
 * Gives the routes of all processes of a runtime to HTTP clients, and spawns the processes `help`, `metrics`, `logging`,
 * `system` and `__processes__`. The start of the runtime fails with HTTP_UNAVAILABLE if the address cannot be listened on, and with
 * RATE_INVALID if the metrics' rate is none.
 */
export function httpServer(options: HttpServerOptions = {}): HttpEdge {
  return new HttpServer(options);
}

class HttpServer implements HttpEdge {
  readonly #options: HttpServerOptions;
  readonly #maxBody: number;
  readonly #grace: number;
  /** Every open connection, with the requests on it that are not answered yet. */
  readonly #connections = new Map<Socket, Set<Exchange>>();
  #runtime: Runtime | undefined;
  #server: Server | undefined;
  #stopping = false;

  constructor(options: HttpServerOptions) {
    this.#options = options;
    this.#maxBody = options.maxBody ?? 8 * 1024 * 1024;
    this.#grace = toMilliseconds(options.grace ?? 500);
  }

  start(runtime: Runtime): Future<{ readonly url: string }> {
    this.#runtime = runtime;
    return Future.from(this.#start(runtime));
  }

  stop(): Future<void> {
    return Future.from(this.#stop());
  }

  async #start(runtime: Runtime): Promise<{ readonly url: string }> {
    const { host = '127.0.0.1', port = 0 } = this.#options;
    const server = createServer({ keepAlive: true });
    server.on('connection', (socket) => this.#connected(socket));
    server.on('request', (request, response) => {
      const exchange = new Exchange(runtime, request, response, { maxBody: this.#maxBody, last: () => this.#stopping });
      const exchanges = this.#connections.get(request.socket);
      exchanges?.add(exchange);
      exchange.begin(() => {
        exchanges?.delete(exchange);
        if (this.#stopping && exchanges?.size === 0) request.socket.end();
      });
    });
    await listening(server, host, port);
    server.on('error', (error) => runtime.report(error, `HTTP server on ${host}:${port}`));
    this.#server = server;
    spawnBuiltins(runtime, this.#options);
    return { url: urlOf(server, host) };
  }

  #connected(socket: Socket): void {
    const exchanges = new Set<Exchange>();
    this.#connections.set(socket, exchanges);
    socket.once('close', () => {
      this.#connections.delete(socket);
      for (const exchange of exchanges) exchange.lost();
    });
  }

  async #stop(): Promise<void> {
    const server = this.#server;
    if (server === undefined) return;
    this.#server = undefined;
    this.#stopping = true;
    const closed = new Promise<void>((resolve) => void server.close(() => resolve()));
    for (const [socket, exchanges] of this.#connections) if (exchanges.size === 0) socket.destroy();
    const timer = this.#runtime?.clock.timer(this.#grace, () => {
      for (const socket of this.#connections.keys()) socket.destroy();
    });
    await closed;
    timer?.cancel();
  }
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const refuse = (error: unknown): void => reject(unavailable(error, host, port));
    server.once('error', refuse);
    try {
      server.listen({ host, port }, () => {
        server.removeListener('error', refuse);
        resolve();
      });
    } catch (error) {
      refuse(error);
    }
  });
}

function unavailable(error: unknown, host: string, port: number): ProcessError {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const why: Readonly<Record<string, string>> = {
    EADDRINUSE: 'the port is in use: choose another one, or 0 for any that is free',
    EACCES: 'this user may not listen on the port: choose one above 1023',
    EADDRNOTAVAIL: 'this machine has no such address: choose one that it has, such as 127.0.0.1',
    ENOTFOUND: 'the host name has no address: choose an address of this machine, such as 127.0.0.1',
    ERR_SOCKET_BAD_PORT: 'expected a port from 0 to 65535',
  };
  const reason = (typeof code === 'string' ? why[code] : undefined) ?? messageOf(error);
  return new ProcessError('HTTP_UNAVAILABLE', `Cannot serve HTTP on ${host}:${port}: ${reason}`, { cause: error });
}

function urlOf(server: Server, host: string): string {
  const address: string | AddressInfo | null = server.address();
  const port = address !== null && typeof address === 'object' ? address.port : 0;
  // A wildcard is no address that a client could use.
  const named = host === '0.0.0.0' || host === '' ? '127.0.0.1' : host === '::' ? '::1' : host;
  return `http://${named.includes(':') ? `[${named}]` : named}:${port}`;
}
