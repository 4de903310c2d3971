import {
  Basket,
  createVolume,
  destroyVolume,
  launch,
  reserve,
  type Scheduler,
  shellTask,
  startScheduler,
  unreserve,
} from '@mezzo/frameworks';
import { isTerminal, type Resource, Resources } from '@mezzo/protocol';
import { cluster, type SmallCluster } from './cluster.ts';

/** Where tasks find the volume, below their sandboxes. */
const containerPath = 'data';

/** A task writes to a persistent volume and ends; a second one, later and elsewhere on the agent, reads it. */
export async function persistentVolume(small: SmallCluster, print: (line: string) => void): Promise<void> {
  let step: 'write' | 'read' | 'clean up' = 'write';
  let isBusy = false;
  const scheduler: Scheduler = {
    offers(driver, offers) {
      for (const offer of offers) {
        const basket = new Basket(offer);
        const needs = basket.take('cpus:0.1;mem:32') ?? [];
        const volume = basket.takeVolume('notes');
        const disk = volume ? undefined : basket.take('disk:64', { from: 'unreserved' });
        const task = (id: string, command: string, one: Resource) =>
          shellTask(offer, { id, command, resources: [...needs, one] });
        if (isBusy) driver.decline(offer, { refuseSeconds: 1 });
        else if (step === 'write' && disk) {
          isBusy = true;
          const reserved = reserve(offer, disk);
          const created = createVolume(reserved.resources, { persistenceId: 'notes', containerPath, id: 'create' });
          const [made] = created.volumes;
          if (made === undefined) throw new Error('no volume was made');
          driver.accept(offer, [reserved, created, launch([task('writer', 'echo hello > data/greeting', made)])]);
        } else if (step === 'read' && volume) {
          isBusy = true;
          // What a command leaves in this file comes back with its last update.
          driver.accept(offer, [task('reader', 'cp data/greeting status.data', volume)]);
        } else if (step === 'clean up' && volume) {
          isBusy = true;
          const { disk: _disk, ...plain } = volume;
          driver.accept(offer, [destroyVolume(volume, { id: 'destroy' }), unreserve([plain], { id: 'unreserve' })]);
        } else driver.decline(offer, { refuseSeconds: 0 });
      }
    },
    update(driver, { taskId, state, data, message = '' }) {
      if (!isTerminal(state)) return;
      const result = data === undefined ? message : `read '${Buffer.from(data).toString().trim()}'`;
      print(`${taskId}: ${state} ${result}`.trimEnd());
      isBusy = false;
      step = taskId === 'writer' ? 'read' : 'clean up';
      driver.revive();
    },
    operationUpdate(driver, { operationId = '', state, convertedResources = [] }) {
      print(`${operationId}: ${state} ${String(Resources.of(convertedResources))}`.trimEnd());
      if (operationId === 'unreserve') driver.teardown();
    },
  };
  await using runtime = await small.node('persistent-volume');
  await runtime.wait(startScheduler(runtime, { cluster, framework: { name: 'notes', roles: ['notes'] }, scheduler }));
}
