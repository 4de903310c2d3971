import { createServer, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';

import {
  Deferred,
  Future,
  type HttpRequest,
  type HttpResponse,
  nodePlatform,
  Process,
  ProcessError,
  Runtime,
  text,
} from '@mezzo/process';
import { httpServer, type HttpServerOptions } from '@mezzo/process/http';
import { prometheusText } from '@mezzo/process/metrics';
import { Simulation } from '@mezzo/process/testing';
import { expect } from 'chai';

/** Answers as a test tells it to. */
class Site extends Process {
  readonly seen: HttpRequest[] = [];
  #answer: (request: HttpRequest) => HttpResponse | Future<HttpResponse>;

  constructor(id: string, answer: (request: HttpRequest) => HttpResponse | Future<HttpResponse>) {
    super(id);
    this.#answer = answer;
  }

  protected override initialize(): void {
    this.route(
      '/',
      (request) => {
        this.seen.push(request);
        return this.#answer(request);
      },
      { fallback: true },
    );
  }
}

/** A stream whose chunks the test gives one by one. */
class Tap implements AsyncIterator<Uint8Array> {
  readonly #next: ((result: IteratorResult<Uint8Array>) => void)[] = [];
  returned = false;

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Uint8Array>> {
    return new Promise((resolve) => this.#next.push(resolve));
  }

  return(): Promise<IteratorResult<Uint8Array>> {
    this.returned = true;
    return Promise.resolve({ done: true, value: undefined });
  }

  async give(chunk: string): Promise<void> {
    await this.#answer({ done: false, value: Buffer.from(chunk) });
  }

  async end(): Promise<void> {
    await this.#answer({ done: true, value: undefined });
  }

  async #answer(result: IteratorResult<Uint8Array>): Promise<void> {
    await until(() => this.#next.length > 0, 'the server to ask for a chunk');
    this.#next.shift()?.(result);
  }
}

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const deadline = performance.now() + 5000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`Waited 5 s for ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** What fetch hides: the encoding as it travels, any path, any header. */
function send(
  url: string,
  options: { method?: string; headers?: Record<string, string>; body?: Uint8Array } = {},
): Promise<Answer> {
  const { origin } = new URL(url);
  return new Promise((resolve, reject) => {
    const request = httpRequest(origin, { ...options, path: url.slice(origin.length), agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      );
      response.on('error', reject);
    });
    request.on('error', reject);
    request.end(options.body);
  });
}

/** A connection on which a test writes what it likes. */
class Wire {
  readonly socket: Socket;
  received = '';
  closed = false;

  constructor(url: string) {
    this.socket = connect({ host: '127.0.0.1', port: Number(new URL(url).port) });
    this.socket.on('data', (data) => (this.received += data.toString('latin1')));
    this.socket.on('close', () => (this.closed = true));
    this.socket.on('error', () => {});
  }

  write(...lines: string[]): void {
    this.socket.write(lines.join('\r\n'));
  }
}

describe('HTTP server', () => {
  const runtimes: Runtime[] = [];
  const wires: Wire[] = [];
  const reported: unknown[] = [];

  afterEach(async () => {
    for (const { socket } of wires.splice(0)) socket.destroy();
    for (const runtime of runtimes.splice(0)) await runtime.stop();
    reported.length = 0;
  });

  async function start(options: HttpServerOptions = {}): Promise<{ runtime: Runtime; url: string }> {
    const runtime = await Runtime.start({ http: httpServer(options), onError: (error) => void reported.push(error) });
    runtimes.push(runtime);
    const { url } = runtime;
    expect(url).to.match(/^http:\/\/127\.0\.0\.1:[1-9]\d*$/);
    return { runtime, url: url ?? '' };
  }

  async function serving(
    answer: (request: HttpRequest) => HttpResponse | Future<HttpResponse>,
    options?: HttpServerOptions,
  ) {
    const { runtime, url } = await start(options);
    const site = new Site('site', answer);
    runtime.spawn(site);
    return { runtime, url, site };
  }

  function wire(url: string): Wire {
    const opened = new Wire(url);
    wires.push(opened);
    return opened;
  }

  describe('requests', () => {
    it('method, path, query and headers reach the process', async () => {
      const { url, site } = await serving(() => text('hello'));
      const response = await fetch(`${url}/site/a%20b?x=1&y=%C3%A9`, { headers: { 'X-Answer': '42' } });
      expect(response.status).to.equal(200);
      expect(response.headers.get('content-type')).to.equal('text/plain; charset=utf-8');
      expect(response.headers.get('content-length')).to.equal('5');
      expect(response.headers.get('date')).to.match(/GMT$/);
      expect(await response.text()).to.equal('hello');
      const [request] = site.seen;
      expect(request).to.include({ method: 'GET', path: '/site/a b', rest: 'a b' });
      expect(Object.fromEntries(request?.query ?? [])).to.deep.equal({ x: '1', y: 'é' });
      expect(request?.headers['x-answer']).to.equal('42');
      expect(request?.body).to.have.length(0);
    });

    it('a body of many chunks arrives whole', async () => {
      const { url, site } = await serving(() => text(''));
      const body = Buffer.alloc(300_000, 'mezzo');
      expect((await fetch(`${url}/site`, { method: 'POST', body })).status).to.equal(200);
      expect(Buffer.compare(site.seen[0]?.body ?? new Uint8Array(), body)).to.equal(0);
    });

    it('LP-HTTP-20 DELETE arrives without body or query', async () => {
      const { url, site } = await serving(() => text(''));
      await fetch(`${url}/site`, { method: 'DELETE' });
      expect(site.seen[0]).to.include({ method: 'DELETE' });
      expect(site.seen[0]?.body).to.have.length(0);
      expect([...(site.seen[0]?.query ?? [])]).to.be.empty;
    });

    it('LP-HTTP-22 a gzip body arrives inflated, and one that is none is a bad request', async () => {
      const { url, site } = await serving(() => text(''));
      const headers = { 'content-encoding': 'gzip' };
      expect((await send(`${url}/site`, { method: 'POST', headers, body: gzipSync('inflated') })).status).to.equal(200);
      expect(Buffer.from(site.seen[0]?.body ?? []).toString()).to.equal('inflated');
      expect(site.seen[0]?.headers).not.to.have.property('content-encoding');
      expect((await send(`${url}/site`, { method: 'POST', headers, body: Buffer.from('no gzip') })).status).to.equal(
        400,
      );
      expect(site.seen).to.have.length(1);
    });

    it('a body above the limit is refused with 413, whatever form it comes in', async () => {
      const { url, site } = await serving(() => text('taken'), { maxBody: 1000 });
      const refused = '413 Payload Too Large: a body may have 1000 bytes.';
      const announced = await fetch(`${url}/site`, { method: 'POST', body: Buffer.alloc(2_000_000) });
      expect([announced.status, await announced.text()]).to.deep.equal([413, refused]);
      const chunked = await send(`${url}/site`, {
        method: 'POST',
        headers: { 'transfer-encoding': 'chunked' },
        body: Buffer.alloc(100_000),
      });
      expect([chunked.status, chunked.body.toString()]).to.deep.equal([413, refused]);
      const bomb = await send(`${url}/site`, {
        method: 'POST',
        headers: { 'content-encoding': 'gzip' },
        body: gzipSync(Buffer.alloc(500_000)),
      });
      expect([bomb.status, bomb.body.toString()]).to.deep.equal([413, refused]);
      expect(site.seen).to.be.empty;
      expect((await send(`${url}/site`, { method: 'POST', body: Buffer.alloc(1000) })).status).to.equal(200);
    });

    it('a body announced as too large is refused before it comes, and who does not send it is cut off', async () => {
      const { clock } = new Simulation();
      const runtime = await Runtime.start({ http: httpServer(), platform: { ...nodePlatform(), clock } });
      runtimes.push(runtime);
      const stalling = wire(runtime.url ?? '');
      stalling.write('POST /nobody HTTP/1.1', 'Host: x', 'Content-Length: 10000000', '', '');
      await until(() => stalling.received.includes('a body may have 8388608 bytes.'), 'the answer');
      expect(stalling.received).to.match(/^HTTP\/1\.1 413 Payload Too Large\r\n/);
      clock.moveTo(clock.now() + 1000);
      clock.fireDue();
      await until(() => stalling.closed, 'the connection to be cut');
    });

    it('what is no HTTP is a bad request and ends the connection', async () => {
      const { url, site } = await serving(() => text(''));
      const broken = wire(url);
      broken.write('GARBAGE', '', '');
      await until(() => broken.closed, 'the server to close the connection');
      expect(broken.received).to.match(/^HTTP\/1\.1 400 Bad Request\r\n/);
      expect((await send(`${url}/site/%zz`)).status).to.equal(400);
      expect(site.seen).to.be.empty;
      expect((await send(`${url}/site`)).status).to.equal(200);
    });

    it('a path with /.. is not found', async () => {
      const { url, site } = await serving(() => text(''));
      expect((await send(`${url}/site/../other`)).status).to.equal(404);
      expect(site.seen).to.be.empty;
    });

    it('an absolute URL, as proxies send it, is served by its path', async () => {
      const { url } = await serving(({ path, query }) => text(`${path} ${query.toString()}`));
      const proxied = wire(url);
      proxied.write(
        'GET http://mezzo.example:80/site/x?y=1 HTTP/1.1',
        'Host: mezzo.example',
        'Connection: close',
        '',
        '',
      );
      await until(() => proxied.closed, 'the answer');
      expect(proxied.received).to.match(/^HTTP\/1\.1 200 OK\r\n/);
      expect(proxied.received).to.match(/\r\n\r\n\/site\/x y=1$/);
    });
  });

  describe('answers', () => {
    it('LP-HTTP-24 pipelined requests are handled at once, whoever serves them, and answered in their order', async () => {
      const answers = [
        new Deferred<HttpResponse>(),
        new Deferred<HttpResponse>(),
        new Deferred<HttpResponse>(),
      ] as const;
      const answer = ({ rest }: HttpRequest): Future<HttpResponse> => (answers[Number(rest)] ?? answers[0]).future;
      const { runtime, url, site } = await serving(answer);
      const other = new Site('other', answer);
      runtime.spawn(other);
      const pipelined = wire(url);
      for (const path of ['site/0', 'other/1', 'site/2']) pipelined.write(`GET /${path} HTTP/1.1`, 'Host: x', '', '');
      await until(() => site.seen.length + other.seen.length === 3, 'three requests');
      expect(pipelined.received).to.equal('');
      async function* stream(): AsyncGenerator<Uint8Array> {
        yield Buffer.from('answer ');
        yield Buffer.from('1');
      }
      answers[2].set(text('answer 2'));
      answers[1].set({ status: 200, body: stream() });
      answers[0].set(text('answer 0'));
      await until(() => pipelined.received.includes('answer 2'), 'three answers');
      const [first = '', second = '', third = ''] = pipelined.received.split('HTTP/1.1 200 OK').slice(1);
      expect(first).to.match(/\r\n\r\nanswer 0$/);
      expect(second).to.match(/\r\n\r\n7\r\nanswer \r\n1\r\n1\r\n0\r\n\r\n$/);
      expect(third).to.match(/\r\n\r\nanswer 2$/);
    });

    it('LP-HTTP-02 HTTP/1.0 with keep-alive is answered and the connection stays', async () => {
      const { url } = await serving(() => text('old'));
      const old = wire(url);
      old.write('GET /site HTTP/1.0', 'Connection: Keep-Alive', '', '');
      await until(() => old.received.endsWith('old'), 'the first answer');
      expect(old.received).to.match(/^HTTP\/1\.1 200 OK\r\n/);
      old.write('GET /site HTTP/1.0', 'Connection: Keep-Alive', '', '');
      await until(() => old.received.split('HTTP/1.1 200 OK').length === 3, 'the second answer');
    });

    it('HEAD is answered with the headers of GET and no body', async () => {
      const { url, site } = await serving(() => text('x'.repeat(500)));
      const head = await fetch(`${url}/site`, { method: 'HEAD' });
      expect(head.headers.get('content-length')).to.equal('500');
      expect(await head.text()).to.equal('');
      expect(site.seen[0]?.method).to.equal('HEAD');
    });

    it('HEAD does not start a stream, and tells it so', async () => {
      const tap = new Tap();
      const { url } = await serving(() => ({ status: 200, headers: { 'content-length': '1000' }, body: tap }));
      const head = await fetch(`${url}/site`, { method: 'HEAD' });
      expect(head.headers.get('content-length')).to.equal('1000');
      expect(tap.returned).to.equal(true);
    });

    it('LP-SRC-50 bodies of 1024 bytes and more are sent as gzip to whom accepts it, streams and files never', async () => {
      const bodies: Record<string, HttpResponse> = {
        long: text('m'.repeat(1024)),
        short: text('m'.repeat(1023)),
        bytes: { status: 200, body: Buffer.alloc(2000, 'm') },
        encoded: { status: 200, headers: { 'Content-Encoding': 'br' }, body: Buffer.alloc(2000) },
      };
      async function* stream(): AsyncGenerator<Uint8Array> {
        yield Buffer.alloc(2000, 'm');
      }
      class Source extends Process {
        protected override initialize(): void {
          this.provide('/', fileURLToPath(import.meta.url));
        }
      }
      const { runtime, url } = await serving(({ rest }) =>
        rest === 'stream' ? { status: 200, body: stream() } : (bodies[rest] ?? text('')),
      );
      const get = async (name: string, accepted?: string): Promise<Answer> =>
        send(`${url}/site/${name}`, { headers: accepted === undefined ? {} : { 'accept-encoding': accepted } });
      const long = await get('long', 'deflate, gzip;q=0.5');
      expect(long.headers['content-encoding']).to.equal('gzip');
      expect(long.headers['content-length']).to.equal(String(long.body.length));
      expect(gunzipSync(long.body).toString()).to.equal('m'.repeat(1024));
      expect((await get('bytes', '*')).headers['content-encoding']).to.equal('gzip');
      expect((await get('short', 'gzip')).headers).not.to.have.property('content-encoding');
      for (const accepted of [undefined, 'br', 'gzip;q=0', 'gzip;q=0, *']) {
        expect((await get('long', accepted)).headers, String(accepted)).not.to.have.property('content-encoding');
      }
      expect((await get('encoded', 'gzip')).headers['content-encoding']).to.equal('br');
      expect((await get('encoded', 'gzip')).body).to.have.length(2000);
      const streamed = await get('stream', 'gzip');
      expect(streamed.headers)
        .to.include({ 'transfer-encoding': 'chunked' })
        .and.not.to.have.property('content-encoding');
      expect(streamed.body.toString()).to.equal('m'.repeat(2000));
      runtime.spawn(new Source('source'));
      const file = await send(`${url}/source`, { headers: { 'accept-encoding': 'gzip' } });
      expect(file.headers).not.to.have.property('content-encoding');
      expect(file.body.length).to.be.above(1024);
      expect(file.body.toString()).to.match(/^import /);
    });

    it('LP-HTTP-02 a failure is 500 with its text and the connection stays', async () => {
      const { url } = await serving(() => Future.failed('out of luck'));
      const response = await fetch(`${url}/site`);
      expect([response.status, await response.text()]).to.deep.equal([500, 'out of luck']);
    });

    it('headers and a status that HTTP does not have are reported and answered 500', async () => {
      const wrong: Record<string, HttpResponse> = {
        header: { status: 200, headers: { 'x-evil': 'a\r\nset-cookie: b' }, body: 'body' },
        status: { status: 1337, body: 'body' },
      };
      const { url } = await serving(({ rest }) => wrong[rest] ?? text(''));
      for (const name of Object.keys(wrong)) {
        const answer = await send(`${url}/site/${name}`);
        expect([answer.status, answer.body.toString()], name).to.deep.equal([500, '500 Internal Server Error.']);
        expect(answer.headers).not.to.have.any.keys('set-cookie', 'x-evil');
      }
      expect(reported).to.have.length(2);
    });

    it('204 and 304 have neither body nor length', async () => {
      const { url } = await serving(({ rest }) => ({ status: Number(rest), body: 'left out' }));
      for (const status of [204, 304]) {
        const answer = await send(`${url}/site/${status}`);
        expect(answer.status).to.equal(status);
        expect(answer.headers).not.to.have.property('content-length');
        expect(answer.body).to.have.length(0);
      }
    });
  });

  describe('streams', () => {
    it('LP-HTTP-02 LP-HTTP-15 headers come at once, each chunk when it is written, and then the end', async () => {
      const tap = new Tap();
      const { url } = await serving(() => ({ status: 200, body: tap }));
      const response = await fetch(`${url}/site`);
      expect(response.headers.get('transfer-encoding')).to.equal('chunked');
      const reader = response.body?.getReader();
      const read = async (): Promise<string> => Buffer.from((await reader?.read())?.value ?? []).toString();
      await tap.give('one');
      expect(await read()).to.equal('one');
      await tap.give('two');
      expect(await read()).to.equal('two');
      await tap.end();
      expect((await reader?.read())?.done).to.equal(true);
    });

    it('LP-HTTP-16 a stream that fails breaks the connection, so that the client knows it is not all', async () => {
      async function* failing(): AsyncGenerator<Uint8Array> {
        yield Buffer.from('some');
        throw new Error('disk on fire');
      }
      const { url } = await serving(() => ({ status: 200, body: failing() }));
      const response = await fetch(`${url}/site`);
      expect(response.status).to.equal(200);
      const failure: unknown = await response.text().then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(failure).to.be.instanceOf(Error);
    });

    it('a slow reader slows the producer down', async () => {
      let produced = 0;
      let ended = false;
      async function* endless(): AsyncGenerator<Uint8Array> {
        try {
          for (; produced < 5000; produced++) yield Buffer.alloc(64 * 1024);
        } finally {
          ended = true;
        }
      }
      const { url } = await serving(() => ({ status: 200, body: endless() }));
      const slow = wire(url);
      slow.socket.pause();
      slow.write('GET /site HTTP/1.1', 'Host: x', '', '');
      await until(() => produced > 0, 'the producer to begin');
      let before = -1;
      // The kernel's buffers fill first; then the producer stands still.
      for (let quiet = 0; quiet < 200; quiet = produced === before ? quiet + 1 : 0) {
        before = produced;
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(produced).to.be.below(1000);
      slow.socket.destroy();
      await until(() => ended, 'the producer to be ended');
      expect(produced).to.be.below(1000);
    });

    it('LP-SRC-51 when the client leaves, every answer that is pending gets a discard request, and a stream is ended', async () => {
      const tap = new Tap();
      const pending: Deferred<HttpResponse>[] = [];
      const { url } = await serving(({ rest }) => {
        if (rest === 'stream') return { status: 200, body: tap };
        const answer = new Deferred<HttpResponse>();
        pending.push(answer);
        return answer.future;
      });
      const reading = wire(url);
      reading.write('GET /site/stream HTTP/1.1', 'Host: x', '', '');
      await tap.give('some');
      await until(() => reading.received.includes('some'), 'the first chunk');
      reading.socket.destroy();
      await until(() => tap.returned, 'the stream to be ended');
      const leaving = wire(url);
      for (const number of [1, 2]) leaving.write(`GET /site/${number} HTTP/1.1`, 'Host: x', '', '');
      await until(() => pending.length === 2, 'two requests');
      leaving.socket.destroy();
      await until(() => pending.every(({ future }) => future.hasDiscard), 'two discard requests');
    });

    it('a stream that comes when the client has left is ended unread', async () => {
      const tap = new Tap();
      const answer = new Deferred<HttpResponse>();
      const { url, site } = await serving(() => answer.future);
      const leaving = wire(url);
      leaving.write('GET /site HTTP/1.1', 'Host: x', '', '');
      await until(() => site.seen.length === 1, 'the request');
      leaving.socket.destroy();
      await until(() => answer.future.hasDiscard, 'the discard request');
      answer.set({ status: 200, body: tap });
      await until(() => tap.returned, 'the stream to be ended');
    });
  });

  describe('start and stop', () => {
    it('a port in use refuses the start with one line that names host and port', async () => {
      const taken = createServer();
      await new Promise<void>((resolve) => void taken.listen(0, '127.0.0.1', resolve));
      try {
        const { port } = taken.address() as AddressInfo;
        const failure: unknown = await Runtime.start({ http: httpServer({ port }) }).then(
          () => undefined,
          (error: unknown) => error,
        );
        expect(failure).to.be.instanceOf(ProcessError);
        expect(failure).to.have.property('code', 'HTTP_UNAVAILABLE');
        expect(failure)
          .to.have.property('message')
          .that.equals(
            `Cannot serve HTTP on 127.0.0.1:${port}: the port is in use: choose another one, or 0 for any that is free`,
          );
      } finally {
        taken.close();
      }
    });

    it('an address that is none of this machine, and a port that is none, refuse the start', async () => {
      for (const [options, message] of [
        [{ host: '192.0.2.1', port: 0 }, 'Cannot serve HTTP on 192.0.2.1:0: this machine has no such address'],
        [{ port: 70_000 }, 'Cannot serve HTTP on 127.0.0.1:70000: expected a port from 0 to 65535'],
      ] as const) {
        const failure: unknown = await Runtime.start({ http: httpServer(options) }).then(
          () => undefined,
          (error: unknown) => error,
        );
        expect(failure).to.have.property('code', 'HTTP_UNAVAILABLE');
        expect(failure).to.have.property('message').that.includes(message);
      }
    });

    it('a rate of metrics that is none refuses the start and leaves no server behind', async () => {
      const { runtime, url } = await start();
      await runtime.stop();
      const port = Number(new URL(url).port);
      const failure: unknown = await Runtime.start({ http: httpServer({ port, metrics: { rate: 'often' } }) }).then(
        () => undefined,
        (error: unknown) => error,
      );
      expect(failure).to.have.property('code', 'RATE_INVALID');
      expect((await start({ port })).url).to.equal(url);
    });

    it('stop closes idle connections at once', async () => {
      const { runtime, url } = await serving(() => text('kept'), { grace: '1hrs' });
      const silent = wire(url);
      const idle = wire(url);
      idle.write('GET /site HTTP/1.1', 'Host: x', '', '');
      await until(() => idle.received.endsWith('kept'), 'the answer');
      await until(() => !silent.socket.connecting, 'the connection');
      await runtime.stop();
      await until(() => idle.closed && silent.closed, 'the connections to be closed');
    });

    it('stop lets an answer under way be given, and then closes its connection', async () => {
      const answer = new Deferred<HttpResponse>();
      const { runtime, url, site } = await serving(() => answer.future, { grace: '1hrs' });
      const open = wire(url);
      open.write('GET /site HTTP/1.1', 'Host: x', '', '');
      await until(() => site.seen.length === 1, 'the request');
      const stopped = runtime.stop();
      answer.set(text('last words'));
      await stopped;
      await until(() => open.closed, 'the connection to be closed');
      expect(open.received).to.match(/last words$/);
      expect(open.received.toLowerCase()).to.include('connection: close');
    });

    it('stop cuts what is still open after the grace', async () => {
      const tap = new Tap();
      const { runtime, url } = await serving(() => ({ status: 200, body: tap }), { grace: '20ms' });
      const open = wire(url);
      open.write('GET /site HTTP/1.1', 'Host: x', '', '');
      await tap.give('first');
      await until(() => open.received.includes('first'), 'the first chunk');
      await runtime.stop();
      await until(() => open.closed, 'the connection to be cut');
      expect(tap.returned).to.equal(true);
    });
  });

  it('the built-in endpoints are there from the start', async () => {
    const { url } = await start({ metrics: { prometheus: prometheusText() } });
    const snapshot = await fetch(`${url}/metrics/snapshot?timeout=2secs`);
    expect(snapshot.headers.get('content-type')).to.equal('application/json');
    expect(await snapshot.json()).to.include({ 'process/processes': 5, 'process/errors': 0 });
    expect(await (await fetch(`${url}/metrics`)).text()).to.include(
      '# TYPE process_processes gauge\nprocess_processes 5\n',
    );
    expect(await (await fetch(`${url}/__processes__`)).json())
      .to.be.an('array')
      .with.length(5);
    expect((await fetch(`${url}/help`)).status).to.equal(200);
    expect((await fetch(url)).status).to.equal(404);
  });
});
