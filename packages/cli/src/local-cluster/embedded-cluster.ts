import { join } from 'node:path';
import { startAgent } from '@mezzo/agent';
import { resolveAllocator, startMaster } from '@mezzo/master';
import { dispatch, Network, nodePlatform, Runtime } from '@mezzo/process';
import { httpServer } from '@mezzo/process/http';
import { loadModule } from '../load-module.ts';
import type { LocalCluster } from './local-cluster.ts';
import type { ClusterPlan } from './plan.ts';
import type { Undoing } from './undoing.ts';

/** Master and agents as nodes of an in-process network. */
export async function startEmbedded(plan: ClusterPlan, started: Undoing): Promise<LocalCluster> {
  const { cluster, directory, allocationInterval, linkTimeout, resources } = plan;
  const choice = await resolveAllocator(plan.allocator, loadModule);
  const platform = nodePlatform();
  const network = new Network({ clock: platform.clock });
  const node = async (name: string, port: number): Promise<Runtime> => {
    plan.signal?.throwIfAborted();
    const http = httpServer({ port });
    const runtime = await Runtime.start({ name, platform, transport: network.transport(), http, linkTimeout });
    started.add(() => runtime.stop());
    return runtime;
  };
  const runtime = await node('master', plan.port);
  const { master } = startMaster(runtime, { cluster, allocator: choice, allocationInterval });
  for (const name of plan.agents) {
    const place = await node(name, 0);
    const agent = await startAgent(place, { cluster, hostname: name, workDirectory: join(directory, name), resources });
    started.add(() => dispatch(agent, (it) => it.shutdown()));
  }
  return {
    cluster,
    directory,
    url: runtime.url ?? '',
    nats: undefined,
    members: [],
    broken: Promise.resolve(runtime.wait(master)).then(() => 'the master has ended'),
    transport: () => network.transport(),
    stop: () => started.undo(),
    [Symbol.asyncDispose]: () => started.undo(),
  };
}
