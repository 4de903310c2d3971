import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What of the distribution's packages the server needs; none of them depends on the machine. */
const packages = [
  'libzookeeper-java',
  'libslf4j-java',
  'libdropwizard-metrics-java',
  'libsnappy-java',
  'libcommons-io-java',
  'libcommons-cli-java',
  'libnetty-java',
];
const root = join(import.meta.dirname, '..', '..', '..', '..');
const place = join(root, '.cache', 'zookeeper');

/** A ZooKeeper server of the distribution, unpacked into the checkout's cache: needs Java and apt-get, but no root. */
export class ZooKeeperServer {
  readonly #folder = mkdtempSync(join(tmpdir(), 'mezzo-zookeeper-'));
  readonly #classPath: string;
  readonly port: number;
  #child: ChildProcess | undefined;

  private constructor(classPath: string, port: number) {
    this.#classPath = classPath;
    this.port = port;
  }

  /** Fails with what to do if there is no ZooKeeper to be had. */
  static async start(): Promise<ZooKeeperServer> {
    const server = new ZooKeeperServer(join(provide(), '*'), await freePort());
    await server.run();
    return server;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  async run(): Promise<void> {
    const configuration = join(this.#folder, 'zoo.cfg');
    // A short tick, so that short sessions are allowed.
    writeFileSync(
      configuration,
      [
        'tickTime=100',
        'maxSessionTimeout=60000',
        `dataDir=${join(this.#folder, 'data')}`,
        `clientPort=${this.port}`,
        'clientPortAddress=127.0.0.1',
        'admin.enableServer=false',
        'maxClientCnxns=0',
      ].join('\n'),
    );
    const child = spawn(
      'java',
      ['-Xmx128m', '-cp', this.#classPath, 'org.apache.zookeeper.server.ZooKeeperServerMain', configuration],
      { stdio: 'ignore' },
    );
    this.#child = child;
    for (const deadline = Date.now() + 30_000; !(await answers(this.port));) {
      if (child.exitCode !== null || Date.now() > deadline) throw new Error('The ZooKeeper server does not start');
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** As kill -9. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  async stop(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

/** The folder with the server's archives, fetched if they are not there yet. */
function provide(): string {
  const java = spawnSync('java', ['-version']);
  if (java.error !== undefined) throw new Error('ZooKeeper needs Java: install default-jre-headless');
  const archives = join(place, 'usr', 'share', 'java');
  if (existsSync(join(archives, 'zookeeper.jar'))) return archives;
  mkdirSync(join(root, '.cache'), { recursive: true });
  const scratch = mkdtempSync(join(root, '.cache', 'apt-'));
  try {
    for (const folder of ['state/lists/partial', 'cache/archives/partial'])
      mkdirSync(join(scratch, folder), { recursive: true });
    const settings = [
      `Dir::State=${join(scratch, 'state')}`,
      `Dir::Cache=${join(scratch, 'cache')}`,
      'APT::Sandbox::User=root',
      'Acquire::Languages=none',
    ];
    const options = ['-q', ...settings.flatMap((setting) => ['-o', setting])];
    const apt = (...rest: string[]): void =>
      void execFileSync('apt-get', [...options, ...rest], { cwd: scratch, stdio: 'pipe' });
    apt('update');
    apt('download', ...packages);
    const unpacked = join(scratch, 'unpacked');
    for (const name of readdirSync(scratch).filter((file) => file.endsWith('.deb')))
      execFileSync('dpkg-deb', ['-x', name, unpacked], { cwd: scratch });
    // Somebody may have been faster.
    if (!existsSync(place)) renameSync(unpacked, place);
    return archives;
  } catch (error) {
    throw new Error(`ZooKeeper cannot be fetched: 'apt-get download ${packages.join(' ')}' must work`, {
      cause: error,
    });
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}

async function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => socket.write('srvr'));
    socket.once('data', (data) => end(data.toString().includes('Mode: standalone')));
    socket.once('error', () => end(false));
    socket.once('close', () => end(false));
  });
}
