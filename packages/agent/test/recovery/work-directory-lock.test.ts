import { Future, nodePlatform } from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';
import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { RecoveryError } from '../../src/recovery/recovery-error.ts';
import { WorkDirectoryLock } from '../../src/recovery/work-directory-lock.ts';
import { WorkDirectory } from '../../src/work-directory.ts';
import { scratchFolder } from '../scratch.ts';

const platform = nodePlatform();

async function refusal(folders: WorkDirectory): Promise<RecoveryError> {
  try {
    await WorkDirectoryLock.acquire(platform, folders);
  } catch (error) {
    if (error instanceof RecoveryError) return error;
    throw error;
  }
  throw new Error('It was not refused');
}

/** A lock as the agent with this pid would have left it. */
async function lockOf(folders: WorkDirectory, name: string, pid: number, change: object = {}): Promise<void> {
  const startTime = await platform.children.startTime(pid);
  await mkdir(folders.locks, { recursive: true });
  const record = { pid, startTime: startTime ?? 1, bootId: platform.children.bootId, ...change };
  await writeFile(join(folders.locks, name), `${JSON.stringify(record)}\n`);
}

describe('the lock of a work directory', () => {
  it('refuses the second agent, names the first, and is free when that one has ended', async () => {
    await using scratch = await scratchFolder();
    const folders = new WorkDirectory(scratch.path);
    const other = spawn('sleep', ['1000'], { stdio: 'ignore' });
    const ended = once(other, 'exit');
    try {
      await once(other, 'spawn');
      await lockOf(folders, 'first', other.pid ?? 0);
      const error = await refusal(folders);
      expect(error.code).to.equal('WORK_DIRECTORY_IN_USE');
      expect(error.message).to.include(scratch.path).and.to.include(`pid ${other.pid}`);
      expect(await readdir(folders.locks), 'only the lock of the first is left').to.have.length(1);
    } finally {
      other.kill('SIGKILL');
    }
    await ended;
    const lock = await WorkDirectoryLock.acquire(platform, folders);
    expect(await readdir(folders.locks), 'the stale one is removed').to.have.length(1);
    await lock?.release();
    expect(await readdir(folders.locks)).to.deep.equal([]);
  });

  it('does not take another process with the same pid for its holder', async () => {
    await using scratch = await scratchFolder();
    const folders = new WorkDirectory(scratch.path);
    await lockOf(folders, 'another', process.ppid, { startTime: 999_999_999 });
    await lockOf(folders, 'rebooted', process.ppid, { bootId: 'an earlier boot' });
    await writeFile(join(folders.locks, 'torn'), '{"pid":1');
    const lock = await WorkDirectoryLock.acquire(platform, folders);
    await lock?.release();
  });

  it('is one per work directory in one OS process too, until it is released', async () => {
    await using scratch = await scratchFolder();
    const folders = new WorkDirectory(scratch.path);
    const outcomes = await Promise.allSettled([1, 2, 3].map(() => WorkDirectoryLock.acquire(platform, folders)));
    expect(outcomes.filter(({ status }) => status === 'fulfilled').length).to.be.lessThan(2);
    for (const outcome of outcomes) if (outcome.status === 'fulfilled') await outcome.value?.release();
    const lock = await WorkDirectoryLock.acquire(platform, folders);
    expect((await refusal(folders)).message).to.include(`pid ${process.pid}`);
    await lock?.release();
    const again = await WorkDirectoryLock.acquire(platform, folders);
    await again?.release();
  });

  it('cannot be had on a full disk, and leaves nothing there', async () => {
    await using world = new Simulation();
    const runtime = await world.start('agent-1');
    const { files, disk } = world.machine('agent-1');
    disk.failWrites = 'ENOSPC';
    runtime.children.startTime = () => Future.ready(1);
    const acquired = WorkDirectoryLock.acquire(runtime, new WorkDirectory('/work'), 4711);
    await world.settle();
    expect(String(acquired.failure())).to.include('ENOSPC');
    expect(files.peek('/work/run/agents')).to.equal(undefined);
  });

  it('is not needed on a machine whose processes have no /proc', async () => {
    await using world = new Simulation();
    const acquired = WorkDirectoryLock.acquire(await world.start('agent-1'), new WorkDirectory('/work'));
    await world.settle();
    expect(acquired.get()).to.equal(undefined);
  });
});
