import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { countCommand, type ShardTask } from '@mezzo/example-wordcount';

/** Runs a shard's command as an agent would: in a sandbox, with standard error as a file of it. */
export async function runTask(
  shard: ShardTask,
  sandbox: string,
): Promise<{ readonly code: number; readonly data: Buffer }> {
  await mkdir(sandbox, { recursive: true });
  const { command, environment } = countCommand(shard);
  const stderr = openSync(join(sandbox, 'stderr'), 'a');
  try {
    const child = spawn('/bin/sh', ['-c', command], {
      cwd: sandbox,
      env: { PATH: process.env['PATH'], MESOS_SANDBOX: sandbox, ...environment },
      stdio: ['ignore', 'ignore', stderr],
    });
    const [code] = (await once(child, 'exit')) as [number];
    return { code, data: await readFile(join(sandbox, 'status.data')) };
  } finally {
    closeSync(stderr);
  }
}
