import { executorMessages, type FrameworkID, type TaskID } from '@mezzo/protocol';
import { type Scene, Violation } from '../scene.ts';
import type { Handled, Law } from './law.ts';

const { AcknowledgeExecutorUpdate } = executorMessages;

/** An agent acknowledges no update of an executor that is not on its disk, if the framework checkpoints. */
export class StoredUpdates implements Law {
  looks = 0;
  readonly #scene: Scene;

  constructor(scene: Scene) {
    this.#scene = scene;
  }

  begins({ node, pid, event }: Handled): void {
    if (event.kind !== 'message' || event.name !== AcknowledgeExecutorUpdate.name) return;
    const { taskId, uuid } = event.body as { readonly taskId: TaskID; readonly uuid: string };
    const agent = this.#scene.agent(node);
    const frameworkId = pid.id.slice('executor('.length).split('/', 1)[0] as FrameworkID;
    const task = agent?.['frameworks'].get(frameworkId)?.tasks.get(taskId);
    if (agent === undefined || task?.isCheckpointed !== true) return;
    this.looks++;
    const file = agent['folders'].taskUpdates(task.run, taskId);
    const stored = this.#scene.world.machine(node).files.peek(file) ?? '';
    if (!stored.includes(uuid))
      throw new Violation(`${node} acknowledged update ${uuid} of task ${taskId}, which is not in ${file}`);
  }
}
