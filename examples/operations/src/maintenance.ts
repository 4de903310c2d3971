import { Basket, type Scheduler, shellTask, startScheduler } from '@mezzo/frameworks';
import { dispatch } from '@mezzo/process';
import { isTerminal, type Offer, TaskID } from '@mezzo/protocol';
import { cluster, type SmallCluster } from './cluster.ts';

/**
 * An operator wants a machine for an hour. The framework that has a task there is asked for it back by an inverse offer, agrees,
 * and moves the task to another machine; then the first one is taken down.
 */
export async function maintenance(small: SmallCluster, print: (line: string) => void): Promise<void> {
  const { master } = small;
  /** Where the service runs. */
  let home: Offer | undefined;
  /** Where it cannot. */
  let away: string | undefined;
  let launched = 0;
  const scheduler: Scheduler = {
    offers(driver, offers) {
      for (const offer of offers) {
        const isFit = home === undefined && offer.hostname !== away;
        const resources = isFit ? new Basket(offer).take('cpus:1;mem:32') : undefined;
        if (resources === undefined) {
          driver.decline(offer, { refuseSeconds: 0.2 });
          continue;
        }
        home = offer;
        driver.accept(offer, [shellTask(offer, { id: `service-${++launched}`, command: 'sleep 1000', resources })]);
      }
    },
    inverseOffers(driver, inverseOffers) {
      for (const inverseOffer of inverseOffers) {
        driver.acceptInverseOffers([inverseOffer]);
        if (home === undefined || inverseOffer.agentId !== home.agentId || away !== undefined) continue;
        print(`asked to leave ${home.hostname}`);
        away = home.hostname;
        driver.kill(TaskID(`service-${launched}`));
      }
    },
    update(driver, { taskId, state }) {
      print(`${taskId}: ${state}`);
      if (isTerminal(state)) {
        home = undefined;
        driver.revive();
      } else if (state === 'TASK_RUNNING' && away === undefined && home) schedule(home.hostname);
      else if (state === 'TASK_RUNNING' && away !== undefined) takeDown(away, () => driver.teardown());
    },
  };
  const schedule = (hostname: string): void => {
    const unavailability = { start: Date.now() + 60_000, duration: 3_600_000 };
    void dispatch(master, (it) =>
      it.operator.updateMaintenanceSchedule([{ machines: [{ hostname }], unavailability }]),
    );
  };
  const takeDown = (hostname: string, then: () => void): void => {
    void dispatch(master, (it) => it.operator.startMaintenance([{ hostname }])).onReady(() => {
      print(`${hostname} is down for maintenance`);
      then();
    });
  };
  await using runtime = await small.node('maintenance');
  await runtime.wait(startScheduler(runtime, { cluster, framework: { name: 'service' }, scheduler }));
}
