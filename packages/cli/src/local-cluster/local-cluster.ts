import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AllocatorChoice } from '@mezzo/master';
import type { Transport } from '@mezzo/process';
import { nats } from '@mezzo/process/nats';
import { type NatsServer, provisionNatsServer, startNatsServer } from '../nats-server/index.ts';
import { startEmbedded } from './embedded-cluster.ts';
import { type Member, startMember } from './member.ts';
import { type ClusterPlan, planOf } from './plan.ts';
import { makeTemporaryFolder } from './temporary-folder.ts';
import { Undoing } from './undoing.ts';

/** What allocates comes by name or as a module; paths are relative to the working directory. */
export interface LocalClusterOptions extends AllocatorChoice {
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
  /** Aborting it while the cluster starts undoes what was started, and rejects with its reason. */
  readonly signal?: AbortSignal;
}

/** The NATS server of a cluster. */
export interface Broker {
  readonly url: string;
  /** File with the nkey seed that it demands. */
  readonly seedFile: string | undefined;
  /** Undefined if it is somebody else's (NATS_URL). */
  readonly server: NatsServer | undefined;
}

/** A whole cluster on this machine. */
export interface LocalCluster extends AsyncDisposable {
  readonly cluster: string;
  readonly directory: string;
  /** The master's web page. */
  readonly url: string;
  /** Undefined when everything runs in this OS process. */
  readonly nats: Broker | undefined;
  /** The OS processes; empty when everything runs in this one. */
  readonly members: readonly Member[];
  /** Resolves with one line when the cluster cannot go on: its master has ended, or its last agent. Also after `stop`. */
  readonly broken: Promise<string>;
  /** A transport for a further node of the cluster, in this OS process. */
  transport(): Transport;
  stop(): Promise<void>;
}

// Members run the built program, also when this module is run from its source.
const program = fileURLToPath(
  new URL(import.meta.url.endsWith('.ts') ? '../../dist/mezzo.js' : '../mezzo.js', import.meta.url),
);

/**
 * Starts a NATS server (or uses NATS_URL, with NATS_SEED_FILE), one master and the agents, each an OS process of its own.
 * Rejects with an error of one line, and leaves nothing behind then.
 */
export async function startLocalCluster(options: LocalClusterOptions = {}): Promise<LocalCluster> {
  const directory = options.directory ?? (await makeTemporaryFolder());
  const plan = planOf(options, directory);
  const started = new Undoing();
  if (options.directory === undefined) started.add(() => rm(directory, { recursive: true, force: true }));
  try {
    await mkdir(join(directory, 'logs'), { recursive: true });
    const broker = options.embedded === true ? undefined : await startBroker(options, directory, started);
    return broker === undefined ? await startEmbedded(plan, started) : await startMembers(plan, broker, started);
  } catch (error) {
    await started.undo();
    throw error;
  }
}

async function startBroker(
  options: LocalClusterOptions,
  directory: string,
  started: Undoing,
): Promise<Broker | undefined> {
  const { report, signal } = options;
  const source = await provisionNatsServer(report === undefined ? {} : { report });
  signal?.throwIfAborted();
  switch (source.kind) {
    case 'url':
      return { url: source.url, seedFile: process.env['NATS_SEED_FILE'], server: undefined };
    case 'none':
      report?.(`no NATS server can be had (${source.tried}): everything runs in one OS process`);
      return undefined;
    case 'executable': {
      const server = await startNatsServer({ directory: join(directory, 'nats'), executable: source.path });
      started.add(() => server.stop());
      return { url: server.url, seedFile: server.credentialsFile, server };
    }
  }
}

async function startMembers(plan: ClusterPlan, broker: Broker, started: Undoing): Promise<LocalCluster> {
  const { cluster, directory } = plan;
  const seed = broker.seedFile === undefined ? [] : ['--nats-seed', broker.seedFile];
  const common = [
    ...['--nats', broker.url, ...seed, '--prefix', cluster, '--cluster', cluster],
    ...['--link-timeout', String(plan.linkTimeout), '--exit-with-parent'],
  ];
  const member = async (name: string, ...given: readonly string[]): Promise<Member> => {
    plan.signal?.throwIfAborted();
    const logFile = join(directory, 'logs', `${name}.log`);
    const one = await startMember({ name, arguments: [program, ...given, '--name', name, ...common], logFile });
    started.add(() => one.stop());
    return one;
  };
  const interval = ['--allocation-interval', String(plan.allocationInterval)];
  const { allocator, roleSorter, frameworkSorter } = plan.allocator;
  const choice = [
    ...(allocator === undefined ? [] : ['--allocator', allocator]),
    ...(roleSorter === undefined ? [] : ['--role-sorter', roleSorter]),
    ...(frameworkSorter === undefined ? [] : ['--framework-sorter', frameworkSorter]),
  ];
  const master = await member('master', 'master', '--port', String(plan.port), ...interval, ...choice);
  const agents = await allStarted(
    plan.agents.map((name) => {
      const place = ['--hostname', name, '--work-dir', join(directory, name), '--resources', plan.resources];
      return member(name, 'agent', '--port', '0', '--kill-tasks-on-stop', ...place);
    }),
  );
  const nkey = broker.seedFile === undefined ? {} : { nkeySeedFile: broker.seedFile };
  return {
    cluster,
    directory,
    url: master.url,
    nats: broker,
    members: [master, ...agents],
    broken: Promise.race([
      master.exited.then((how) => `the master has ended (${how})`),
      Promise.all(agents.map(({ exited }) => exited)).then(() => 'the last agent has ended'),
    ]),
    transport: () => nats({ servers: broker.url, prefix: cluster, ...nkey }),
    stop: () => started.undo(),
    [Symbol.asyncDispose]: () => started.undo(),
  };
}

/** As Promise.all, but rejects only once all have ended or started, so that those can be ended too. */
async function allStarted(members: readonly Promise<Member>[]): Promise<readonly Member[]> {
  await Promise.allSettled(members);
  return await Promise.all(members);
}
