import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';

/** How long, in milliseconds, a node may take until it says that it is ready. */
const readyTimeout = 20_000;
/** How long, in milliseconds, it may take to end. */
const stopTimeout = 10_000;

export interface MemberOptions {
  readonly name: string;
  /** Arguments of Node: the program and its own arguments. */
  readonly arguments: readonly string[];
  /** What it writes to standard error is appended here. */
  readonly logFile: string;
}

/** A node of a local cluster: one OS process. */
export interface Member {
  readonly name: string;
  readonly pid: number;
  /** Its HTTP address. */
  readonly url: string;
  readonly logFile: string;
  /** Its exit code or signal, once it has ended. */
  readonly exited: Promise<string>;
  stop(): Promise<void>;
}

/** Starts the node and waits until it is ready. Rejects with the last line of its log if it ends before. */
export async function startMember(options: MemberOptions): Promise<Member> {
  const log = createWriteStream(options.logFile, { flags: 'a' });
  // A group of its own keeps Ctrl-C at the terminal from reaching it: the cluster is stopped in order. Its standard input
  // is our lifeline: it ends with us, however we end.
  const child = spawn(process.execPath, options.arguments, { stdio: ['pipe', 'pipe', 'pipe'], detached: true });
  child.stderr.pipe(log);
  const exited = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code ?? 0}`));
    child.once('error', (error) => resolve(error.message));
  });
  const url = await ready(child, exited, options);
  const pid = child.pid;
  if (pid === undefined) throw new Error(`${options.name} has no pid`);
  return {
    name: options.name,
    pid,
    url,
    logFile: options.logFile,
    exited,
    async stop() {
      child.stdin.end();
      const timer = setTimeout(() => child.kill('SIGKILL'), stopTimeout);
      await exited;
      clearTimeout(timer);
    },
  };
}

async function ready(child: ChildProcess, exited: Promise<string>, options: MemberOptions): Promise<string> {
  const { stdout } = child;
  if (stdout === null) throw new Error(`${options.name} has no standard output`);
  const line = new Promise<string>((resolve) => {
    createInterface({ input: stdout }).once('line', resolve);
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(() => resolve('late'), readyTimeout);
  });
  const outcome = await Promise.race([line, exited.then((how) => ({ how })), late]);
  clearTimeout(timer);
  if (typeof outcome === 'object') {
    throw new Error(`${options.name} ended before it was ready (${outcome.how}): ${await lastLine(options.logFile)}`);
  }
  if (outcome === 'late') {
    child.kill('SIGKILL');
    throw new Error(`${options.name} was not ready within ${readyTimeout / 1000} s; its log is ${options.logFile}`);
  }
  const url = addressIn(outcome);
  if (url === undefined) throw new Error(`${options.name} said '${outcome}' instead of being ready`);
  return url;
}

function addressIn(line: string): string | undefined {
  try {
    const said: unknown = JSON.parse(line);
    if (typeof said !== 'object' || said === null || !('ready' in said)) return undefined;
    const { ready } = said;
    if (typeof ready !== 'object' || ready === null || !('url' in ready)) return undefined;
    return typeof ready.url === 'string' ? ready.url : undefined;
  } catch {
    return undefined;
  }
}

async function lastLine(file: string): Promise<string> {
  const text = await readFile(file, 'utf8').catch(() => '');
  const line = text.trim().split('\n').at(-1) ?? '';
  return line === '' ? `nothing in ${file}` : line.replace(/^mezzo: /, '');
}
