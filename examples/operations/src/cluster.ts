import { startAgent } from '@mezzo/agent';
import { type Master, startMaster } from '@mezzo/master';
import { dispatch, type LocalPID, Network, nodePlatform, Runtime } from '@mezzo/process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The name that frameworks find the cluster by. */
export const cluster = 'operations';

/** A master and agents in this OS process, with tasks that are real commands in a temporary folder. */
export class SmallCluster implements AsyncDisposable {
  readonly master: LocalPID<Master>;
  readonly #network: Network;
  readonly #folder: string;
  readonly #stops: (() => PromiseLike<unknown>)[] = [];

  private constructor(network: Network, folder: string, masterNode: Runtime) {
    this.#network = network;
    this.#folder = folder;
    this.master = startMaster(masterNode, { cluster, allocationInterval: '100ms' }).master;
    this.#stops.push(() => masterNode.stop());
  }

  /** With these agents, by their host names. */
  static async start(...hostnames: string[]): Promise<SmallCluster> {
    const network = new Network({ clock: nodePlatform().clock });
    const folder = await mkdtemp(join(tmpdir(), 'mezzo-operations-'));
    const masterNode = await Runtime.start({ name: 'master', transport: network.transport() });
    const small = new SmallCluster(network, folder, masterNode);
    for (const hostname of hostnames) await small.#startAgent(hostname);
    return small;
  }

  /** For a framework. */
  node(name: string): Promise<Runtime> {
    return Runtime.start({ name, transport: this.#network.transport() });
  }

  async #startAgent(hostname: string): Promise<void> {
    const runtime = await this.node(hostname);
    const agent = await startAgent(runtime, {
      cluster,
      hostname,
      workDirectory: join(this.#folder, hostname),
      resources: 'cpus:2;mem:256;disk:1024',
      registrationBackoffFactor: '10ms',
    });
    this.#stops.push(async () => {
      // A master that takes its machine down ends it.
      if (runtime.processes.includes(agent.id)) await dispatch(agent, (it) => it.shutdown());
      await runtime.stop();
    });
  }

  /** Ends all tasks first. */
  async [Symbol.asyncDispose](): Promise<void> {
    for (const stop of this.#stops.toReversed()) await stop();
    await rm(this.#folder, { recursive: true, force: true });
  }
}
