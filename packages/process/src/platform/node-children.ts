import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { Deferred, Future } from '../future/future.ts';
import type { Child, Children, Command, ExitStatus } from './platform.ts';

/** Child processes, each the leader of a process group of its own, with files for its output. */
export function nodeChildren(): Children {
  return {
    bootId: readBootId(),
    spawn: (command) => Future.from(start(command)),
    signalGroup(pid, signal) {
      try {
        process.kill(-pid, signal);
        return true;
      } catch {
        return false;
      }
    },
    startTime: (pid) => Future.from(readStartTime(pid)),
  };
}

async function start(command: Command): Promise<Child> {
  const stdout = await open(command.stdout, 'a');
  try {
    const stderr = await open(command.stderr, 'a');
    try {
      const child = spawn(command.file, command.arguments, {
        cwd: command.folder,
        env: command.environment,
        detached: true,
        stdio: ['ignore', stdout.fd, stderr.fd],
      });
      const exited = new Deferred<ExitStatus>();
      child.once('exit', (code, signal) => void exited.set(statusOf(code, signal)));
      await started(child);
      const pid = child.pid;
      if (pid === undefined) throw new Error(`'${command.file}' started without a pid`);
      return { pid, startTime: (await readStartTime(pid)) ?? 0, exited: exited.future };
    } finally {
      await stderr.close();
    }
  } finally {
    await stdout.close();
  }
}

async function started(child: ChildProcess): Promise<void> {
  // 'error' before 'spawn' (no such file, no such folder) rejects.
  await once(child, 'spawn');
}

function statusOf(code: number | null, signal: NodeJS.Signals | null): ExitStatus {
  return signal === null ? { kind: 'exited', code: code ?? 0 } : { kind: 'signaled', signal };
}

function readBootId(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return '';
  }
}

/** Field 22 of /proc/<pid>/stat; the command name before it may hold spaces and parentheses. */
async function readStartTime(pid: number): Promise<number | undefined> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
  } catch {
    return undefined;
  }
}
