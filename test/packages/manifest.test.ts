import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { join } from 'node:path';
import { expect } from 'chai';
import { root } from '../support/command.ts';
import { type Manifest, manifestOf, packageFolders } from './package-folder.ts';

/** Names of the packages that the TypeScript files of a folder import. */
function importedBy(folder: string): Set<string> {
  const found = new Set<string>();
  if (!existsSync(folder)) return found;
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts')) continue;
    const code = readFileSync(join(folder, file), 'utf8');
    for (const [, module = ''] of code.matchAll(/^(?:import|export|\}).*?(?:from |import )'([^'.][^']*)';$/gm)) {
      if (!isBuiltin(module))
        found.add(module.startsWith('@') ? module.split('/', 2).join('/') : module.split('/', 1).join(''));
    }
  }
  return found;
}

function sourceOf(folder: string): string {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(join(folder, file), 'utf8'))
    .join('\n');
}

function declaredBy({ dependencies, devDependencies, peerDependencies }: Manifest): string[] {
  return Object.keys({ ...dependencies, ...devDependencies, ...peerDependencies });
}

/** Optional peers of `@mezzo/process`, by the entry point that needs them. */
const peers = {
  nats: '@mezzo/process/nats',
  'prom-client': '@mezzo/process/metrics',
  xstate: '@mezzo/process/xstate',
  tinypool: '@mezzo/process/pool',
  '@opentelemetry/api': '@mezzo/process/tracing',
};

describe('the manifest', () => {
  const tools = declaredBy(manifestOf(root));

  for (const { path, manifest } of [...packageFolders('packages'), ...packageFolders('examples')]) {
    const sources = importedBy(join(root, path, 'src'));

    it(`of ${path} declares what its sources import`, () => {
      expect(sources.size).to.be.above(0);
      const needed = [...sources].filter((name) => name !== manifest.name);
      const installed = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
      expect(needed.filter((name) => !installed.includes(name))).to.deep.equal([]);
    });

    it(`of ${path} declares what its tests import`, () => {
      const needed = [...importedBy(join(root, path, 'test'))].filter((name) => name !== manifest.name);
      const present = [...declaredBy(manifest), ...tools];
      expect(needed.filter((name) => !present.includes(name))).to.deep.equal([]);
    });

    // The package itself leaves the choice to its users.
    if (path !== 'packages/process') {
      it(`of ${path} brings the peers of the entry points it uses`, () => {
        const code = sourceOf(join(root, path, 'src'));
        const needed = Object.entries(peers).flatMap(([peer, entry]) => (code.includes(`'${entry}'`) ? [peer] : []));
        expect(Object.keys(manifest.dependencies ?? {})).to.include.members(needed);
      });
    }

    it(`of ${path} says what it is`, () => {
      expect(manifest.description ?? '').to.have.length.above(20);
    });
  }

  const ranks: Readonly<Record<string, number>> = {
    process: 0,
    protocol: 1,
    master: 2,
    agent: 2,
    frameworks: 2,
    lab: 3,
    cli: 4,
  };
  for (const { path, manifest } of packageFolders('packages')) {
    it(`of ${path} depends, also for its tests, only on what is below it`, () => {
      const rank = ranks[manifest.name.slice('@mezzo/'.length)] ?? Number.NaN;
      const below = Object.keys(ranks).filter((name) => (ranks[name] ?? Number.NaN) < rank);
      const ours = declaredBy(manifest).filter((name) => name.startsWith('@mezzo/'));
      expect(below.map((name) => `@mezzo/${name}`)).to.include.members(ours);
    });

    it(`of ${path} comes with the license of the whole`, () => {
      expect(readFileSync(join(root, path, 'LICENSE'), 'utf8')).to.equal(readFileSync(join(root, 'LICENSE'), 'utf8'));
    });
  }
});
