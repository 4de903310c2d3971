import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

/** The checkout. */
export const root = fileURLToPath(new URL('../..', import.meta.url));

export interface Finished {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Running {
  readonly child: ChildProcess;
  readonly pid: number;
  readonly finished: Promise<Finished>;
  stdout(): string;
  stderr(): string;
}

/** Runs a program of the checkout as its users would, from the built files. */
export function start(program: string, args: readonly string[], environment: NodeJS.ProcessEnv = {}): Running {
  const child = spawn(process.execPath, [`${root}/${program}`, ...args], {
    cwd: root,
    env: { ...process.env, ...environment },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const finished = new Promise<Finished>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${program} did not start`);
  return { child, pid, finished, stdout: () => stdout, stderr: () => stderr };
}

/** Runs it to its end; it is killed and the test fails after `limit` milliseconds. */
export async function run(
  program: string,
  args: readonly string[],
  options: { readonly environment?: NodeJS.ProcessEnv; readonly limit?: number } = {},
): Promise<Finished> {
  const running = start(program, args, options.environment);
  const timer = setTimeout(() => running.child.kill('SIGKILL'), options.limit ?? 30_000);
  try {
    return await running.finished;
  } finally {
    clearTimeout(timer);
  }
}

/** Polls until `condition` gives something, or throws after `limit` milliseconds with what `tell` says. */
export async function eventually<T>(
  condition: () => Promise<T | undefined | false> | T | undefined | false,
  limit: number,
  tell: () => string,
): Promise<T> {
  const deadline = Date.now() + limit;
  for (;;) {
    const found = await condition();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`Not within ${limit} ms: ${tell()}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}
