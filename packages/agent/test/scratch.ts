import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A temporary folder, removed in the end. */
export async function scratchFolder(): Promise<{ readonly path: string; [Symbol.asyncDispose](): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'mezzo-agent-'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** Asks again and again until the answer is not undefined. */
export async function eventually<T>(
  what: string,
  ask: () => Promise<T | undefined> | T | undefined,
  limit = 10_000,
): Promise<T> {
  const deadline = Date.now() + limit;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${limit} ms`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** The content once the file is there and whole (it ends with a line feed). */
export function lineIn(path: string): Promise<string> {
  return eventually(`a line in ${path}`, async () => {
    const content = await readFile(path, 'utf8').catch(() => '');
    return content.endsWith('\n') ? content.trimEnd() : undefined;
  });
}

/** A zombie is no longer alive; who reaps it is not our business. */
export async function isAlive(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat !== '' && !/^\S+ \(.*\) [ZX] /s.test(stat);
}

export function gone(pid: number): Promise<true> {
  return eventually(`end of process ${pid}`, async () => ((await isAlive(pid)) ? undefined : true));
}
