import { type Files, Future, type HttpRequest, type HttpResponse, json, Process, text } from '@mezzo/process';

/** Mesos's cap of one read: 16 pages. */
const longestRead = 16 * 4096;
const downloadChunk = 256 * 1024;

class Refused extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/**
 * Gives what tasks left in their sandboxes, and nothing else: `/files/read` and `/files/download` as Mesos has them. Paths
 * are real ones below the sandboxes' folder, or virtual ones that were attached.
 */
export class SandboxFiles extends Process {
  readonly #root: string;
  readonly #attached = new Map<string, string>();

  /** @param root the folder above all sandboxes; absolute. */
  constructor(root: string) {
    super('files');
    this.#root = root;
    this.route('/read', (request) => this.#answer(request, (path) => this.#read(path, request.query)), {
      help: 'A part of a sandbox file: path, offset (-1: only the size), length',
    });
    this.route('/download', (request) => this.#answer(request, (path) => this.#download(path)), {
      help: 'A whole sandbox file: path',
    });
  }

  /** Makes a folder known under another path; a later one takes its place. */
  attach(virtual: string, real: string): void {
    this.#attached.set(virtual, real);
  }

  /** Undoes `attach`, unless the path names another folder by now. */
  detach(virtual: string, real: string): void {
    if (this.#attached.get(virtual) === real) this.#attached.delete(virtual);
  }

  /** Undoes every `attach` of this folder, or of one below it. */
  detachBelow(real: string): void {
    for (const [virtual, attached] of this.#attached) if (isInside(attached, real)) this.#attached.delete(virtual);
  }

  #answer(request: HttpRequest, give: (path: string) => Future<HttpResponse>): Future<HttpResponse> {
    if (request.method !== 'GET') return Future.ready(text("Expecting one of { 'GET' }.", 405));
    return this.#locate(request.query.get('path') ?? '')
      .andThen(give)
      .repair((outcome) => refusalOf(outcome.failure()));
  }

  /** The real path of a file that may be given. */
  #locate(given: string): Future<string> {
    if (given === '') return Future.failed(new Refused(400, "Expecting 'path=value' in query.\n"));
    const segments = given.split('/').filter((segment) => segment !== '' && segment !== '.');
    if (!given.startsWith('/') || given.includes('\0') || segments.includes('..')) {
      return Future.failed(new Refused(400, "Expecting an absolute path without '..'.\n"));
    }
    const path = this.#real(`/${segments.join('/')}`);
    if (!isInside(path, this.#root)) return Future.failed(notFound());
    const { files } = this.runtime;
    // A link in a sandbox may point anywhere: where it leads decides.
    return files.realPath(path).andThen((real) =>
      files.realPath(this.#root).map((root) => {
        if (isInside(real, root)) return real;
        throw new Refused(403, 'The path leads out of the sandboxes.\n');
      }),
    );
  }

  #real(path: string): string {
    for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) {
      const real = this.#attached.get(path.slice(0, end));
      if (real !== undefined) return real + path.slice(end);
    }
    return path;
  }

  #read(path: string, query: URLSearchParams): Future<HttpResponse> {
    const offset = numberIn(query, 'offset');
    const length = numberIn(query, 'length');
    const { files } = this.runtime;
    return sizeOf(files, path).andThen((size): Future<HttpResponse> => {
      if (offset === -1) return Future.ready(json({ data: '', offset: size }));
      const wanted = Math.min(length === -1 ? longestRead : length, longestRead, Math.max(size - offset, 0));
      if (wanted === 0) return Future.ready(json({ data: '', offset }));
      return files
        .read(path, { offset, length: wanted })
        .map((bytes) => json({ data: new TextDecoder().decode(bytes), offset }));
    });
  }

  #download(path: string): Future<HttpResponse> {
    const { files } = this.runtime;
    const name = encodeURIComponent(path.slice(path.lastIndexOf('/') + 1));
    return sizeOf(files, path).map((size) => ({
      status: 200,
      headers: {
        'content-type': 'application/octet-stream',
        'content-length': String(size),
        'content-disposition': `attachment; filename*=UTF-8''${name}`,
      },
      body: chunksOf(files, path, size),
    }));
  }
}

/** Pipes and devices have no size, so they are never opened: reading one could take for ever. */
function sizeOf(files: Files, path: string): Future<number> {
  return files.stat(path).map(({ size, directory }) => {
    if (directory) throw new Refused(400, 'Cannot read a directory.\n');
    return size;
  });
}

function chunksOf(files: Files, path: string, size: number): AsyncIterable<Uint8Array> {
  let offset = 0;
  const next = (): Promise<IteratorResult<Uint8Array>> => {
    if (offset >= size) return Promise.resolve({ done: true, value: undefined });
    return files.read(path, { offset, length: Math.min(downloadChunk, size - offset) }).then((chunk) => {
      if (chunk.length === 0) throw new Error(`${path} became shorter while it was sent`);
      offset += chunk.length;
      return { done: false, value: chunk };
    });
  };
  return { [Symbol.asyncIterator]: () => ({ next }) };
}

/** -1 if it is missing, as in Mesos. */
function numberIn(query: URLSearchParams, name: string): number {
  const given = query.get(name);
  if (given === null || given === '-1') return -1;
  const value = Number(given);
  if (/^\d+$/.test(given) && Number.isSafeInteger(value)) return value;
  throw new Refused(400, `Invalid ${name} '${given}': expected a non-negative whole number, or -1.\n`);
}

function isInside(path: string, folder: string): boolean {
  return path.startsWith(`${folder}/`);
}

function notFound(): Refused {
  return new Refused(404, '404 Not Found.');
}

function refusalOf(error: unknown): HttpResponse {
  if (error instanceof Refused) return text(error.message, error.status);
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP' || code === 'ENAMETOOLONG')
    return refusalOf(notFound());
  if (code === 'EACCES') return text('403 Forbidden.', 403);
  throw error;
}
