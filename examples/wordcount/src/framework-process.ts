import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Report } from './count-words.ts';
import type { Display } from './display.ts';
import type { Progress } from './word-count-scheduler.ts';

/** How long, in milliseconds, the framework may take to tear itself down. */
const patience = 10_000;

/** What main.ts writes, a line each. */
interface Said {
  readonly manifest?: { readonly files: number; readonly bytes: number; readonly shards: number };
  readonly progress?: Progress;
  readonly result?: Report;
  readonly error?: string;
}

/** Runs main.ts to its end and shows what it says. Aborting ends it, and rejects with the signal's reason. */
export async function runFramework(given: readonly string[], display: Display, signal: AbortSignal): Promise<Report> {
  signal.throwIfAborted();
  const program = fileURLToPath(new URL('./main.js', import.meta.url));
  const child = spawn(process.execPath, [program, '--json', '--exit-with-parent', ...given], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  let timer: NodeJS.Timeout | undefined;
  const tearDown = (): void => {
    child.stdin.end();
    timer = setTimeout(() => child.kill('SIGKILL'), patience);
  };
  signal.addEventListener('abort', tearDown);
  const exited = new Promise<string>((done) => {
    child.once('exit', (code, killer) => done(killer ?? `exit code ${code ?? 0}`));
    child.once('error', (error) => done(error.message));
  });
  let report: Report | undefined;
  let failure: string | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    const said = JSON.parse(line) as Said;
    if (said.manifest !== undefined) display.manifest(said.manifest);
    if (said.progress !== undefined) display.progress(said.progress);
    if (said.result !== undefined) report = said.result;
    if (said.error !== undefined) failure = said.error;
  }
  const how = await exited;
  clearTimeout(timer);
  signal.removeEventListener('abort', tearDown);
  if (report !== undefined) return report;
  signal.throwIfAborted();
  throw new Error(failure ?? `the framework ended without a result (${how})`);
}
