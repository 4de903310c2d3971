import { Runtime } from '@mezzo/process';
import { startAgent } from '@mezzo/agent';
import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { eventually, gone, isAlive, lineIn, scratchFolder } from '../scratch.ts';

const program = fileURLToPath(new URL('agent-process.ts', import.meta.url));

describe('an agent whose OS process was killed with KILL', () => {
  it('leaves its tasks running, and the next one kills those of a framework that does not checkpoint', async () => {
    await using scratch = await scratchFolder();
    const workDirectory = join(scratch.path, 'work');
    const pids = join(scratch.path, 'pids');
    // Neither reacts to TERM, and the inner shell outlives the outer one's end unless its group is killed.
    const command = `trap '' TERM; sh -c 'sleep 1000; :' & echo "$$ $!" > '${pids}'; sleep 1000; :`;
    const node = ['--import', 'tsx', '--conditions=mezzo:source'];
    const former = spawn(process.execPath, [...node, program, workDirectory, command], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const ended = once(former, 'exit');
    let group: number[] = [];
    try {
      group = (await lineIn(pids)).split(' ').map(Number);
      former.kill('SIGKILL');
      await ended;
      for (const pid of group) expect(await isAlive(pid), `process ${pid} of the task`).to.equal(true);

      await using runtime = await Runtime.start();
      await startAgent(runtime, { cluster: 'test', workDirectory, resources: 'cpus:4', hostname: 'agent-1' });
      for (const pid of group) await gone(pid);
      group = [];
      const containers = join(workDirectory, 'run', 'containers');
      await eventually('an empty run folder', async () =>
        (await readdir(containers)).length === 0 ? true : undefined,
      );
    } finally {
      former.kill('SIGKILL');
      for (const pid of group) if (await isAlive(pid)) process.kill(pid, 'SIGKILL');
    }
  });
});
