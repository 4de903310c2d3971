import { expect } from 'chai';
import { Cluster } from './cluster.ts';
import { taskOf } from './fake-master.ts';

interface ShownFramework {
  readonly executors: readonly unknown[];
  readonly completed_executors: readonly { readonly id: string }[];
}

describe('what an agent remembers of executors that have ended', () => {
  for (const [limit, shown] of [
    [undefined, ['t1', 't2', 't3']],
    [2, ['t2', 't3']],
    [0, []],
  ] as const) {
    it(`is the latest of them, with a limit of ${limit ?? 'its own'}`, async () => {
      const options = limit === undefined ? {} : { maxCompletedExecutorsPerFramework: limit };
      await using cluster = await Cluster.registered(options);
      for (const id of ['t1', 't2', 't3']) {
        cluster.master.run(taskOf(id, 'x'));
        await cluster.until(() =>
          cluster.master.updates.some(({ status }) => status.taskId === id && status.state === 'TASK_FINISHED'),
        );
        await cluster.world.advance('1s');
      }
      const state = (await cluster.state()) as unknown as {
        readonly frameworks: readonly ShownFramework[];
        readonly completed_frameworks: readonly ShownFramework[];
      };
      const frameworks = [...state.frameworks, ...state.completed_frameworks];
      expect(frameworks.flatMap(({ executors }) => executors)).to.deep.equal([]);
      expect(frameworks.flatMap(({ completed_executors: past }) => past.map(({ id }) => id))).to.deep.equal(shown);
    });
  }
});
