import { randomBytes } from 'node:crypto';
import { isAbsolute, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { locateNatsServer } from './executable.ts';
import { NatsServerError } from './nats-server-error.ts';
import { ServerChild, type NatsServerExit } from './server-child.ts';
import { ServerFiles, type ServerConfiguration } from './server-files.ts';
import { readServerInfo } from './server-info.ts';

/** The server refuses a larger max_payload: it is the size of its buffer for one client. */
const MAX_PAYLOAD_LIMIT = 64 * 1024 * 1024;

/** Between two looks at whether the server is ready. */
const POLL_MS = 10;

/** How long a server may take to end after TERM before it gets KILL. */
const STOP_GRACE_MS = 5_000;

export interface NatsServerOptions {
  /** Its configuration, log, credentials and JetStream store. Created (mode 0700) where it is missing. */
  readonly directory: string;
  /** On 127.0.0.1. Default 0: a free one. */
  readonly port?: number;
  /** Default false. */
  readonly jetstream?: boolean;
  /** 'nkey' (default): only who holds the seed made for this server may connect. 'none': everyone on this machine. */
  readonly credentials?: 'nkey' | 'none';
  /** Largest message in bytes, at most 64 MiB. Default: the server's own, 1 MiB. */
  readonly maxPayload?: number;
  /** Absolute path. Default: what `locateNatsServer()` finds. */
  readonly executable?: string;
  /** How long it may take to become ready, in milliseconds. Default 15 s. */
  readonly readyTimeoutMs?: number;
}

/** A NATS server that this OS process started. It ends with this OS process at the latest. */
export interface NatsServer extends AsyncDisposable {
  /** `nats://127.0.0.1:<port>`, without credentials. The same after a restart. */
  readonly url: string;
  readonly port: number;
  /** Changes with a restart. */
  readonly pid: number;
  readonly directory: string;
  readonly logFile: string;
  /** File of mode 0600 with the nkey seed that clients sign in with; undefined with `credentials: 'none'`. */
  readonly credentialsFile: string | undefined;
  /** Whether the OS process is there (a frozen one is). */
  readonly running: boolean;
  /** Settles when the present OS process ends, for whatever cause. */
  readonly exited: Promise<NatsServerExit>;
  /** Ends it, with KILL if it does not end by itself within 5 s. Does nothing to a server that has ended. */
  stop(): Promise<void>;
  /** Sends a signal; false if the server has ended. Await `exited` to see a deadly one take effect. */
  kill(signal: NodeJS.Signals): boolean;
  /** Starts it again on the same port with the same files and credentials, after ending it if it still runs. */
  restart(): Promise<void>;
}

/**
 * Starts a NATS server that listens on 127.0.0.1 only, and returns when it is ready for clients.
 *
 * @throws NatsServerError: a bad option, no server on this machine, a directory that cannot be written to, a port in
 *   use, a server that died or did not become ready (with the last line of its log).
 */
export async function startNatsServer(options: NatsServerOptions): Promise<NatsServer> {
  checkOptions(options);
  const { port = 0, jetstream = false, credentials = 'nkey', maxPayload } = options;
  const executable = options.executable ?? locateNatsServer();
  if (executable === undefined) {
    throw new NatsServerError(
      'not-found',
      'there is no nats-server on PATH or in .cache/nats-server: run node scripts/setup.mjs, install one, or set NATS_URL',
    );
  }
  const files = new ServerFiles(resolve(options.directory));
  files.prepare();
  const publicKey = credentials === 'nkey' ? files.createCredentials() : undefined;
  const name = `mezzo-${randomBytes(8).toString('hex')}`;
  const configuration = { port, name, jetstream, publicKey, maxPayload };
  const launch = { executable, files, readyTimeoutMs: options.readyTimeoutMs ?? 15_000 };
  const ready = await launchServer(launch, configuration);
  // A port that the system chose is kept from now on: clients reconnect to the URL they know.
  return new LaunchedNatsServer(launch, { ...configuration, port: ready.port }, ready.child);
}

function checkOptions({ directory, port, maxPayload, executable }: NatsServerOptions): void {
  if (directory === '') throw badOption('directory', directory, 'the path of a directory');
  if (port !== undefined && !isIntegerIn(port, 0, 65_535)) {
    throw badOption('port', port, 'an integer from 0 (any free port) to 65535');
  }
  if (maxPayload !== undefined && !isIntegerIn(maxPayload, 1, MAX_PAYLOAD_LIMIT)) {
    throw badOption('maxPayload', maxPayload, `an integer of bytes from 1 to ${MAX_PAYLOAD_LIMIT}`);
  }
  if (executable !== undefined && !isAbsolute(executable)) {
    throw badOption('executable', executable, 'an absolute path');
  }
}

function isIntegerIn(value: number, low: number, high: number): boolean {
  return Number.isInteger(value) && value >= low && value <= high;
}

function badOption(name: string, given: string | number, expected: string): NatsServerError {
  const shown = typeof given === 'string' ? JSON.stringify(given) : String(given);
  return new NatsServerError('bad-option', `the NATS server's ${name} is ${shown}, expected ${expected}`);
}

interface Launch {
  readonly executable: string;
  readonly files: ServerFiles;
  readonly readyTimeoutMs: number;
}

class LaunchedNatsServer implements NatsServer {
  readonly #launch: Launch;
  readonly #configuration: ServerConfiguration;
  #child: ServerChild;

  constructor(launch: Launch, configuration: ServerConfiguration, child: ServerChild) {
    this.#launch = launch;
    this.#configuration = configuration;
    this.#child = child;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  get port(): number {
    return this.#configuration.port;
  }

  get pid(): number {
    return this.#child.pid;
  }

  get directory(): string {
    return this.#launch.files.directory;
  }

  get logFile(): string {
    return this.#launch.files.log;
  }

  get credentialsFile(): string | undefined {
    return this.#configuration.publicKey === undefined ? undefined : this.#launch.files.seed;
  }

  get running(): boolean {
    return !this.#child.ended;
  }

  get exited(): Promise<NatsServerExit> {
    return this.#child.exited;
  }

  kill(signal: NodeJS.Signals): boolean {
    return this.#child.signal(signal);
  }

  async stop(): Promise<void> {
    const child = this.#child;
    child.signal('SIGTERM');
    // A frozen server would keep TERM for when it is thawed.
    child.signal('SIGCONT');
    if (!(await endsWithin(child, STOP_GRACE_MS))) child.signal('SIGKILL');
    await child.exited;
  }

  async restart(): Promise<void> {
    await this.stop();
    const { child } = await launchServer(this.#launch, this.#configuration);
    this.#child = child;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

async function endsWithin(child: ServerChild, milliseconds: number): Promise<boolean> {
  const patience = new AbortController();
  const overdue = sleep(milliseconds, false, { signal: patience.signal }).catch(() => false);
  const ended = await Promise.race([child.exited.then(() => true), overdue]);
  patience.abort();
  return ended;
}

async function launchServer(
  launch: Launch,
  configuration: ServerConfiguration,
): Promise<{ child: ServerChild; port: number }> {
  const { executable, files, readyTimeoutMs } = launch;
  files.configure(configuration);
  files.forgetPorts();
  const child = await ServerChild.spawn(executable, files);

  const deadline = performance.now() + readyTimeoutMs;
  while (performance.now() < deadline && !child.ended) {
    // The port is known from the file that names our pid: another server may be the one who answers on it.
    const port = files.port(child.pid);
    if (port !== undefined) {
      const info = await readServerInfo(port, Math.max(1, deadline - performance.now()));
      if (info?.name === configuration.name && info.jetstream === configuration.jetstream) {
        return { child, port };
      }
    }
    await endsWithin(child, POLL_MS);
  }
  const overdue = child.signal('SIGKILL');
  const exit = await child.exited;
  throw overdue ? lateness(exit, readyTimeoutMs) : death(exit, configuration.port, files);
}

function lateness({ lastLine }: NatsServerExit, readyTimeoutMs: number): NatsServerError {
  return new NatsServerError(
    'not-ready',
    `the NATS server was not ready within ${readyTimeoutMs} ms; its last line: ${lastLine || '(none)'}`,
  );
}

function death(exit: NatsServerExit, port: number, files: ServerFiles): NatsServerError {
  const { lastLine, code, signal } = exit;
  if (lastLine.includes('address already in use')) {
    return new NatsServerError(
      'port-in-use',
      `port ${port} on 127.0.0.1 is in use: stop what listens there, or give the NATS server another port`,
    );
  }
  const how = signal ?? `exit code ${code ?? 'unknown'}`;
  return new NatsServerError(
    'died',
    `the NATS server died before it was ready (${how}); its last line: ${lastLine || '(none)'} (log: ${files.log})`,
  );
}
