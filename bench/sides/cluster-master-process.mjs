import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** More of Node's options for the master, such as `--cpu-prof --cpu-prof-dir=/tmp`. */
const more = (process.env.BENCH_MASTER_NODE ?? '').split(' ').filter((option) => option !== '');
const file = fileURLToPath(new URL('cluster-master.mjs', import.meta.url));

/** The master's OS process, and what it tells of itself. */
export class MasterProcess {
  #child;
  #isWanted = true;
  #questions = 0;
  #waiting = new Map();

  /** @param broker address, file with the seed, prefix; and a folder for the registry if that is to outlive the master. */
  static async start(broker, registry) {
    const master = new MasterProcess();
    const parameters = registry === undefined ? broker : [...broker, registry];
    const child = fork(file, parameters, {
      // Young objects of a large cluster live through more than the default of 16 MB (docs/operating.md).
      execArgv: ['--expose-gc', '--max-old-space-size=8000', '--max-semi-space-size=64', ...more],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    master.#child = child;
    child.on('message', ({ id, answer }) => master.#waiting.get(id)?.(answer));
    child.on('exit', (code, signal) => {
      if (!master.#isWanted) return;
      process.stderr.write(`the master ended with ${code ?? signal}\n`);
      process.exit(1);
    });
    await new Promise((resolve) => master.#waiting.set(0, resolve));
    return master;
  }

  /** `cpu` (microseconds so far), `heap` (bytes after a collection) or `metrics`. */
  ask(question) {
    const id = ++this.#questions;
    return new Promise((resolve) => {
      this.#waiting.set(id, resolve);
      this.#child.send({ id, question });
    });
  }

  /** SIGKILL: nobody is told. */
  kill() {
    this.#isWanted = false;
    this.#child.kill('SIGKILL');
  }

  async stop() {
    this.#isWanted = false;
    this.#child.kill('SIGTERM');
    await once(this.#child, 'exit');
  }
}
