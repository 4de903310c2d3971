import { Basket, launch, reserve, type Scheduler, shellTask, startScheduler, unreserve } from '@mezzo/frameworks';
import { isTerminal } from '@mezzo/protocol';
import { cluster, type SmallCluster } from './cluster.ts';

/**
 * A framework that keeps a cpu for itself: it reserves it, launches a task on it, finds it reserved in a later offer, and gives
 * it back.
 */
export async function reservations(small: SmallCluster, print: (line: string) => void): Promise<void> {
  let isReserved = false;
  const scheduler: Scheduler = {
    offers(driver, offers) {
      for (const offer of offers) {
        const basket = new Basket(offer);
        const own = basket.take('cpus:1;mem:32', { from: 'reserved' });
        const common = isReserved ? undefined : basket.take('cpus:1;mem:32', { from: 'unreserved' });
        if (own) {
          print('offered what is reserved');
          driver.accept(offer, [unreserve(own, { id: 'give-back' })]);
        } else if (common) {
          isReserved = true;
          const reserved = reserve(offer, common, { id: 'keep', labels: [{ key: 'for', value: 'the example' }] });
          const task = shellTask(offer, { id: 'on-my-cpu', command: 'true', resources: reserved.resources });
          driver.accept(offer, [reserved, launch([task])], { refuseSeconds: 0 });
        } else driver.decline(offer, { refuseSeconds: 1 });
      }
    },
    update(_, { taskId, state }) {
      if (isTerminal(state)) print(`${taskId}: ${state}`);
    },
    operationUpdate(driver, { operationId = '', state }) {
      print(`${operationId}: ${state}`);
      if (operationId === 'give-back') driver.teardown();
    },
  };
  await using runtime = await small.node('reservations');
  await runtime.wait(
    startScheduler(runtime, { cluster, framework: { name: 'reservations', roles: ['web'] }, scheduler }),
  );
}
