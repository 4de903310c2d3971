import { mkdtemp, rm } from 'node:fs/promises';
import { existsSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import {
  locateNatsServer,
  startNatsServer,
  type NatsServer,
  type NatsServerOptions,
} from '../../packages/cli/src/nats-server/index.ts';
import { skipBecause } from './skip.ts';

const PATIENCE_MS = 10_000;

export interface NatsServerFixtureOptions extends Omit<NatsServerOptions, 'directory' | 'executable'> {
  /** One server for all tests of the suite (default), or a new one for each: for tests that kill or freeze it. */
  readonly per?: 'suite' | 'test';
}

/** A NATS server of the suite's own, and what can be done to it. */
export interface NatsServerFixture {
  readonly url: string;
  readonly port: number;
  readonly pid: number;
  /** The launcher's handle. */
  readonly server: NatsServer;
  /** File with the nkey seed; throws for a server with `credentials: 'none'`. */
  readonly credentialsFile: string;
  /** SIGSTOP; returns once the process has stopped. Its sockets stay open and silent. */
  freeze(): Promise<void>;
  /** SIGCONT. */
  thaw(): void;
  /** SIGKILL; returns once the process is gone. What it had not sent is lost. */
  kill(): Promise<void>;
  /** The same port, files and credentials; ends the server first if it runs. */
  restart(): Promise<void>;
}

/**
 * Called in a `describe`: a server with JetStream on a free port, in a temporary folder, from before the tests until
 * after them. Where there is no NATS server the tests are skipped with the reason; under CI they fail.
 */
export function withNatsServer(options: NatsServerFixtureOptions = {}): NatsServerFixture {
  const { per = 'suite', ...launch } = options;
  let running: NatsServer | undefined;
  let directory: string | undefined;

  async function setUp(this: Mocha.Context): Promise<void> {
    const executable = locateNatsServer();
    if (executable === undefined) {
      skipBecause(this, 'no nats-server on PATH or in .cache/nats-server (node scripts/setup.mjs fetches it)');
    }
    directory = await mkdtemp(join(tmpdir(), 'mezzo-nats-'));
    running = await startNatsServer({ jetstream: true, ...launch, directory, executable });
  }

  async function tearDown(): Promise<void> {
    await running?.stop();
    running = undefined;
    if (directory !== undefined) await rm(directory, { recursive: true, force: true });
    directory = undefined;
  }

  if (per === 'suite') {
    before('start a NATS server', setUp);
    after('stop the NATS server', tearDown);
  } else {
    beforeEach('start a NATS server', setUp);
    afterEach('stop the NATS server', tearDown);
  }

  const present = (): NatsServer => {
    if (running === undefined) {
      throw new Error('the NATS server runs only while tests do: use it in a test or a hook, not in describe()');
    }
    return running;
  };
  return {
    get url() {
      return present().url;
    },
    get port() {
      return present().port;
    },
    get pid() {
      return present().pid;
    },
    get server() {
      return present();
    },
    get credentialsFile() {
      const { credentialsFile } = present();
      if (credentialsFile === undefined) {
        throw new Error("this NATS server was started with credentials: 'none' and has no credentials file");
      }
      return credentialsFile;
    },
    async freeze() {
      present().kill('SIGSTOP');
      await stopped(present().pid);
    },
    thaw() {
      present().kill('SIGCONT');
    },
    async kill() {
      const { exited } = present();
      present().kill('SIGKILL');
      await exited;
    },
    restart: () => present().restart(),
  };
}

/** A stop takes effect when the kernel gets to it, which /proc shows; elsewhere the signal must do. */
async function stopped(pid: number): Promise<void> {
  const stat = `/proc/${pid}/stat`;
  if (!existsSync('/proc/self/stat')) return;
  const deadline = performance.now() + PATIENCE_MS;
  // The state follows the command's name, which is in parentheses.
  while (!/\) T /.test(readFileSync(stat, 'utf8'))) {
    if (performance.now() > deadline) throw new Error(`process ${pid} did not stop within ${PATIENCE_MS} ms`);
    await sleep(2);
  }
}
