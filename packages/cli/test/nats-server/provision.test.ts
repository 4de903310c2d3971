import { chmod, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { expect } from 'chai';

import { locateNatsServer, provisionNatsServer } from '../../src/nats-server/index.ts';
import { skipBecause } from '../../../../test/support/skip.ts';
import { hasDebianTools, packageSource } from './package-source.ts';

describe('where the NATS server comes from', () => {
  let directory: string;
  let cacheDirectory: string;
  let bin: string;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'mezzo-provision-'));
    cacheDirectory = join(directory, 'cache');
    bin = join(directory, 'bin');
    await mkdir(bin);
  });

  afterEach(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  function realServer(context: Mocha.Context): string {
    return locateNatsServer() ?? skipBecause(context, 'no nats-server on this machine');
  }

  async function unpackedServer(context: Mocha.Context): Promise<string> {
    const sbin = join(cacheDirectory, 'nats-server', 'usr', 'sbin');
    await mkdir(sbin, { recursive: true });
    await symlink(realServer(context), join(sbin, 'nats-server'));
    return join(sbin, 'nats-server');
  }

  async function program(name: string, body: string): Promise<string> {
    const path = join(bin, name);
    await writeFile(path, `#!/bin/sh\n${body}\n`);
    await chmod(path, 0o755);
    return path;
  }

  it('starts nothing where NATS_URL is set', async () => {
    const environment = { NATS_URL: 'nats://10.0.0.1:4222' };
    const source = await provisionNatsServer({ environment, searchPath: [], cacheDirectory });
    expect(source).to.deep.equal({ kind: 'url', url: 'nats://10.0.0.1:4222' });
  });

  it('prefers the one on PATH to the one in the cache', async function () {
    const unpacked = await unpackedServer(this);
    await symlink(realServer(this), join(bin, 'nats-server'));
    expect(locateNatsServer({ searchPath: [bin], cacheDirectory })).to.equal(join(bin, 'nats-server'));
    expect(locateNatsServer({ searchPath: [], cacheDirectory })).to.equal(unpacked);
  });

  it('passes over what is called nats-server and does not run or is something else', async function () {
    const unpacked = await unpackedServer(this);
    const searchPath = [bin];
    await program('nats-server', 'exit 1');
    expect(locateNatsServer({ searchPath, cacheDirectory })).to.equal(unpacked);
    await program('nats-server', 'echo something else 2.0');
    expect(locateNatsServer({ searchPath, cacheDirectory })).to.equal(unpacked);
    await rm(join(bin, 'nats-server'));
    await mkdir(join(bin, 'nats-server'));
    expect(locateNatsServer({ searchPath, cacheDirectory })).to.equal(unpacked);
  });

  it('finds none where there is none', () => {
    expect(locateNatsServer({ searchPath: [bin], cacheDirectory })).to.equal(undefined);
  });

  it('tells what it found with the version, and does not fetch', async function () {
    const unpacked = await unpackedServer(this);
    const reports: string[] = [];
    const source = await provisionNatsServer({
      environment: {},
      searchPath: [],
      cacheDirectory,
      report: (line) => reports.push(line),
    });
    expect(source).to.include({ kind: 'executable', path: unpacked, fetched: false });
    expect(source)
      .to.have.property('version')
      .that.matches(/^\d+\.\d+/);
    expect(reports).to.deep.equal([]);
  });

  it("unpacks the distribution's package into the cache and leaves nothing else there", async function () {
    if (!hasDebianTools()) skipBecause(this, 'no apt-get and dpkg-deb');
    const environment = packageSource(directory, 'nats-server', realServer(this));
    const options = { environment, searchPath: [], cacheDirectory, mayInstall: false };
    const source = await provisionNatsServer(options);
    const path = join(cacheDirectory, 'nats-server', 'usr', 'sbin', 'nats-server');
    expect(source).to.include({ kind: 'executable', path, fetched: true });
    expect(await readdir(cacheDirectory)).to.deep.equal(['nats-server']);
    expect(await provisionNatsServer(options)).to.include({ path, fetched: false });
  });

  it('replaces a package in the cache that does not run here', async function () {
    if (!hasDebianTools()) skipBecause(this, 'no apt-get and dpkg-deb');
    const environment = packageSource(directory, 'nats-server', realServer(this));
    await mkdir(join(cacheDirectory, 'nats-server', 'usr', 'sbin'), { recursive: true });
    await writeFile(join(cacheDirectory, 'nats-server', 'usr', 'sbin', 'nats-server'), 'half a file');
    const options = { environment, searchPath: [], cacheDirectory, mayInstall: false };
    expect(await provisionNatsServer(options)).to.include({ kind: 'executable', fetched: true });
  });

  it('two that fetch at the same time both get it', async function () {
    if (!hasDebianTools()) skipBecause(this, 'no apt-get and dpkg-deb');
    const environment = packageSource(directory, 'nats-server', realServer(this));
    const options = { environment, searchPath: [], cacheDirectory, mayInstall: false };
    const sources = await Promise.all([provisionNatsServer(options), provisionNatsServer(options)]);
    expect(sources.map(({ kind }) => kind)).to.deep.equal(['executable', 'executable']);
  });

  it('tells in one line what was tried where the distribution has no such package', async function () {
    if (!hasDebianTools()) skipBecause(this, 'no apt-get and dpkg-deb');
    const environment = packageSource(directory, 'something-else', realServer(this));
    const options = { environment, searchPath: [], cacheDirectory, mayInstall: false };
    const source = await provisionNatsServer(options);
    expect(source).to.have.property('kind', 'none');
    expect(source).to.have.property('tried').that.includes('none on PATH');
    expect(source).to.have.property('tried').that.includes('Unable to locate package nats-server');
    expect(source).to.have.property('tried').that.does.not.include('\n');
    expect(await readdir(cacheDirectory)).to.deep.equal([]);
  });

  it('tells that the machine has no apt-get, and does not announce a fetch', async () => {
    const reports: string[] = [];
    const source = await provisionNatsServer({
      environment: { PATH: bin },
      searchPath: [],
      cacheDirectory,
      report: (line) => reports.push(line),
    });
    const tried = `none on PATH; none in ${join(cacheDirectory, 'nats-server')}; no apt-get to fetch it with`;
    expect(source).to.deep.equal({ kind: 'none', tried });
    expect(reports).to.deep.equal([]);
  });

  it('tells that the package holds no server that runs here', async function () {
    if (!hasDebianTools()) skipBecause(this, 'no apt-get and dpkg-deb');
    const environment = packageSource(directory, 'nats-server', await program('other', 'exit 1'));
    const options = { environment, searchPath: [], cacheDirectory, mayInstall: false };
    const source = await provisionNatsServer(options);
    expect(source).to.have.property('tried').that.includes('does not run here');
    expect(locateNatsServer({ searchPath: [], cacheDirectory })).to.equal(undefined);
  });

  it('tells that the cache cannot be written to', async () => {
    const file = join(directory, 'file');
    await writeFile(file, '');
    await program('apt-get', 'exit 0');
    const source = await provisionNatsServer({
      environment: { PATH: bin },
      searchPath: [],
      cacheDirectory: join(file, 'below'),
      mayInstall: false,
    });
    expect(source)
      .to.have.property('tried')
      .that.includes(`cannot write to ${join(file, 'below')}`);
  });
});
