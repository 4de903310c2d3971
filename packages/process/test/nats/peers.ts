import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** What Node needs to run a program of the tests. */
export const programArguments = ['--import', 'tsx', '--conditions=mezzo:source'];

/** Child processes of a suite, ended after each test. */
export function withPeers() {
  const children = new Set<ChildProcess>();
  afterEach(async () => {
    for (const child of children) {
      if (child.exitCode !== null || child.signalCode !== null) continue;
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    children.clear();
  });
  return {
    /** Starts a program of the given folder and returns once it says 'ready'. */
    async start(program: URL, environment: Record<string, string>, ...args: string[]): Promise<ChildProcess> {
      const child = fork(fileURLToPath(program), args, {
        execArgv: programArguments,
        env: { ...process.env, ...environment },
        stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      });
      children.add(child);
      await new Promise<void>((resolve, reject) => {
        child.once('message', () => resolve());
        child.once('exit', (code, signal) =>
          reject(new Error(`the peer ended before it was ready: ${signal ?? code}`)),
        );
      });
      return child;
    },
  };
}
