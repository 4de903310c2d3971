import { Basket, type Scheduler, shellTask, startScheduler } from '@mezzo/frameworks';
import { Deferred } from '@mezzo/process';
import type { FrameworkID } from '@mezzo/protocol';
import { isTerminal } from '@mezzo/protocol';
import { cluster, type SmallCluster } from './cluster.ts';

/** A framework ends while its task runs. The next one takes its id, and hears how the task ended. */
export async function frameworkFailover(small: SmallCluster, print: (line: string) => void): Promise<void> {
  const framework = { name: 'failover', failoverTimeout: '1mins' } as const;

  const running = new Deferred<FrameworkID>();
  let id: FrameworkID | undefined;
  const first: Scheduler = {
    subscribed: (_, { frameworkId }) => void (id = frameworkId),
    offers(driver, [offer]) {
      const resources = offer && new Basket(offer).take('cpus:0.1;mem:32');
      if (offer === undefined || resources === undefined) return;
      driver.accept(offer, [shellTask(offer, { id: 'long', command: 'sleep 1', resources })]);
      driver.suppress();
    },
    update(_, { taskId, state }) {
      print(`first: ${taskId} ${state}`);
      if (state === 'TASK_RUNNING' && id !== undefined) running.set(id);
    },
  };
  const firstNode = await small.node('first');
  startScheduler(firstNode, { cluster, framework, scheduler: first });
  // A real framework keeps its id in a file or a database before it launches anything.
  const kept = await running.future;
  await firstNode.stop();
  print('first: gone');

  const second: Scheduler = {
    offers: (driver, offers) => offers.forEach((offer) => driver.decline(offer)),
    update(driver, { taskId, state }) {
      print(`second: ${taskId} ${state}`);
      if (isTerminal(state)) driver.teardown();
    },
  };
  await using secondNode = await small.node('second');
  await secondNode.wait(
    startScheduler(secondNode, { cluster, framework: { ...framework, id: kept }, scheduler: second }),
  );
}
