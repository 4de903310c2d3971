import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { locateNatsServer } from '../../../cli/src/nats-server/index.ts';
import { boundToParent } from '../../../cli/src/nats-server/lifeline.ts';
import { skipBecause } from '../../../../test/support/skip.ts';
import { poll } from '../transport/worlds.ts';

export interface ConfiguredServer {
  /** Without credentials; `tls://` if it wants TLS. */
  readonly url: string;
  readonly port: number;
  /** Where it reports its statistics, over HTTP. */
  readonly monitor: string;
  /** For files that belong to it. */
  readonly directory: string;
  /** The present configuration replaced by another, which the running server takes over. */
  reload(configuration: string): Promise<void>;
  restart(configuration: string): Promise<void>;
}

/**
 * Called in a `describe`: a NATS server on 127.0.0.1 with this configuration, besides where it listens, from before its tests
 * until after them.
 */
export function withConfiguredServer(configuration: string | ((directory: string) => string)): ConfiguredServer {
  let directory = '';
  let child: ChildProcess | undefined;
  let ports: Ports = { nats: '', monitoring: '' };
  let executable = '';

  const write = (text: string, listen: string): void =>
    writeFileSync(
      join(directory, 'server.conf'),
      `listen: "${listen}"\nhttp: "127.0.0.1:-1"\nports_file_dir: "${directory}"\npid_file: "${directory}/pid"\n${text}`,
    );
  const launch = async (text: string, listen: string): Promise<void> => {
    write(text, listen);
    const [command, args] = boundToParent(executable, [
      '-c',
      join(directory, 'server.conf'),
      '-l',
      join(directory, 'log'),
    ]);
    const started = spawn(command, args, { stdio: 'ignore' });
    child = started;
    await poll(() => started.exitCode !== null || portsIn(directory, started.pid) !== undefined, 'the server is ready');
    const found = portsIn(directory, started.pid);
    if (found === undefined) throw new Error(`the server ended: ${readFileSync(join(directory, 'log'), 'utf8')}`);
    ports = found;
  };
  const end = async (): Promise<void> => {
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    child.kill('SIGKILL');
    await once(child, 'exit');
  };

  before('start a NATS server', async function () {
    const found = locateNatsServer();
    if (found === undefined) skipBecause(this, 'no nats-server on PATH or in .cache/nats-server');
    executable = found;
    directory = mkdtempSync(join(tmpdir(), 'mezzo-configured-'));
    await launch(typeof configuration === 'string' ? configuration : configuration(directory), '127.0.0.1:-1');
  });
  after('stop the NATS server', async () => {
    await end();
    if (directory !== '') rmSync(directory, { recursive: true, force: true });
  });

  return {
    get url() {
      return ports.nats;
    },
    get port() {
      return Number(new URL(ports.nats).port);
    },
    get monitor() {
      return ports.monitoring;
    },
    get directory() {
      return directory;
    },
    async reload(text) {
      write(text, `127.0.0.1:${this.port}`);
      const log = (): string => readFileSync(join(directory, 'log'), 'utf8');
      const before = log().length;
      child?.kill('SIGHUP');
      await poll(() => log().slice(before).includes('Reloaded server configuration'), 'the server reloads');
    },
    async restart(text) {
      const { port } = this;
      await end();
      await launch(text, `127.0.0.1:${port}`);
    },
  };
}

interface Ports {
  readonly nats: string;
  readonly monitoring: string;
}

/** What the server with this pid wrote about where it listens; undefined until it is whole. */
function portsIn(directory: string, pid = 0): Ports | undefined {
  const file = readdirSync(directory).find((name) => name.endsWith(`_${pid}.ports`));
  const text = file === undefined ? '' : readFileSync(join(directory, file), 'utf8');
  const [, nats] = /"nats":\["([^"]+)"\]/.exec(text) ?? [];
  const [, monitoring] = /"monitoring":\["([^"]+)"\]/.exec(text) ?? [];
  return nats === undefined || monitoring === undefined || !text.includes('}') ? undefined : { nats, monitoring };
}
