import {
  Deferred,
  Future,
  type HttpRequest,
  json,
  methodNotAllowed,
  Process,
  ProcessError,
  type Runtime,
  text,
} from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';
import { expect } from 'chai';

/** Serves the given paths, and tells which one it was and with what. */
class Site extends Process {
  readonly #paths: readonly string[];
  readonly #fallback: boolean;
  readonly seen: HttpRequest[] = [];

  constructor(id: string, paths: readonly string[], options: { readonly fallback?: boolean } = {}) {
    super(id);
    this.#paths = paths;
    this.#fallback = options.fallback ?? false;
  }

  protected override initialize(): void {
    for (const path of this.#paths) {
      this.route(
        path,
        (request) => {
          this.seen.push(request);
          return json({ route: path, rest: request.rest });
        },
        { fallback: this.#fallback },
      );
    }
  }

  invalid(path: string): void {
    this.route(path, () => text(''));
  }
}

class Answering extends Process {
  outcome: () => Future<never> = () => Future.abandoned();

  constructor() {
    super('answering');
  }

  protected override initialize(): void {
    this.route('/', () => this.outcome());
    this.route('/throws', () => {
      throw new Error('no luck');
    });
  }
}

describe('HTTP routing', () => {
  let world: Simulation;
  let runtime: Runtime;

  beforeEach(async () => {
    world = new Simulation();
    runtime = await world.start('node');
  });

  afterEach(async () => {
    await world.stop();
  });

  async function get(path: string, request: Partial<HttpRequest> = {}): Promise<string> {
    const answer = runtime.http({ ...request, path });
    await world.settle();
    const { status, body } = answer.get();
    expect(body).to.be.a('string');
    return `${status} ${typeof body === 'string' ? body : ''}`;
  }

  it('LP-HTTP-14 the longest route that is a prefix by whole segments serves the request', async () => {
    runtime.spawn(new Site('site', ['/a', '/a/b/c']));
    expect(await get('/site/a/b/c')).to.equal('200 {"route":"/a/b/c","rest":""}');
    expect(await get('/site/a/b/c/d')).to.equal('200 {"route":"/a/b/c","rest":"d"}');
    expect(await get('/site/a/b')).to.equal('200 {"route":"/a","rest":"b"}');
    expect(await get('/site/ab')).to.equal('404 404 Not Found.');
  });

  it('LP-HTTP-02 a slash at the end changes nothing', async () => {
    runtime.spawn(new Site('site', ['/body']));
    expect(await get('/site/body/')).to.equal('200 {"route":"/body","rest":""}');
  });

  it('LP-SRC-44 the route / serves the bare path of its process and nothing below', async () => {
    runtime.spawn(new Site('x', ['/']));
    expect(await get('/x')).to.equal('200 {"route":"/","rest":""}');
    expect(await get('/x/')).to.equal('200 {"route":"/","rest":""}');
    expect(await get('/x/foo')).to.equal('404 404 Not Found.');
  });

  it('the route / as a fallback serves what no other route does', async () => {
    runtime.spawn(new Site('x', ['/', '/state'], { fallback: true }));
    expect(await get('/x/some/page')).to.equal('200 {"route":"/","rest":"some/page"}');
    expect(await get('/x/state')).to.equal('200 {"route":"/state","rest":""}');
  });

  it('LP-SRC-45 a route must start with a slash and not end with one', () => {
    const site = new Site('x', []);
    runtime.spawn(site);
    for (const path of ['a', '/a/', '']) {
      expect(() => site.invalid(path))
        .to.throw(ProcessError, `Invalid route '${path}'`)
        .with.property('code', 'ROUTE_INVALID');
    }
    expect(() => site.invalid('/')).not.to.throw();
    expect(() => site.invalid('/a')).not.to.throw();
  });

  it('LP-SRC-46 the delegate serves / and every path that names no process', async () => {
    const site = new Site('m', ['/', '/foo/bar']);
    runtime.spawn(site);
    runtime.router.delegate = 'm';
    expect(await get('/')).to.equal('200 {"route":"/","rest":""}');
    expect(await get('/foo/bar')).to.equal('200 {"route":"/foo/bar","rest":""}');
    expect(site.seen.map(({ path }) => path)).to.deep.equal(['/m', '/m/foo/bar']);
    runtime.spawn(new Site('foo', ['/bar']));
    expect(await get('/foo/bar')).to.equal('200 {"route":"/bar","rest":""}');
    expect(await get('/foo/other')).to.equal('404 404 Not Found.');
  });

  it('without a delegate, / and unknown processes are not found', async () => {
    expect(await get('/')).to.equal('404 404 Not Found.');
    expect(await get('/nobody/state')).to.equal('404 404 Not Found.');
    expect(await get('nobody')).to.equal('400 400 Bad Request.');
  });

  it('LP-SRC-47 a path with /.. is not found and no handler runs', async () => {
    const site = new Site('x', ['/', '/y'], { fallback: true });
    runtime.spawn(site);
    for (const path of ['/x/../y', '/x/..y', '/x/%2e%2e/y']) expect(await get(path)).to.equal('404 404 Not Found.');
    expect(site.seen).to.be.empty;
  });

  it('the process id and what follows the route are percent-decoded, segment by segment', async () => {
    const site = new Site('id(42)', ['/files']);
    runtime.spawn(site);
    expect(await get('/id%2842%29/files/a%20b/c%C3%A9')).to.equal('200 {"route":"/files","rest":"a b/cé"}');
    expect(await get('/id(42)/files')).to.equal('200 {"route":"/files","rest":""}');
    expect(site.seen[0]?.path).to.equal('/id(42)/files/a b/cé');
  });

  it('malformed percent-encoding of path or query is a bad request', async () => {
    runtime.spawn(new Site('x', ['/'], { fallback: true }));
    for (const path of ['/%', '/x/%zz', '/x/%FF', '/x?a=%1', '/x?%'])
      expect(await get(path)).to.equal('400 400 Bad Request.');
  });

  it('the handler gets method, query, headers and body', async () => {
    const site = new Site('x', ['/']);
    runtime.spawn(site);
    await get('/x?a=b+c&d=%3F?', { method: 'POST', headers: { accept: 'text/plain' }, body: new Uint8Array([1, 2]) });
    const [request] = site.seen;
    expect(request?.method).to.equal('POST');
    expect(Object.fromEntries(request?.query ?? [])).to.deep.equal({ a: 'b c', d: '??' });
    expect(request?.headers).to.deep.equal({ accept: 'text/plain' });
    expect(request?.body).to.deep.equal(new Uint8Array([1, 2]));
  });

  it('LP-SRC-48 a failed or discarded answer is 500 with its text, an abandoned one 503', async () => {
    const answering = new Answering();
    runtime.spawn(answering);
    const discarded = new Deferred<never>();
    discarded.discard();
    answering.outcome = () => discarded.future;
    expect(await get('/answering')).to.equal('500 discarded future');
    answering.outcome = () => Future.failed('text');
    expect(await get('/answering')).to.equal('500 text');
    answering.outcome = () => Future.abandoned();
    expect(await get('/answering')).to.equal('503 503 Service Unavailable.');
  });

  it('a handler that throws answers 500 and its process lives on', async () => {
    runtime.spawn(new Answering());
    expect(await get('/answering/throws')).to.equal('500 no luck');
    expect(runtime.processes).to.include('answering');
  });

  it('a discard of the answer reaches the handler that is at it', async () => {
    const answering = new Answering();
    const pending = new Deferred<never>();
    answering.outcome = () => pending.future;
    runtime.spawn(answering);
    const answer = runtime.http({ path: '/answering' });
    await world.settle();
    expect(pending.future.hasDiscard).to.equal(false);
    answer.discard();
    expect(pending.future.hasDiscard).to.equal(true);
  });

  it('a request to a process that ends before its turn is answered 500', async () => {
    const site = runtime.spawn(new Site('x', ['/']));
    await world.settle();
    const answer = runtime.http({ path: '/x' });
    runtime.terminate(site);
    await world.settle();
    expect(answer.get().status).to.equal(500);
    expect(await get('/x')).to.equal('404 404 Not Found.');
  });

  it('405 names the methods that are allowed', () => {
    expect(methodNotAllowed(['GET', 'HEAD'], 'PUT')).to.deep.equal({
      status: 405,
      headers: { 'content-type': 'text/plain; charset=utf-8', allow: 'GET, HEAD' },
      body: "Expecting one of { 'GET', 'HEAD' }, but received 'PUT'.",
    });
  });
});
