import { executorMessages, ExecutorID, type TaskState, TERMINAL_TASK_STATES, UpdateUUID } from '@mezzo/protocol';
import type { BodyOf } from '@mezzo/process';
import { expect } from 'chai';
import { Cluster } from './cluster.ts';
import { frameworkId, taskOf } from './fake-master.ts';

const { AcknowledgeExecutorUpdate, ExecutorUpdate, KillExecutorTask, LaunchTask, ShutdownExecutor } = executorMessages;

const task = taskOf('t1', 'x');
const progress = ['TASK_STARTING', 'TASK_RUNNING', 'TASK_KILLING'] as const;
/** What an executor may have reported before. */
const before = [[], ...progress.map((state) => [state])];

/** A cluster whose executor never gets its task: the test speaks for it, and sees what it is told. */
class Bench implements AsyncDisposable {
  readonly cluster: Cluster;
  readonly told: string[] = [];
  #reports = 0;

  private constructor(cluster: Cluster) {
    this.cluster = cluster;
    const kinds = [KillExecutorTask.name, ShutdownExecutor.name];
    cluster.runtime.interceptor = ({ name, body }) => {
      if (kinds.includes(name)) this.told.push(name);
      if (name === AcknowledgeExecutorUpdate.name)
        this.told.push((body as BodyOf<typeof AcknowledgeExecutorUpdate>).uuid);
      return name === LaunchTask.name ? 'drop' : 'serve';
    };
  }

  /** The task is with its executor, which has reported these states. */
  static async launched(reported: readonly TaskState[] = [], acknowledges = true): Promise<Bench> {
    const cluster = await Cluster.registered({ simulation: { latency: [0, 0] } });
    const bench = new Bench(cluster);
    cluster.master.acknowledges = acknowledges;
    cluster.master.run(task);
    await cluster.until(() => cluster.runtime.processes.some(isExecutor));
    await cluster.world.settle();
    for (const state of reported) await bench.report(state);
    return bench;
  }

  /** As the executor. Gives the update's uuid, and whether the master heard of it. */
  async report(state: TaskState): Promise<{ readonly uuid: UpdateUUID; readonly isForwarded: boolean }> {
    const { runtime, world, master } = this.cluster;
    const executor = runtime.processes.find(isExecutor) ?? 'none';
    const uuid = UpdateUUID(`00000000-0000-4000-8000-${String(++this.#reports).padStart(12, '0')}`);
    const executorId = ExecutorID('t1');
    const status = { taskId: task.taskId, state, source: 'SOURCE_EXECUTOR', timestamp: 0, uuid } as const;
    const from = runtime.cell(executor)?.pid ?? runtime.nobody;
    runtime.delivery.message(runtime.pid('agent'), ExecutorUpdate, { frameworkId, executorId, status }, from);
    await world.advance('1ms');
    return { uuid, isForwarded: master.updates.some((update) => update.status.uuid === uuid) };
  }

  /** The states of the tasks that `/state` shows, of those with an update to acknowledge and of completed ones. */
  async shown(): Promise<{ readonly present: string[]; readonly past: string[] }> {
    const state = (await this.cluster.state()) as unknown as {
      readonly frameworks: readonly ShownFramework[];
      readonly completed_frameworks: readonly ShownFramework[];
    };
    const all = [...state.frameworks, ...state.completed_frameworks];
    return {
      present: all.flatMap(({ executors }) => executors.flatMap(({ tasks }) => tasks.map((shown) => shown.state))),
      past: all.flatMap((shown) =>
        [...shown.executors, ...shown.completed_executors].flatMap(({ completed_tasks: tasks }) =>
          tasks.map(({ state: last }) => last),
        ),
      ),
    };
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.cluster[Symbol.asyncDispose]();
  }
}

interface ShownExecutor {
  readonly tasks: readonly { readonly state: string }[];
  readonly completed_tasks: readonly { readonly state: string }[];
}

interface ShownFramework {
  readonly executors: readonly ShownExecutor[];
  readonly completed_executors: readonly ShownExecutor[];
}

function isExecutor(id: string): boolean {
  return id.startsWith('executor(');
}

function after(reported: readonly TaskState[]): string {
  return reported.length === 0 ? 'its launch' : reported.join();
}

describe('a task at its agent', () => {
  describe('that is launched', () => {
    for (const reported of before) {
      for (const state of progress) {
        it(`after ${after(reported)} goes on with ${state}`, async () => {
          await using bench = await Bench.launched(reported);
          const { uuid, isForwarded } = await bench.report(state);
          expect(isForwarded).to.equal(true);
          expect(bench.told, 'the executor need not repeat it').to.include(uuid);
          expect(await bench.shown()).to.deep.equal({ present: [state], past: [] });
        });
      }

      for (const state of TERMINAL_TASK_STATES) {
        it(`after ${after(reported)} ends with ${state}, and is history once that is acknowledged`, async () => {
          await using bench = await Bench.launched(reported, false);
          const { master, world } = bench.cluster;
          for (const update of master.updates) master.acknowledge(update);
          await world.advance('1ms');
          const { uuid, isForwarded } = await bench.report(state);
          expect(isForwarded).to.equal(true);
          expect(bench.told, 'the executor need not repeat it').to.include(uuid);
          expect(await bench.shown()).to.deep.equal({ present: [state], past: [] });
          for (const update of master.updates.slice(-1)) master.acknowledge(update);
          await world.advance('1ms');
          expect(await bench.shown()).to.deep.equal({ present: [], past: [state] });
        });
      }

      it(`after ${after(reported)} has its executor kill it, and waits for its word`, async () => {
        await using bench = await Bench.launched(reported);
        const { master, world } = bench.cluster;
        const count = master.updates.length;
        master.kill('t1');
        await world.advance('1ms');
        expect(bench.told).to.include(KillExecutorTask.name);
        expect(master.updates).to.have.length(count);
        expect((await bench.report('TASK_KILLED')).isForwarded).to.equal(true);
      });

      it(`after ${after(reported)} fails if its executor reports TASK_STAGING, which breaks the protocol`, async () => {
        await using bench = await Bench.launched(reported);
        const { isForwarded, uuid } = await bench.report('TASK_STAGING');
        expect(isForwarded).to.equal(false);
        expect(bench.told).to.include(ShutdownExecutor.name).and.not.include(uuid);
        await bench.cluster.world.advance('1ms');
        expect(bench.cluster.master.last('t1')?.status).to.include({
          state: 'TASK_FAILED',
          source: 'SOURCE_AGENT',
          reason: 'REASON_EXECUTOR_TERMINATED',
          message: 'Executor terminated',
        });
        expect(bench.cluster.runtime.processes.some(isExecutor)).to.equal(false);
      });

      it(`after ${after(reported)} is history at once when its framework is shut down`, async () => {
        await using bench = await Bench.launched(reported);
        const { master, world } = bench.cluster;
        const count = master.updates.length;
        master.shutdownFramework();
        await world.advance('1ms');
        expect(bench.told).to.include(ShutdownExecutor.name);
        expect(await bench.shown()).to.deep.equal({ present: [], past: [reported.at(-1) ?? 'TASK_STAGING'] });
        await world.advance('5mins');
        expect(master.updates).to.have.length(count);
      });
    }
  });

  describe('that has ended', () => {
    for (const state of ['TASK_STAGING', ...progress, ...TERMINAL_TASK_STATES] as const) {
      it(`lets its executor report ${state}, and tells nobody`, async () => {
        await using bench = await Bench.launched(['TASK_RUNNING'], true);
        const { master, world } = bench.cluster;
        await world.advance('1ms');
        master.acknowledges = false;
        await bench.report('TASK_FINISHED');
        const { uuid } = await bench.report(state);
        expect(bench.told, 'so that it does not repeat it').to.include(uuid);
        master.acknowledges = true;
        await world.advance('5mins');
        expect(master.states('t1')).to.deep.equal(['TASK_RUNNING', 'TASK_FINISHED']);
        expect(await bench.shown()).to.deep.equal({ present: [], past: ['TASK_FINISHED'] });
        const { uuid: late } = await bench.report(state);
        expect(bench.told, 'also when it is history').to.include(late);
      });
    }

    it('is not killed', async () => {
      await using bench = await Bench.launched([], false);
      await bench.report('TASK_FINISHED');
      bench.cluster.master.kill('t1');
      await bench.cluster.world.advance('1s');
      expect(bench.told).to.not.include(KillExecutorTask.name);
      expect(bench.cluster.master.states('t1')).to.deep.equal(['TASK_FINISHED']);
    });

    it('is history when its framework is shut down, acknowledged or not', async () => {
      await using bench = await Bench.launched([], false);
      const { master, world } = bench.cluster;
      await bench.report('TASK_FINISHED');
      master.shutdownFramework();
      await world.advance('1ms');
      expect(await bench.shown()).to.deep.equal({ present: [], past: ['TASK_FINISHED'] });
      const count = master.updates.length;
      await world.advance('5mins');
      expect(master.updates).to.have.length(count);
      expect((await bench.cluster.state())['frameworks']).to.deep.equal([]);
    });
  });

  describe('that is queued', () => {
    it('is history when its framework is shut down, and never runs', async () => {
      // Both orders come in one turn, before the sandbox can be there.
      await using cluster = await Cluster.registered({ simulation: { latency: [0, 0] } });
      const { master, world, children, runtime } = cluster;
      let isStarted = false;
      runtime.interceptor = ({ name }) => {
        isStarted ||= name === LaunchTask.name;
        return 'serve';
      };
      master.run(task);
      master.shutdownFramework();
      await world.advance('1mins');
      expect(isStarted).to.equal(false);
      expect(children.running).to.deep.equal([]);
      expect(master.updates).to.deep.equal([]);
      const state = await cluster.state();
      expect(state['frameworks']).to.deep.equal([]);
      expect(state).to.have.nested.property('completed_frameworks[0].completed_executors[0].id', 't1');
    });
  });
});
