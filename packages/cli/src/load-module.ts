import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * Imports a module that an operator named: by a path, which begins with `./`, `../` or `/` and is relative to the working
 * directory, by a `file:` URL, or by the name of a package that is installed there, or beside Mezzo.
 */
export async function loadModule(given: string): Promise<unknown> {
  if (given.startsWith('file:')) return import(given);
  if (/^\.{0,2}\//.test(given)) {
    const path = resolve(given);
    if (!existsSync(path)) throw new Error(`there is no file ${path}`);
    return import(pathToFileURL(path).href);
  }
  return import(installedHere(given) ?? given);
}

function installedHere(name: string): string | undefined {
  try {
    return pathToFileURL(createRequire(join(process.cwd(), 'package.json')).resolve(name)).href;
  } catch {
    // Also if it can only be imported, not required: then it is found beside Mezzo or not at all.
    return undefined;
  }
}
