import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';

import { boundToParent } from './lifeline.ts';
import { NatsServerError } from './nats-server-error.ts';
import type { ServerFiles } from './server-files.ts';

/** How a server's OS process ended. */
export interface NatsServerExit {
  readonly code: number | undefined;
  readonly signal: NodeJS.Signals | undefined;
  /** What it logged last. */
  readonly lastLine: string;
}

/** The children that an orderly end of this OS process must take along where the kernel does not. */
const alive = new Set<ServerChild>();
process.on('exit', () => {
  for (const child of alive) child.signal('SIGKILL');
});

/** One OS process of a NATS server. */
export class ServerChild {
  readonly pid: number;
  readonly exited: Promise<NatsServerExit>;
  #ended = false;

  private constructor(pid: number, exited: Promise<NatsServerExit>) {
    this.pid = pid;
    this.exited = exited.then((exit) => {
      this.#ended = true;
      alive.delete(this);
      return exit;
    });
    alive.add(this);
  }

  /** Runs the server on its configuration file, in its directory, with its log as standard output and error. */
  static async spawn(executable: string, files: ServerFiles): Promise<ServerChild> {
    const logStart = files.logLength();
    const log = openSync(files.log, 'a');
    const [command, args] = boundToParent(executable, ['-c', files.configuration]);
    // In a group of its own: Ctrl-C is for the cluster, which ends its broker last.
    const subprocess = spawn(command, args, {
      cwd: files.directory,
      detached: true,
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    const exited = new Promise<NatsServerExit>((resolve) => {
      subprocess.once('exit', (code, signal) => {
        const lastLine = files.lastLogLine(logStart);
        resolve({ code: code ?? undefined, signal: signal ?? undefined, lastLine });
      });
    });
    const { pid } = subprocess;
    if (pid !== undefined) return new ServerChild(pid, exited);
    const [cause] = await once(subprocess, 'error');
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new NatsServerError('died', `the NATS server could not be run: ${reason}`, { cause });
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** False if it has ended: a pid that may have been given to somebody else is never signalled. */
  signal(signal: NodeJS.Signals): boolean {
    if (this.#ended) return false;
    try {
      return process.kill(this.pid, signal);
    } catch {
      return false;
    }
  }
}
