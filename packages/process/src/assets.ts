import { Future } from './future/future.ts';
import type { Files } from './platform/platform.ts';
import { type HttpResponse, methodNotAllowed, refusal } from './route.ts';

/** Bytes read from a file at a time, so that a large one is never in memory as a whole. */
const chunk = 256 * 1024;

const contentTypes: Readonly<Record<string, string>> = {
  avif: 'image/avif',
  css: 'text/css; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
  gif: 'image/gif',
  gz: 'application/gzip',
  htm: 'text/html; charset=utf-8',
  html: 'text/html; charset=utf-8',
  ico: 'image/x-icon',
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  js: 'text/javascript; charset=utf-8',
  json: 'application/json',
  map: 'application/json',
  md: 'text/markdown; charset=utf-8',
  mjs: 'text/javascript; charset=utf-8',
  pdf: 'application/pdf',
  png: 'image/png',
  svg: 'image/svg+xml',
  tar: 'application/x-tar',
  tgz: 'application/gzip',
  txt: 'text/plain; charset=utf-8',
  wasm: 'application/wasm',
  webp: 'image/webp',
  woff: 'font/woff',
  woff2: 'font/woff2',
  xml: 'application/xml',
  zip: 'application/zip',
};

/** The file at `target`, or the one that `rest` names inside the folder `target`; 404 for folders and what is not there. */
export function asset(files: Files, target: string, rest: readonly string[], method: string): Future<HttpResponse> {
  if (method !== 'GET' && method !== 'HEAD') return Future.ready(methodNotAllowed(['GET', 'HEAD'], method));
  if (!rest.every(isPlainName)) return Future.ready(refusal(404));
  const path = [target, ...rest].join('/');
  return files
    .stat(path)
    .map((found) => {
      if (found.directory) return refusal(404);
      const headers = { 'content-type': contentTypeOf(path), 'content-length': String(found.size) };
      return { status: 200, headers, body: contentOf(files, path, found.size) };
    })
    .repair((failed) => {
      const error = failed.failure();
      const code = error instanceof Error && 'code' in error ? error.code : undefined;
      return code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG' ? refusal(404) : refusal(500);
    });
}

/** A name that stays in its folder: `%2F` and `%2e%2e` have been decoded by now. */
function isPlainName(name: string): boolean {
  return name !== '' && name !== '.' && name !== '..' && !/[/\\\0]/.test(name);
}

function contentTypeOf(path: string): string {
  const extension = /\.([^./]+)$/.exec(path)?.[1]?.toLowerCase() ?? '';
  return (Object.hasOwn(contentTypes, extension) ? contentTypes[extension] : undefined) ?? 'application/octet-stream';
}

async function* contentOf(files: Files, path: string, size: number): AsyncGenerator<Uint8Array> {
  for (let offset = 0; offset < size;) {
    const bytes = await files.read(path, { offset, length: Math.min(chunk, size - offset) });
    // The length is announced already: the connection has to break, or the client would wait for the rest.
    if (bytes.length === 0)
      throw new Error(`'${path}' became shorter while it was read: ${offset} of ${size} bytes were sent`);
    offset += bytes.length;
    yield bytes;
  }
}
