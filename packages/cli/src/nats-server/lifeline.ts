import { spawnSync } from 'node:child_process';

let supported: boolean | undefined;

/**
 * A command line under which the kernel kills the child when this OS process dies, however it dies, where the system
 * offers that (Linux with util-linux); elsewhere the command line as it is. The pid is the child's own either way.
 */
export function boundToParent(command: string, args: readonly string[]): [string, readonly string[]] {
  supported ??=
    process.platform === 'linux' &&
    spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true'], { stdio: 'ignore' }).status === 0;
  return supported ? ['setpriv', ['--pdeathsig', 'KILL', command, ...args]] : [command, args];
}
