import { spawnSync } from 'node:child_process';
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Debian keeps the server in a directory that is not on an ordinary user's PATH. */
const SYSTEM_DIRECTORIES = ['/usr/local/sbin', '/usr/sbin'];

/** Where the distribution's package puts the executable, below the folder it was unpacked into. */
const PLACES_IN_PACKAGE = ['usr/sbin/nats-server', 'usr/bin/nats-server'];

export interface LocateOptions {
  /** Directories searched first. Default: those of PATH, then /usr/local/sbin and /usr/sbin. */
  readonly searchPath?: readonly string[];
  /** Folder that holds `nats-server/`, the unpacked package. Default: `.cache` of the checkout. */
  readonly cacheDirectory?: string;
}

export interface NatsServerExecutable {
  readonly path: string;
  /** As the executable itself tells it, e.g. `2.9.10`. */
  readonly version: string;
}

/** `.cache` of the checkout; `node_modules/.cache` where the package is installed. */
export function defaultCacheDirectory(): string {
  return fileURLToPath(new URL('../../../../.cache', import.meta.url));
}

export function unpackedPackage(cacheDirectory: string): string {
  return join(cacheDirectory, 'nats-server');
}

/** The first executable on the search path, then in the cache, that answers to `--version`. */
export function findNatsServer(options: LocateOptions = {}): NatsServerExecutable | undefined {
  const { searchPath = defaultSearchPath(), cacheDirectory = defaultCacheDirectory() } = options;
  for (const directory of searchPath) {
    const found = answering(join(directory, 'nats-server'));
    if (found !== undefined) return found;
  }
  return executableInPackage(unpackedPackage(cacheDirectory));
}

/** Path of the NATS server that would be started, or undefined where there is none. */
export function locateNatsServer(options: LocateOptions = {}): string | undefined {
  return findNatsServer(options)?.path;
}

/** The unpacked package's executable below `directory`, if it runs here. */
export function executableInPackage(directory: string): NatsServerExecutable | undefined {
  for (const place of PLACES_IN_PACKAGE) {
    const found = answering(join(directory, place));
    if (found !== undefined) return found;
  }
  return undefined;
}

function answering(path: string): NatsServerExecutable | undefined {
  if (!isExecutableFile(path)) return undefined;
  const { status, stdout } = spawnSync(path, ['--version'], { encoding: 'utf8', timeout: 10_000 });
  if (status !== 0) return undefined;
  const version = /^nats-server:? v?(\S+)/.exec(stdout)?.[1];
  return version === undefined ? undefined : { path, version };
}

/** Directories of PATH, in order, and those where distributions keep servers. */
function defaultSearchPath(): string[] {
  // An empty or relative entry means the current directory: whatever lies there is not to be run as the broker.
  const onPath = (process.env['PATH'] ?? '').split(delimiter).filter((entry) => isAbsolute(entry));
  return [...new Set([...onPath, ...SYSTEM_DIRECTORIES])];
}

function isExecutableFile(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
