import { Basket, type Scheduler, shellTask, startScheduler } from '@mezzo/frameworks';
import { dispatch } from '@mezzo/process';
import { type Offer, Resources, type TaskInfo } from '@mezzo/protocol';
import { cluster, type SmallCluster } from './cluster.ts';

/**
 * An operator guarantees one team a cpu and limits another to two: the greedy team gets no more than that, however long it is
 * alone, and the other finds its cpu when it comes.
 */
export async function quota(small: SmallCluster, print: (line: string) => void): Promise<void> {
  const quotas = { greedy: { limits: 'cpus:2' }, careful: { guarantees: 'cpus:1;mem:32' } };
  // By force, as the agents that can keep it may not have registered yet.
  await dispatch(small.master, (master) => master.operator.setQuotas(quotas, { force: true }));
  await using greedyNode = await small.node('greedy');
  await using carefulNode = await small.node('careful');
  let running = 0;
  const greedy: Scheduler = {
    offers(driver, offers) {
      for (const offer of offers) driver.accept(offer, asMuchAsFits(offer), { refuseSeconds: 0.1 });
    },
    update(driver, { state }) {
      if (state !== 'TASK_RUNNING') return;
      running++;
      // It has all it may have, and asks for more until the careful one is done.
      if (running === 2) startCareful(() => driver.teardown());
    },
  };
  const startCareful = (then: () => void): void => {
    const careful: Scheduler = {
      offers(driver, [offer]) {
        if (offer === undefined) return;
        const resources = new Basket(offer).take('cpus:1;mem:32');
        const task = resources && shellTask(offer, { id: 'guaranteed', command: 'true', resources });
        driver.accept(offer, task ? [task] : []);
      },
      update(driver, { taskId, state }) {
        if (state !== 'TASK_RUNNING') return;
        print(`greedy runs ${running} tasks, and ${taskId} runs too`);
        driver.teardown();
        then();
      },
    };
    startScheduler(carefulNode, { cluster, framework: { name: 'careful', roles: ['careful'] }, scheduler: careful });
  };
  await greedyNode.wait(
    startScheduler(greedyNode, { cluster, framework: { name: 'greedy', roles: ['greedy'] }, scheduler: greedy }),
  );
}

let launched = 0;

function asMuchAsFits(offer: Offer): readonly TaskInfo[] {
  const basket = new Basket(offer);
  const tasks: TaskInfo[] = [];
  const one = Resources.parse('cpus:1;mem:32');
  for (;;) {
    const resources = basket.take(one);
    if (resources === undefined) return tasks;
    tasks.push(shellTask(offer, { id: `greedy-${launched++}`, command: 'sleep 1000', resources }));
  }
}
