import {
  Deferred,
  Future,
  type HttpRequest,
  type HttpResponse,
  Process,
  ProcessError,
  type Runtime,
  text,
} from '@mezzo/process';
import { type BuiltinOptions, spawnBuiltins } from '@mezzo/process/http';
import { prometheusText } from '@mezzo/process/prometheus';
import { Simulation } from '@mezzo/process/testing';
import { expect } from 'chai';

class Site extends Process {
  readonly release = new Deferred<void>();

  constructor(id = 'site') {
    super(id);
  }

  protected override initialize(): void {
    this.route('/', () => text('page'));
    this.route('/a/b/c', () => text('abc'), { help: 'Says <abc>.' });
  }

  async busy(): Promise<void> {
    await this.release.future;
  }
}

describe('built-in endpoints', () => {
  let world: Simulation;
  let runtime: Runtime;

  beforeEach(async () => {
    world = new Simulation();
    runtime = await world.start('node');
  });

  afterEach(async () => {
    await world.stop();
  });

  async function builtins(options?: BuiltinOptions): Promise<void> {
    spawnBuiltins(runtime, options);
    await world.settle();
  }

  async function get(path: string, request: Partial<HttpRequest> = {}): Promise<HttpResponse> {
    const answer = runtime.http({ ...request, path });
    await world.settle();
    return answer.get();
  }

  function parsed({ body }: HttpResponse): unknown {
    expect(body).to.be.a('string');
    return JSON.parse(typeof body === 'string' ? body : '');
  }

  describe('/metrics', () => {
    it('LP-MET-05 the snapshot holds what is ready, and nothing once it is removed', async () => {
      await builtins();
      const { metrics } = runtime;
      metrics.counter('test/counter');
      metrics.pullGauge('test/gauge', () => Future.ready(42));
      metrics.pullGauge('test/failing', () => Future.failed('failure'));
      metrics.pullGauge('test/constant', () => 99);
      metrics.pullGauge('test/infinite', () => Number.POSITIVE_INFINITY);
      const answer = await get('/metrics/snapshot');
      expect(answer).to.deep.include({ status: 200, headers: { 'content-type': 'application/json' } });
      expect(parsed(answer)).to.include({ 'test/counter': 0, 'test/gauge': 42, 'test/constant': 99 });
      expect(parsed(answer)).not.to.have.any.keys('test/failing', 'test/infinite');
      for (const name of ['counter', 'gauge', 'failing', 'constant', 'infinite']) metrics.remove(`test/${name}`);
      await world.advance('1secs');
      expect(Object.keys(parsed(await get('/metrics/snapshot')) as object).filter((name) => name.startsWith('test/')))
        .to.be.empty;
    });

    it('LP-MET-07 a timeout bounds the wait, and one that is none is a bad request', async () => {
      await builtins();
      expect(await get('/metrics/snapshot?timeout=foobar')).to.include({
        status: 400,
        body: "Invalid timeout 'foobar': expected a time with its unit, such as '500ms' or '2secs'.",
      });
      runtime.metrics.counter('test/counter');
      runtime.metrics.pullGauge('test/never', () => new Deferred<number>().future);
      runtime.metrics.pullGauge('test/gauge', () => Future.ready(42));
      const answer = runtime.http({ path: '/metrics/snapshot?timeout=3secs' });
      await world.advance('2999ms');
      expect(answer.isPending).to.equal(true);
      await world.advance('1ms');
      expect(parsed(answer.get())).to.include({ 'test/counter': 0, 'test/gauge': 42 });
      expect(parsed(answer.get())).not.to.have.property('test/never');
    });

    it('LP-SRC-43 two snapshots a second are answered, further ones wait; those of the API are not limited', async () => {
      await builtins();
      const answers = [1, 2, 3].map(() => runtime.http({ path: '/metrics/snapshot' }));
      const ready = (): boolean[] => answers.map(({ isReady }) => isReady);
      await world.settle();
      expect(ready()).to.deep.equal([true, false, false]);
      await world.advance('499ms');
      expect(runtime.metrics.snapshot().isReady).to.equal(true);
      expect(ready()).to.deep.equal([true, false, false]);
      await world.advance('1ms');
      expect(ready()).to.deep.equal([true, true, false]);
      await world.advance('500ms');
      expect(ready()).to.deep.equal([true, true, true]);
    });

    it('LP-SRC-43 another rate can be set, or none; a malformed one is refused', async () => {
      await builtins({ metrics: { rate: '4/1secs' } });
      const answers = [1, 2, 3].map(() => runtime.http({ path: '/metrics/snapshot' }));
      await world.advance('250ms');
      expect(answers.map(({ isReady }) => isReady)).to.deep.equal([true, true, false]);
      const free = await world.start('free');
      spawnBuiltins(free, { metrics: { rate: '' } });
      const all = [1, 2, 3].map(() => free.http({ path: '/metrics/snapshot' }));
      await world.settle();
      expect(all.every(({ isReady }) => isReady)).to.equal(true);
      const refused = await world.start('refused');
      for (const rate of ['2', '/1secs', '0/1secs', 'x/1secs', '2/soon', '2/0secs']) {
        expect(() => spawnBuiltins(refused, { metrics: { rate } }), rate)
          .to.throw(ProcessError, `Invalid rate '${rate}'`)
          .with.property('code', 'RATE_INVALID');
      }
    });

    it('LP-LIM-02 a request that is given up costs no permit', async () => {
      await builtins();
      const [, second, third] = [1, 2, 3].map(() => runtime.http({ path: '/metrics/snapshot' }));
      await world.settle();
      second?.discard();
      await world.advance('500ms');
      expect(third?.isReady).to.equal(true);
    });

    it('Prometheus text is served where a writer is given', async () => {
      await builtins({ metrics: { prometheus: prometheusText() } });
      runtime.metrics.counter('test/counter').increment(2);
      for (const path of ['/metrics', '/metrics/prometheus?timeout=1secs']) {
        const answer = await get(path);
        expect(answer.headers).to.deep.equal({ 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
        expect(answer.body).to.include('# TYPE test_counter counter\ntest_counter 2\n');
      }
    });

    it('without a writer, Prometheus is told what is missing', async () => {
      await builtins();
      const answer = await get('/metrics');
      expect(answer.status).to.equal(501);
      expect(answer.body).to.include('prometheusText()');
    });

    it('only GET and HEAD are allowed', async () => {
      await builtins();
      expect((await get('/metrics/snapshot', { method: 'DELETE' })).status).to.equal(405);
    });
  });

  describe('/__processes__', () => {
    it('LP-ADMIN-01 tells who lives and what waits, also while a process is busy', async () => {
      await builtins();
      const site = new Site();
      const pid = runtime.spawn(site);
      runtime.dispatch(pid, 'busy');
      await world.settle();
      runtime.dispatch(pid, 'busy');
      runtime.terminate(pid, { inject: false });
      const listed = parsed(await get('/__processes__'));
      expect(listed).to.deep.equal([
        { id: 'help', events: [] },
        { id: 'metrics', events: [] },
        { id: '__processes__', events: [] },
        { id: 'site', events: [{ type: 'DISPATCH', name: 'busy' }, { type: 'TERMINATE' }] },
      ]);
      site.release.set();
    });

    it('a long mailbox is shown in part', async () => {
      await builtins();
      const site = new Site();
      const pid = runtime.spawn(site);
      runtime.dispatch(pid, 'busy');
      await world.settle();
      for (let count = 0; count < 1500; count++) runtime.dispatch(pid, 'busy');
      const listed = parsed(await get('/__processes__')) as { id: string; events: unknown[] }[];
      expect(listed.find(({ id }) => id === 'site')?.events).to.have.length(1000);
      site.release.set();
    });
  });

  describe('/help', () => {
    const curl = { headers: { 'user-agent': 'curl/8.5.0' } };

    it('LP-HTTP-03 lists processes, their endpoints and each endpoint', async () => {
      await builtins();
      runtime.spawn(new Site());
      const index = await get('/help', curl);
      expect(index.headers).to.deep.equal({ 'content-type': 'text/x-markdown' });
      expect(index.body).to.equal(
        '# Processes with endpoints\n\n- [/help/metrics](/help/metrics)\n- [/help/site](/help/site)\n',
      );
      expect((await get('/help/site', curl)).body).to.equal(
        '# site\n\n- [/site](/help/site) \n- [/site/a/b/c](/help/site/a/b/c) Says <abc>.\n',
      );
      expect((await get('/help/site/a/b/c', curl)).body)
        .to.include('>        /site/a/b/c\n')
        .and.include('Says <abc>.');
      const { processes } = parsed(await get('/help?format=json')) as { processes: unknown };
      expect(processes).to.deep.include({
        id: 'site',
        endpoints: [
          { name: '/', text: '' },
          { name: '/a/b/c', text: 'Says <abc>.' },
        ],
      });
    });

    it('browsers get HTML with every text escaped', async () => {
      await builtins();
      runtime.spawn(new Site('job(1)'));
      const answer = await get('/help/job(1)');
      expect(answer.headers).to.deep.equal({ 'content-type': 'text/html; charset=utf-8' });
      expect(answer.body).to.include('<a href="/help/job%281%29/a/b/c">/job(1)/a/b/c</a> Says &lt;abc&gt;.');
      expect((await get('/help/job%281%29/a/b/c')).status).to.equal(200);
    });

    it('the endpoints of the delegate are shown in both forms', async () => {
      await builtins();
      runtime.spawn(new Site());
      runtime.router.delegate = 'site';
      expect((await get('/help/site/a/b/c', curl)).body).to.include('>        /a/b/c\n>        /site/a/b/c\n');
    });

    it('LP-HTTP-04 the pages of a process vanish with it', async () => {
      await builtins();
      const site = runtime.spawn(new Site());
      expect((await get('/help/site/a/b/c')).status).to.equal(200);
      runtime.terminate(site);
      await world.settle();
      expect((await get('/help/site/a/b/c')).status).to.equal(400);
      for (const path of ['/help/help', '/help/__processes__', '/help/metrics/none'])
        expect((await get(path)).status, path).to.equal(400);
    });
  });
});
