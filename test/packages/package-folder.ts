import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../support/command.ts';

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description?: string;
  readonly private?: boolean;
  readonly sideEffects?: boolean;
  readonly exports?: Readonly<Record<string, unknown>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

export interface PackageFolder {
  /** Such as `packages/process`. */
  readonly path: string;
  readonly manifest: Manifest;
}

/** The workspaces in `packages` or `examples`, by name. */
export function packageFolders(parent: 'packages' | 'examples'): PackageFolder[] {
  return readdirSync(join(root, parent))
    .sort()
    .map((name) => ({ path: `${parent}/${name}`, manifest: manifestOf(join(root, parent, name)) }));
}

export function manifestOf(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
}

/** Everything that users of a package can import, such as `@mezzo/process/http`. */
export function entryPoints({ name, exports = {} }: Manifest): string[] {
  return Object.keys(exports).map((path) => name + path.slice(1));
}

/** The TypeScript programs in a package's README. */
export function readmePrograms(path: string): string[] {
  const readme = readFileSync(join(root, path, 'README.md'), 'utf8');
  return [...readme.matchAll(/```ts\n([\s\S]*?)```/g)].map(([, code = '']) => code);
}
