import { dispatch, type HttpResponse, Runtime } from '@mezzo/process';
import { expect } from 'chai';
import { execFile } from 'node:child_process';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { SandboxFiles } from '../../src/files/sandbox-files.ts';
import { scratchFolder } from '../scratch.ts';

class Bench implements AsyncDisposable {
  readonly runtime: Runtime;
  readonly path: string;
  readonly root: string;
  readonly sandbox: string;
  readonly #scratch: AsyncDisposable;

  private constructor(runtime: Runtime, scratch: AsyncDisposable & { readonly path: string }) {
    this.runtime = runtime;
    this.#scratch = scratch;
    this.path = scratch.path;
    this.root = join(scratch.path, 'slaves');
    this.sandbox = join(this.root, 'sandbox');
  }

  static async start(): Promise<Bench> {
    const bench = new Bench(await Runtime.start({ onError: () => {} }), await scratchFolder());
    await mkdir(bench.sandbox, { recursive: true });
    await writeFile(join(bench.sandbox, 'stdout'), 'hello world');
    await writeFile(join(bench.path, 'secret'), 'secret');
    const files = bench.runtime.spawn(new SandboxFiles(bench.root));
    await dispatch(files, (p) => p.attach('/frameworks/f/runs/latest', bench.sandbox));
    return bench;
  }

  async get(route: 'read' | 'download', query: Record<string, string>): Promise<HttpResponse> {
    return await this.runtime.http({ path: `/files/${route}`, query: new URLSearchParams(query) });
  }

  async read(query: Record<string, string>): Promise<unknown> {
    const { status, body } = await this.get('read', query);
    expect(status).to.equal(200);
    return JSON.parse(typeof body === 'string' ? body : '');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.runtime.stop();
    await this.#scratch[Symbol.asyncDispose]();
  }
}

async function bytesOf({ body }: HttpResponse): Promise<Buffer> {
  if (body === undefined || typeof body === 'string' || body instanceof Uint8Array)
    throw new Error('expected a stream');
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

describe('sandbox files over HTTP', () => {
  it('AGENT-13 reads a part of a file, by its real and by its virtual path', async () => {
    await using bench = await Bench.start();
    for (const path of [join(bench.sandbox, 'stdout'), '/frameworks/f/runs/latest/stdout']) {
      expect(await bench.read({ path, offset: '6', length: '3' })).to.deep.equal({ data: 'wor', offset: 6 });
      expect(await bench.read({ path, offset: '6' })).to.deep.equal({ data: 'world', offset: 6 });
      expect(await bench.read({ path, offset: '6', length: '-1' })).to.deep.equal({ data: 'world', offset: 6 });
    }
  });

  it('AGENT-13 tells the size without an offset, and nothing beyond the end', async () => {
    await using bench = await Bench.start();
    const path = join(bench.sandbox, 'stdout');
    expect(await bench.read({ path })).to.deep.equal({ data: '', offset: 11 });
    expect(await bench.read({ path, offset: '-1' })).to.deep.equal({ data: '', offset: 11 });
    expect(await bench.read({ path, offset: '11' })).to.deep.equal({ data: '', offset: 11 });
    expect(await bench.read({ path, offset: '99', length: '5' })).to.deep.equal({ data: '', offset: 99 });
  });

  it('reads 16 pages at most', async () => {
    await using bench = await Bench.start();
    const path = join(bench.sandbox, 'large');
    await writeFile(path, 'x'.repeat(70_000));
    const { data } = (await bench.read({ path, offset: '0', length: '70000' })) as { data: string };
    expect(data).to.have.length(65_536);
  });

  it('downloads a whole file byte for byte, in pieces', async () => {
    await using bench = await Bench.start();
    const content = Buffer.alloc(
      700_001,
      Uint8Array.from({ length: 251 }, (_, index) => index),
    );
    await writeFile(join(bench.sandbox, 'naïve "name"'), content);
    const response = await bench.get('download', { path: '/frameworks/f/runs/latest/naïve "name"' });
    expect(response.status).to.equal(200);
    expect(response.headers).to.include({
      'content-type': 'application/octet-stream',
      'content-length': '700001',
      'content-disposition': "attachment; filename*=UTF-8''na%C3%AFve%20%22name%22",
    });
    expect((await bytesOf(response)).equals(content)).to.equal(true);
  });

  it('refuses everything outside the sandboxes', async () => {
    await using bench = await Bench.start();
    await symlink(join(bench.path, 'secret'), join(bench.sandbox, 'link'));
    await symlink(bench.path, join(bench.sandbox, 'out'));
    await mkdir(`${bench.root}-other`);
    await writeFile(join(`${bench.root}-other`, 'file'), 'x');
    const cases: readonly (readonly [string, number])[] = [
      [join(bench.path, 'secret'), 404],
      ['/etc/passwd', 404],
      [`${bench.root}-other/file`, 404],
      [`${bench.sandbox}/../../secret`, 400],
      ['/frameworks/f/runs/latest/../../secret', 400],
      ['../secret', 400],
      ['secret', 400],
      [`${bench.sandbox}/stdout\0`, 400],
      ['', 400],
      [`${bench.sandbox}/link`, 403],
      [`${bench.sandbox}/out/secret`, 403],
      [`${bench.sandbox}/none`, 404],
      [`${bench.sandbox}/stdout/none`, 404],
      [bench.root, 404],
      [bench.sandbox, 400],
      ['/frameworks/f/runs/latestsecret', 404],
    ];
    for (const route of ['read', 'download'] as const) {
      for (const [path, status] of cases)
        expect((await bench.get(route, { path })).status, `${route} ${path}`).to.equal(status);
    }
  });

  it('follows links that stay inside', async () => {
    await using bench = await Bench.start();
    await symlink('stdout', join(bench.sandbox, 'inner'));
    expect(await bench.read({ path: join(bench.sandbox, 'inner'), offset: '0' })).to.include({ data: 'hello world' });
  });

  it('never opens a pipe', async () => {
    await using bench = await Bench.start();
    await promisify(execFile)('mkfifo', [join(bench.sandbox, 'pipe')]);
    expect(await bench.read({ path: join(bench.sandbox, 'pipe'), offset: '0' })).to.deep.equal({ data: '', offset: 0 });
    expect(await bytesOf(await bench.get('download', { path: join(bench.sandbox, 'pipe') }))).to.have.length(0);
  });

  it('refuses numbers that are none and methods other than GET', async () => {
    await using bench = await Bench.start();
    const path = join(bench.sandbox, 'stdout');
    for (const offset of ['x', '1.5', '-2', '1e3', '99999999999999999999']) {
      expect((await bench.get('read', { path, offset })).status, offset).to.equal(400);
    }
    const posted = await bench.runtime.http({
      path: '/files/read',
      method: 'POST',
      query: new URLSearchParams({ path }),
    });
    expect(posted.status).to.equal(405);
  });
});
