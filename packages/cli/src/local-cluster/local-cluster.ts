import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { startAgent } from '@mezzo/agent';
import { startMaster } from '@mezzo/master';
import { dispatch, Network, nodePlatform, Runtime, type Transport } from '@mezzo/process';
import { httpServer } from '@mezzo/process/http';
import { nats } from '@mezzo/process/nats';
import { type NatsServer, provisionNatsServer, startNatsServer } from '../nats-server/index.ts';
import { type Member, startMember } from './member.ts';

export interface LocalClusterOptions {
  /** Default 3. */
  readonly agents?: number;
  /** Port of the master's web page. Default 5050; 0 for a free one. */
  readonly port?: number;
  /** Name of the cluster, also the prefix of its subjects. Default `mezzo`. */
  readonly cluster?: string;
  /** Where work directories and logs are. Default: a temporary folder that is removed at the end. */
  readonly directory?: string;
  /** What each agent offers, such as `cpus:2;mem:2048`. Default: as many cpus as the machine has, and 1 GB. */
  readonly resources?: string;
  /** Never use a NATS server: everything in this OS process. Default false. */
  readonly embedded?: boolean;
  /** Told, in one line each, about what takes time or goes unexpectedly. */
  readonly report?: (line: string) => void;
}

/** A whole cluster on this machine. */
export interface LocalCluster extends AsyncDisposable {
  readonly cluster: string;
  readonly directory: string;
  /** The master's web page. */
  readonly url: string;
  /** Undefined when everything runs in this OS process. */
  readonly nats:
    | { readonly url: string; readonly seedFile: string | undefined; readonly server: NatsServer | undefined }
    | undefined;
  /** The OS processes; empty when everything runs in this one. */
  readonly members: readonly Member[];
  /** A transport for a further node of the cluster, in this OS process. */
  transport(): Transport;
  stop(): Promise<void>;
}

/**
 * Losing a peer is noticed within this time; Mesos's own settings are made for wide networks (75 s). Longer than it takes to
 * notice a frozen NATS server (3 s), which is not the peers' fault.
 */
export const linkTimeout = '4s';

/** Freed resources are offered again within this time: on one machine there is nothing to gain from Mesos's 1 s. */
const allocationInterval = '100ms';

// Members run the built program, also when this module is run from its source.
const program = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../../dist/mezzo.js' : '../mezzo.js', import.meta.url),
);

/** Starts a NATS server (or uses NATS_URL), one master and the agents, each an OS process of its own. */
export async function startLocalCluster(options: LocalClusterOptions = {}): Promise<LocalCluster> {
  const cluster = options.cluster ?? 'mezzo';
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), 'mezzo-')));
  const started = new Undoing();
  if (options.directory === undefined) started.add(() => rm(directory, { recursive: true, force: true }));
  try {
    await mkdir(join(directory, 'logs'), { recursive: true });
    const source = options.embedded === true ? undefined : await provisionNatsServer(reporting(options));
    if (source === undefined || source.kind === 'none') {
      if (source !== undefined)
        options.report?.(`no NATS server can be had (${source.tried}): everything runs in one OS process`);
      return await startEmbedded(options, cluster, directory, started);
    }
    const server = source.kind === 'executable' ? await startServer(directory, source.path) : undefined;
    if (server !== undefined) started.add(() => server.stop());
    const url = server?.url ?? (source.kind === 'url' ? source.url : '');
    return await startMembers(options, cluster, directory, { url, seedFile: server?.credentialsFile, server }, started);
  } catch (error) {
    await started.undo();
    throw error;
  }
}

async function startMembers(
  options: LocalClusterOptions,
  cluster: string,
  directory: string,
  broker: NonNullable<LocalCluster['nats']>,
  started: Undoing,
): Promise<LocalCluster> {
  const common = [
    ...[
      '--nats',
      broker.url,
      '--prefix',
      cluster,
      '--cluster',
      cluster,
      '--exit-with-parent',
      '--link-timeout',
      linkTimeout,
    ],
    ...(broker.seedFile === undefined ? [] : ['--nats-seed', broker.seedFile]),
  ];
  const member = async (name: string, ...given: readonly string[]): Promise<Member> => {
    const logFile = join(directory, 'logs', `${name}.log`);
    const one = await startMember({ name, arguments: [program, ...given, '--name', name, ...common], logFile });
    started.add(() => one.stop());
    return one;
  };
  const master = await member(
    'master',
    'master',
    '--port',
    String(options.port ?? 5050),
    '--allocation-interval',
    allocationInterval,
  );
  const agents = await Promise.all(
    agentNames(options).map((name) =>
      member(
        name,
        ...['agent', '--port', '0', '--hostname', name],
        ...['--work-dir', join(directory, name), '--resources', options.resources ?? defaultResources()],
      ),
    ),
  );
  return {
    cluster,
    directory,
    url: master.url,
    nats: broker,
    members: [master, ...agents],
    transport: () =>
      nats({
        servers: broker.url,
        prefix: cluster,
        ...(broker.seedFile === undefined ? {} : { nkeySeedFile: broker.seedFile }),
      }),
    stop: () => started.undo(),
    [Symbol.asyncDispose]: () => started.undo(),
  };
}

async function startEmbedded(
  options: LocalClusterOptions,
  cluster: string,
  directory: string,
  started: Undoing,
): Promise<LocalCluster> {
  const platform = nodePlatform();
  const network = new Network({ clock: platform.clock });
  const node = async (name: string, port: number): Promise<Runtime> => {
    const runtime = await Runtime.start({
      name,
      platform,
      transport: network.transport(),
      http: httpServer({ port }),
      linkTimeout,
    });
    started.add(() => runtime.stop());
    return runtime;
  };
  const master = await node('master', options.port ?? 5050);
  startMaster(master, { cluster, allocationInterval });
  for (const name of agentNames(options)) {
    const resources = options.resources ?? defaultResources();
    const runtime = await node(name, 0);
    const agent = await startAgent(runtime, {
      cluster,
      hostname: name,
      workDirectory: join(directory, name),
      resources,
    });
    started.add(() => dispatch(agent, (it) => it.shutdown()));
  }
  return {
    cluster,
    directory,
    url: master.url ?? '',
    nats: undefined,
    members: [],
    transport: () => network.transport(),
    stop: () => started.undo(),
    [Symbol.asyncDispose]: () => started.undo(),
  };
}

async function startServer(directory: string, executable: string): Promise<NatsServer> {
  return startNatsServer({ directory: join(directory, 'nats'), executable, jetstream: false });
}

function agentNames(options: LocalClusterOptions): string[] {
  return Array.from({ length: options.agents ?? 3 }, (_, index) => `agent-${index + 1}`);
}

function defaultResources(): string {
  return `cpus:${cpus().length};mem:1024;disk:10240;ports:[31000-32000]`;
}

function reporting(options: LocalClusterOptions): { report?: (line: string) => void } {
  return options.report === undefined ? {} : { report: options.report };
}

/** What was started, to be ended in reverse order, once. */
class Undoing {
  readonly #steps: (() => PromiseLike<unknown>)[] = [];

  add(step: () => PromiseLike<unknown>): void {
    this.#steps.push(step);
  }

  async undo(): Promise<void> {
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) await step();
  }
}
