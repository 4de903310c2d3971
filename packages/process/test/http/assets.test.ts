import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { type HttpResponse, Process, Runtime, text } from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';
import { expect } from 'chai';

class Site extends Process {
  constructor() {
    super('site');
  }

  protected override initialize(): void {
    this.route('/', () => text('the page'));
    this.route('/static/dynamic', () => text('computed'));
    this.provide('/static', '/srv/static');
    this.provide('/one', '/srv/one.txt');
  }
}

class Root extends Process {
  readonly #folder: string;

  constructor(folder: string) {
    super('root');
    this.#folder = folder;
  }

  protected override initialize(): void {
    this.provide('/', this.#folder);
  }
}

describe('static assets', () => {
  let world: Simulation;
  let runtime: Runtime;

  beforeEach(async () => {
    world = new Simulation();
    runtime = await world.start('node');
    const { files } = world.machine('node');
    files.write('/srv/one.txt', 'one');
    files.write('/srv/secret.txt', 'secret');
    files.write('/srv/static/app.js', 'run()');
    files.write('/srv/static/folder/page.html', '<p>');
    files.write('/srv/static/empty', '');
    runtime.spawn(new Site());
  });

  afterEach(async () => {
    await world.stop();
  });

  async function get(path: string, method = 'GET'): Promise<HttpResponse> {
    const answer = runtime.http({ path, method });
    await world.settle();
    return answer.get();
  }

  async function content({ body }: HttpResponse): Promise<string> {
    if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) throw new Error('no stream');
    const chunks: Uint8Array[] = [];
    let ended = false;
    const all = (async () => {
      for await (const chunk of body) chunks.push(chunk);
    })().finally(() => (ended = true));
    while (!ended) await world.settle();
    await all;
    return Buffer.concat(chunks).toString();
  }

  it('files of a provided folder are served with length and type', async () => {
    const answer = await get('/site/static/app.js');
    expect(answer.status).to.equal(200);
    expect(answer.headers).to.deep.equal({ 'content-type': 'text/javascript; charset=utf-8', 'content-length': '5' });
    expect(await content(answer)).to.equal('run()');
    const nested = await get('/site/static/folder/page.html');
    expect(nested.headers?.['content-type']).to.equal('text/html; charset=utf-8');
    expect(await content(nested)).to.equal('<p>');
  });

  it('LP-HTTP-17 a small file, and one longer than what is read at a time, is served completely', async () => {
    expect(await content(await get('/site/static/app.js'))).to.equal('run()');
    const large = 'mezzo '.repeat(200_000);
    world.machine('node').files.write('/srv/static/large.txt', large);
    const answer = await get('/site/static/large.txt');
    expect(answer.headers?.['content-length']).to.equal('1200000');
    expect(await content(answer)).to.equal(large);
  });

  it('an empty file is an empty answer', async () => {
    const answer = await get('/site/static/empty');
    expect(answer.headers).to.deep.equal({ 'content-type': 'application/octet-stream', 'content-length': '0' });
    expect(await content(answer)).to.equal('');
  });

  it('a single file can be provided, also at the root of a process', async () => {
    expect(await content(await get('/site/one'))).to.equal('one');
    runtime.spawn(new Root('/srv/static'));
    await world.settle();
    expect(await content(await get('/root/folder/page.html'))).to.equal('<p>');
  });

  it('routes come before assets', async () => {
    expect((await get('/site/static/dynamic')).body).to.equal('computed');
    expect((await get('/site')).body).to.equal('the page');
  });

  it('folders and missing files are not found', async () => {
    for (const path of [
      '/site/static',
      '/site/static/folder',
      '/site/static/none.js',
      '/site/one/more',
      '/site/none',
    ]) {
      expect(await get(path), path).to.include({ status: 404, body: '404 Not Found.' });
    }
  });

  it('no path leads out of the folder', async () => {
    for (const path of [
      '/../secret.txt',
      '/%2e%2e/secret.txt',
      '/..%2fsecret.txt',
      '/folder%2f..%2f..%2fsecret.txt',
      '/..%5csecret.txt',
      '/app.js%00',
      '//srv/secret.txt',
      '/.',
    ]) {
      expect(await get(`/site/static${path}`), path).to.include({ status: 404 });
    }
  });

  it('no path leads out of a folder of the real disk', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'mezzo-assets-'));
    try {
      await mkdir(join(folder, 'public/folder'), { recursive: true });
      await writeFile(join(folder, 'secret.txt'), 'secret');
      await writeFile(join(folder, 'public/page.txt'), 'page');
      await using real = await Runtime.start();
      real.spawn(new Root(join(folder, 'public')));
      expect((await real.http({ path: '/root/page.txt' })).status).to.equal(200);
      for (const path of [
        'folder%2f..%2f..%2fsecret.txt',
        'folder%2f..%2fpage.txt',
        'page.txt%00',
        'folder',
        'x'.repeat(300),
      ]) {
        expect((await real.http({ path: `/root/${path}` })).status, path).to.equal(404);
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('only GET and HEAD are allowed', async () => {
    expect((await get('/site/static/app.js', 'HEAD')).status).to.equal(200);
    const answer = await get('/site/static/app.js', 'POST');
    expect(answer.status).to.equal(405);
    expect(answer.headers?.['allow']).to.equal('GET, HEAD');
  });
});
