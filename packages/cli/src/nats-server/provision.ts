import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';

import {
  defaultCacheDirectory,
  executableInPackage,
  findNatsServer,
  unpackedPackage,
  type LocateOptions,
  type NatsServerExecutable,
} from './executable.ts';

/** How long one call of apt-get may take, in milliseconds. */
const APT_TIMEOUT_MS = 180_000;

/** A machine without network must not keep its user waiting: seconds until a silent server is given up. */
const APT_NETWORK_OPTIONS = ['Acquire::Retries=1', 'Acquire::http::Timeout=20', 'Acquire::https::Timeout=20'];

/** Where mailboxes over NATS can be had from. */
export type NatsServerSource =
  | { readonly kind: 'url'; readonly url: string }
  | ({ readonly kind: 'executable'; readonly fetched: boolean } & NatsServerExecutable)
  | { readonly kind: 'none'; readonly tried: string };

export interface ProvisionOptions extends LocateOptions {
  /** Default: the environment of this OS process. NATS_URL is read from it, and apt-get runs in it. */
  readonly environment?: NodeJS.ProcessEnv;
  /** Whether the distribution's package manager may change the machine (as root, when all else failed). Default true. */
  readonly mayInstall?: boolean;
  /** Called with one line before something that takes longer than a look at the disk. */
  readonly report?: (line: string) => void;
}

/**
 * Finds a NATS server, or fetches one: NATS_URL, the PATH, the cache, the distribution's package unpacked into the
 * cache (needs no root and leaves the machine alone), the distribution's package installed (as root). Never throws:
 * where none can be had, the answer tells in one line what was tried.
 */
export async function provisionNatsServer(options: ProvisionOptions = {}): Promise<NatsServerSource> {
  const environment = options.environment ?? process.env;
  const cacheDirectory = options.cacheDirectory ?? defaultCacheDirectory();
  const report = options.report ?? (() => {});

  const url = environment['NATS_URL'];
  if (url !== undefined && url !== '') return { kind: 'url', url };
  const found = findNatsServer(options);
  if (found !== undefined) return { kind: 'executable', fetched: false, ...found };

  const tried = ['none on PATH', `none in ${unpackedPackage(cacheDirectory)}`];
  if (!(await run('apt-get', ['--version'], { environment })).started) {
    return { kind: 'none', tried: [...tried, 'no apt-get to fetch it with'].join('; ') };
  }
  report("NATS server: fetching the distribution's package");
  const attempts = [() => unpackPackage(cacheDirectory, environment)];
  if (process.getuid?.() === 0 && options.mayInstall !== false) {
    attempts.push(() => installPackage(options, environment));
  }
  for (const attempt of attempts) {
    const outcome = await attempt();
    if (typeof outcome !== 'string') return { kind: 'executable', fetched: true, ...outcome };
    tried.push(outcome);
  }
  return { kind: 'none', tried: tried.join('; ') };
}

/** The executable, or what went wrong. */
type Outcome = NatsServerExecutable | string;

/** A private package list and an unpacked package: what a user without root can do. */
async function unpackPackage(cacheDirectory: string, environment: NodeJS.ProcessEnv): Promise<Outcome> {
  let scratch: string;
  try {
    await mkdir(cacheDirectory, { recursive: true });
    scratch = await mkdtemp(join(cacheDirectory, 'apt-'));
  } catch (error) {
    return `cannot write to ${cacheDirectory} (${reasonOf(error)})`;
  }
  try {
    await mkdir(join(scratch, 'state', 'lists', 'partial'), { recursive: true });
    await mkdir(join(scratch, 'cache', 'archives', 'partial'), { recursive: true });
    const apt = (...args: string[]) => run('apt-get', [...aptOptions(scratch), ...args], { cwd: scratch, environment });

    const update = await apt('update');
    const download = await apt('download', 'nats-server');
    if (!download.ok) {
      // apt-get update succeeds with warnings when a list cannot be fetched; that is then the true cause.
      const cause = update.reason === '' ? download.reason : `${update.reason}, ${download.reason}`;
      return `apt-get download nats-server failed (${cause})`;
    }
    const archive = (await readdir(scratch)).find((name) => name.endsWith('.deb'));
    if (archive === undefined) return 'apt-get download nats-server left no package';
    const unpacked = join(scratch, 'package');
    const unpack = await run('dpkg-deb', ['-x', archive, unpacked], { cwd: scratch, environment });
    if (!unpack.ok) return `dpkg-deb -x ${archive} failed (${unpack.reason})`;
    if (executableInPackage(unpacked) === undefined) return `the server in ${archive} does not run here`;
    return await moveIntoPlace(unpacked, unpackedPackage(cacheDirectory));
  } catch (error) {
    return `fetching the package failed (${reasonOf(error)})`;
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

function aptOptions(scratch: string): string[] {
  const settings = [
    `Dir::State=${join(scratch, 'state')}`,
    `Dir::Cache=${join(scratch, 'cache')}`,
    // As root apt hands downloads to a user of its own, who may not be able to enter the checkout.
    'APT::Sandbox::User=root',
    'Acquire::Languages=none',
    'Acquire::IndexTargets::deb::DEP-11::DefaultEnabled=false',
    'Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled=false',
    ...APT_NETWORK_OPTIONS,
  ];
  return ['-q', ...settings.flatMap((setting) => ['-o', setting])];
}

/** By rename, so that nobody ever finds half a package; a concurrent setup may have been faster. */
async function moveIntoPlace(unpacked: string, place: string): Promise<Outcome> {
  if (executableInPackage(place) === undefined) {
    await rm(place, { recursive: true, force: true });
    await rename(unpacked, place).catch(() => {});
  }
  return executableInPackage(place) ?? `cannot move the package to ${place}`;
}

async function installPackage(options: LocateOptions, environment: NodeJS.ProcessEnv): Promise<Outcome> {
  const network = ['-q', ...APT_NETWORK_OPTIONS.flatMap((setting) => ['-o', setting])];
  const apt = (...args: string[]) =>
    run('apt-get', [...network, ...args], {
      environment: { ...environment, DEBIAN_FRONTEND: 'noninteractive' },
    });
  await apt('update');
  const install = await apt('install', '-y', '--no-install-recommends', 'nats-server');
  if (!install.ok) return `apt-get install nats-server failed (${install.reason})`;
  return findNatsServer(options) ?? 'apt-get install nats-server left no server that runs';
}

interface RunResult {
  /** False if there is no such program. */
  readonly started: boolean;
  readonly ok: boolean;
  /** The program's last complaint, or why it did not run. Empty if it said nothing. */
  readonly reason: string;
}

function run(
  command: string,
  args: readonly string[],
  { cwd, environment }: { cwd?: string; environment: NodeJS.ProcessEnv },
): Promise<RunResult> {
  return new Promise((resolve) => {
    const options = {
      cwd,
      env: { ...environment, LC_ALL: 'C' },
      timeout: APT_TIMEOUT_MS,
      maxBuffer: 16 << 20,
    };
    const child = execFile(command, args, options, (error, _stdout, stderr) => {
      const complaint = lastComplaint(stderr);
      if (error === null) resolve({ started: true, ok: true, reason: complaint });
      else if (error.killed === true) {
        resolve({
          started: true,
          ok: false,
          reason: `no answer within ${APT_TIMEOUT_MS / 1000} s`,
        });
      } else {
        const reason = complaint === '' ? (reasonOf(error).split('\n')[0] ?? '') : complaint;
        resolve({ started: error.code !== 'ENOENT', ok: false, reason });
      }
    });
    child.stdin?.end();
  });
}

/** The last error that apt or dpkg wrote, without its prefix; warnings count where there is no error. */
function lastComplaint(stderr: string): string {
  const lines = stderr.split('\n').filter((line) => /^(E|W|Err|dpkg-deb|dpkg): ?/.test(line));
  const line = lines.findLast((candidate) => !candidate.startsWith('W:')) ?? lines.at(-1) ?? '';
  return line.replace(/^(E|W|Err): ?/, '').trim();
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
