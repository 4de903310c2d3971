import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { expect } from 'chai';
import { loadModule } from '../../src/load-module.ts';
import { startLocalCluster } from '../../src/local-cluster/index.ts';

const program = fileURLToPath(new URL('../../src/mezzo.ts', import.meta.url));
const source = ['--import', import.meta.resolve('tsx'), '--conditions=mezzo:source'];

describe('modules that an operator names', () => {
  const before = process.cwd();
  let folder = '';
  const broken = `export default () => ({})`;
  const working = `import { HierarchicalAllocator } from ${JSON.stringify(import.meta.resolve('@mezzo/master'))};
export default (options) => { globalThis.mezzoTestAllocators = (globalThis.mezzoTestAllocators ?? 0) + 1; return new HierarchicalAllocator(options); };`;

  function mezzo(...given: readonly string[]): { readonly status: number | null; readonly stderr: string } {
    return spawnSync(process.execPath, [...source, program, ...given], {
      cwd: folder,
      encoding: 'utf8',
      timeout: 20_000,
    });
  }

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mezzo-modules-'));
    process.chdir(folder);
    writeFileSync(join(folder, 'mine.mjs'), 'export default 1;');
    writeFileSync(join(folder, 'broken.mjs'), broken);
    writeFileSync(join(folder, 'working.mjs'), working);
    mkdirSync(join(folder, 'node_modules', 'scheduling'), { recursive: true });
    writeFileSync(
      join(folder, 'node_modules', 'scheduling', 'package.json'),
      JSON.stringify({ name: 'scheduling', type: 'module', exports: './fair.js' }),
    );
    writeFileSync(join(folder, 'node_modules', 'scheduling', 'fair.js'), 'export default 2;');
  });
  afterEach(() => {
    process.chdir(before);
    rmSync(folder, { recursive: true, force: true });
  });

  it('are found by path from the working directory, by URL, and by the name of a package that is installed there', async () => {
    expect(await loadModule('./mine.mjs')).to.include({ default: 1 });
    expect(await loadModule(join(folder, 'mine.mjs'))).to.include({ default: 1 });
    expect(await loadModule(pathToFileURL(join(folder, 'mine.mjs')).href)).to.include({ default: 1 });
    expect(await loadModule('scheduling')).to.include({ default: 2 });
    // Beside Mezzo.
    expect(await loadModule('@mezzo/protocol')).to.have.property('Resources');
  });

  it('are missed by the path that was looked at', async () => {
    const fault = await loadModule('./nope.mjs').catch((error: unknown) => String(error));
    expect(fault).to.equal(`Error: there is no file ${join(process.cwd(), 'nope.mjs')}`);
    expect(await loadModule('no-such-package-here').catch((error: unknown) => String(error))).to.contain(
      'no-such-package-here',
    );
  });

  it('end `mezzo master` and `mezzo cluster` with one line if they are no allocators', () => {
    const missing = mezzo('master', '--allocator', './nope.mjs');
    expect(missing.status).to.equal(1);
    expect(missing.stderr.trim().split('\n')).to.have.length(1);
    expect(missing.stderr).to.match(
      /^mezzo: --allocator '\.\/nope\.mjs' cannot be loaded: there is no file .*nope\.mjs\. Expected hierarchical, /,
    );
    const wrong = mezzo('cluster', '--embedded', '--port', '0', '--role-sorter', './mine.mjs');
    expect(wrong.status).to.equal(1);
    expect(wrong.stderr).to.contain("mezzo: --role-sorter './mine.mjs' must `export default` a SorterFactory");
    expect(wrong.stderr).to.contain('it exports default (a number)');
  }).timeout(60_000);

  it('allocate in a local cluster', async () => {
    const made = (): unknown => (globalThis as { mezzoTestAllocators?: number }).mezzoTestAllocators;
    await using cluster = await startLocalCluster({
      ...{ embedded: true, agents: 1, port: 0, resources: 'cpus:1;mem:64' },
      ...{ allocator: './working.mjs', frameworkSorter: 'random' },
    });
    expect(cluster.url).to.contain('http');
    expect(made()).to.equal(1);
    const wrong = { embedded: true, agents: 1, port: 0, allocator: './broken.mjs' };
    const fault = await startLocalCluster(wrong).catch((error: unknown) => String(error));
    expect(fault).to.contain("The default export of './broken.mjs' made an object, not a Process");
  }).timeout(60_000);
});
