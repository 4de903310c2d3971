import { availableParallelism, totalmem } from 'node:os';
import {
  Deferred,
  Future,
  type HttpRequest,
  type HttpResponse,
  type Logger,
  Process,
  ProcessError,
  Runtime,
  text,
  withLevel,
} from '@mezzo/process';
import { type BuiltinOptions, spawnBuiltins } from '@mezzo/process/http';
import { prometheusText } from '@mezzo/process/metrics';
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

  function textOf({ body }: HttpResponse): string {
    expect(body).to.be.a('string');
    return typeof body === 'string' ? body : '';
  }

  function parsed(answer: HttpResponse): unknown {
    return JSON.parse(textOf(answer));
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

    it('LP-MET-06 names are sorted in the text of the answer', async () => {
      await builtins();
      for (const letter of 'fedcba') runtime.metrics.counter(`test/${letter}`);
      const names = textOf(await get('/metrics/snapshot')).match(/test\/./g);
      expect(names).to.deep.equal(['a', 'b', 'c', 'd', 'e', 'f'].map((letter) => `test/${letter}`));
    });

    it('LP-MET-08 a counter with a window adds its percentiles', async () => {
      await builtins();
      const counter = runtime.metrics.counter('test/counter', { window: true });
      for (let count = 0; count < 10; count++) {
        await world.advance('1secs');
        counter.increment();
      }
      const values = parsed(await get('/metrics/snapshot')) as Record<string, number>;
      const expected = { count: 11, min: 0, max: 10, p50: 5, p90: 9, p95: 9.5, p99: 9.9, p999: 9.99, p9999: 9.999 };
      const names = Object.keys(expected).map((name) => `test/counter/${name}`);
      expect(Object.keys(values).filter((name) => name.startsWith('test/'))).to.have.members([
        'test/counter',
        ...names,
      ]);
      expect(values['test/counter']).to.equal(10);
      for (const [name, value] of Object.entries(expected))
        expect(values[`test/counter/${name}`], name).to.be.closeTo(value, 1e-9);
    });

    it('jsonp makes it a call of the function named, and of nothing else', async () => {
      await builtins({ metrics: { rate: '' } });
      runtime.metrics.counter('test/counter').increment(3);
      const answer = await get('/metrics/snapshot?jsonp=page.show');
      expect(answer).to.deep.include({ status: 200, headers: { 'content-type': 'text/javascript' } });
      const [, json = ''] = /^page\.show\((.*)\);$/.exec(textOf(answer)) ?? [];
      expect(JSON.parse(json)).to.include({ 'test/counter': 3 });
      for (const name of ['', 'alert(1)', '1a', '<script>', 'a b'])
        expect((await get(`/metrics/snapshot?jsonp=${encodeURIComponent(name)}`)).status, name).to.equal(400);
    });

    it('LP-MET-07 a timeout bounds the wait, and one that is none is a bad request', async () => {
      await builtins();
      // A bad request is answered without a permit, so what follows need not wait.
      expect(await get('/metrics/snapshot?timeout=foobar')).to.include({
        status: 400,
        body: "Invalid timeout 'foobar': expected a time with its unit, such as '500ms' or '2secs'.",
      });
      runtime.metrics.counter('test/counter');
      runtime.metrics.pullGauge('test/never', () => new Deferred<number>().future);
      runtime.metrics.pullGauge('test/failing', () => Future.failed('failure'));
      runtime.metrics.pullGauge('test/gauge', () => Future.ready(42));
      const ours = (answer: HttpResponse): unknown =>
        Object.fromEntries(Object.entries(parsed(answer) as object).filter(([name]) => name.startsWith('test/')));
      const answer = runtime.http({ path: '/metrics/snapshot?timeout=3secs' });
      await world.advance('2999ms');
      expect(answer.isPending).to.equal(true);
      await world.advance('1ms');
      expect(answer.get().status).to.equal(200);
      expect(ours(answer.get())).to.deep.equal({ 'test/counter': 0, 'test/gauge': 42 });
      for (const name of ['counter', 'never', 'failing', 'gauge']) runtime.metrics.remove(`test/${name}`);
      expect(ours(await get('/metrics/snapshot?timeout=3secs'))).to.deep.equal({});
    });

    it('LP-SRC-43 two snapshots a second are answered, or as many as told; those of the API are not limited', async () => {
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

      const fast = await world.start('fast');
      spawnBuiltins(fast, { metrics: { rate: '4/1secs' } });
      const four = [1, 2, 3].map(() => fast.http({ path: '/metrics/snapshot' }));
      await world.advance('249ms');
      expect(four.map(({ isReady }) => isReady)).to.deep.equal([true, false, false]);
      await world.advance('1ms');
      expect(four.map(({ isReady }) => isReady)).to.deep.equal([true, true, false]);
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

    it('a request that is given up costs no permit', async () => {
      await builtins();
      const [, second, third] = [1, 2, 3].map(() => runtime.http({ path: '/metrics/snapshot' }));
      await world.settle();
      second?.discard();
      await world.advance('500ms');
      expect(third?.isReady).to.equal(true);
    });

    it('Prometheus text is served where a writer is given', async () => {
      await builtins({ metrics: { prometheus: prometheusText() } });
      const counter = runtime.metrics.counter('test/counter', { window: true });
      await world.advance('1secs');
      counter.increment(2);
      for (const path of ['/metrics', '/metrics/prometheus?timeout=1secs']) {
        const answer = await get(path);
        expect(answer.headers).to.deep.equal({ 'content-type': 'text/plain; version=0.0.4; charset=utf-8' });
        expect(answer.body).to.include('# TYPE test_counter counter\ntest_counter 2\n');
        expect(answer.body).to.include('\ntest_counter_window{quantile="0.5"} 1\n');
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
        { id: 'logging', events: [] },
        { id: 'system', events: [] },
        { id: '__processes__', events: [] },
        { id: 'site', events: [{ type: 'DISPATCH', name: 'busy' }, { type: 'TERMINATE' }] },
      ]);
      // One that is asked for while the process is made to end is answered too.
      const answer = runtime.http({ path: '/__processes__' });
      runtime.terminate(pid);
      await world.settle();
      expect(answer.get().status).to.equal(200);
      expect(parsed(answer.get())).to.have.length(5);
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

  describe('/system', () => {
    const names = ['load_1min', 'load_5min', 'load_15min', 'cpus_total', 'mem_total_bytes', 'mem_free_bytes'];

    it('LP-ADMIN-04 the machine is told as JSON and as gauges, which go with the process', async () => {
      await builtins({ metrics: { rate: '' } });
      const gibibyte = 1024 ** 3;
      const machine = { cpus_total: 8, mem_total_bytes: 16 * gibibyte, mem_free_bytes: 8 * gibibyte };
      const snapshot = await get('/metrics/snapshot');
      expect(snapshot.headers).to.deep.equal({ 'content-type': 'application/json' });
      const gauges = Object.entries(parsed(snapshot) as object).filter(([name]) => name.startsWith('system/'));
      const loads = { load_1min: 0.25, load_5min: 0.5, load_15min: 1 };
      const expected = Object.entries({ ...machine, ...loads }).map(([name, value]) => [`system/${name}`, value]);
      expect(gauges).to.have.deep.members(expected);
      expect(parsed(await get('/system/stats.json'))).to.deep.equal({
        avg_load_1min: 0.25,
        avg_load_5min: 0.5,
        avg_load_15min: 1,
        ...machine,
      });
      expect((await get('/system/stats.json?jsonp=show')).body).to.match(/^show\(\{.*\}\);$/);
      runtime.terminate(runtime.pid('system'));
      await world.settle();
      expect(textOf(await get('/metrics/snapshot'))).not.to.include('system/');
    });

    it('a real machine has cpus, memory and a load', async () => {
      await using real = await Runtime.start();
      spawnBuiltins(real);
      const stats = parsed(await real.http({ path: '/system/stats.json' }));
      expect(stats).to.include({ cpus_total: availableParallelism(), mem_total_bytes: totalmem() });
      const values = await real.metrics.snapshot();
      for (const name of names) expect(values.get(`system/${name}`), name).to.be.at.least(0);
      expect(values.get('system/cpus_total')).to.equal(availableParallelism());
      expect(values.get('system/mem_total_bytes')).to.equal(totalmem());
      expect(values.get('system/mem_free_bytes')).to.be.within(1, totalmem());
    });
  });

  describe('/logging/toggle', () => {
    const lines: string[] = [];
    const plain: Logger = {
      debug: (_fields, line) => void lines.push(`debug ${line}`),
      info: (_fields, line) => void lines.push(`info ${line}`),
      warn: (_fields, line) => void lines.push(`warn ${line}`),
      error: (_fields, line) => void lines.push(`error ${line}`),
    };

    async function start(log: Logger | undefined): Promise<(query?: string) => Promise<HttpResponse>> {
      runtime = await world.start('logging', { ...(log && { log }) });
      await builtins();
      return (query = '') => get(`/logging/toggle${query}`);
    }

    function spoken(): string[] {
      lines.length = 0;
      for (const level of ['debug', 'info', 'warn', 'error'] as const) runtime.log[level]({}, 'said');
      return lines.map((line) => line.replace(' said', ''));
    }

    it('tells the level, sets a more talkative one, and goes back when the time given last is over', async () => {
      const toggle = await start(withLevel(plain, 'warn'));
      expect((await toggle()).body).to.equal('warn\n');
      expect(spoken()).to.deep.equal(['warn', 'error']);
      expect((await toggle('?level=info&duration=10secs')).status).to.equal(200);
      expect((await toggle()).body).to.equal('info\n');
      expect(spoken()).to.deep.equal(['info', 'warn', 'error']);
      await world.advance('6secs');
      expect((await toggle('?level=debug&duration=10secs')).status).to.equal(200);
      await world.advance('9999ms');
      expect(spoken()).to.deep.equal(['debug', 'info', 'warn', 'error']);
      await world.advance('1ms');
      expect((await toggle()).body).to.equal('warn\n');
      expect(spoken()).to.deep.equal(['warn', 'error']);
    });

    it('the original level ends it early, and so does the end of the process', async () => {
      const toggle = await start(withLevel(plain));
      await toggle('?level=trace&duration=10secs');
      expect((await toggle('?level=info&duration=1hrs')).status).to.equal(200);
      expect((await toggle()).body).to.equal('info\n');
      await toggle('?level=debug&duration=1hrs');
      runtime.terminate(runtime.pid('logging'));
      await world.settle();
      expect(spoken()).to.deep.equal(['info', 'warn', 'error']);
    });

    it('libprocess’s numbers are steps above info', async () => {
      const toggle = await start(withLevel(plain));
      const levels: unknown[] = [];
      for (const number of [0, 1, 2, 3]) {
        await toggle(`?level=${number}&duration=1mins`);
        levels.push((await toggle()).body);
      }
      expect(levels).to.deep.equal(['info\n', 'debug\n', 'trace\n', 'trace\n']);
    });

    it('refuses half a request, an unknown level, a quieter one and a duration that is none', async () => {
      const toggle = await start(withLevel(plain));
      const refusals: readonly (readonly [string, string])[] = [
        ['?level=debug', "Expecting 'duration=value' in query."],
        ['?duration=1secs', "Expecting 'level=value' in query."],
        ['?level=loud&duration=1secs', "Invalid level 'loud'"],
        ['?level=-1&duration=1secs', "Invalid level '-1'"],
        ['?level=warn&duration=1secs', "'warn' < original level."],
        ['?level=debug&duration=soon', "Invalid duration 'soon'"],
      ];
      for (const [query, text] of refusals) {
        const answer = await toggle(query);
        expect(answer.status, query).to.equal(400);
        expect(answer.body, query).to.include(text);
      }
      expect((await toggle()).body).to.equal('info\n');
      await toggle('?level=debug&duration=1mins');
      expect((await toggle('?level=info&duration=soon')).status).to.equal(400);
      expect((await toggle('?level=warn&duration=1secs')).status).to.equal(400);
      expect((await toggle()).body).to.equal('debug\n');
    });

    it('a logger with a level of its own is used as it is, and one without cannot be toggled', async () => {
      const pinoLike = { ...plain, level: 'error' };
      const toggle = await start(pinoLike);
      await toggle('?level=debug&duration=1secs');
      expect(pinoLike.level).to.equal('debug');
      await world.advance('1secs');
      expect(pinoLike.level).to.equal('error');
      await runtime.stop();
      for (const log of [plain, undefined]) {
        const refused = await start(log);
        expect((await refused()).status).to.equal(501);
        expect((await refused()).body).to.include('withLevel');
        await runtime.stop();
      }
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
        [
          '# Processes with endpoints\n',
          '- [/help/metrics](/help/metrics)',
          '- [/help/logging](/help/logging)',
          '- [/help/system](/help/system)',
          '- [/help/site](/help/site)\n',
        ].join('\n'),
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
