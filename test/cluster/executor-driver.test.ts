import { startAgent } from '@mezzo/agent';
import {
  Basket,
  type Executor,
  executorEnvironment,
  type ExecutorReference,
  type Scheduler,
  startExecutor,
  startScheduler,
} from '@mezzo/frameworks';
import { startMaster } from '@mezzo/master';
import { Simulation } from '@mezzo/process/testing';
import { ExecutorID, TaskID } from '@mezzo/protocol';
import { expect } from 'chai';

describe('an executor of a framework’s own', () => {
  it('registers with the agent that started it, runs its tasks, talks with its scheduler, and ends when told to', async () => {
    const environments: Readonly<Record<string, string | undefined>>[] = [];
    await using world = new Simulation({
      latency: [1, 5],
      script: ({ environment }) => {
        environments.push(environment);
        return { duration: '1hrs' };
      },
    });
    startMaster(await world.start('master'), { cluster: 'sim' });
    const agent = startAgent(await world.start('agent'), {
      cluster: 'sim',
      workDirectory: '/work',
      resources: 'cpus:4;mem:512',
    });
    expect(await world.advanceUntil(() => agent.isReady, '10s')).to.equal(true);

    const heard: string[] = [];
    const executorId = ExecutorID('e');
    let executor: ExecutorReference | undefined;
    let launched = 0;
    const scheduler: Scheduler = {
      offers(driver, offers) {
        for (const offer of offers) {
          const resources = new Basket(offer).take('cpus:1;mem:32');
          if (resources === undefined || launched === 2) {
            driver.decline(offer);
            continue;
          }
          executor = { agentId: offer.agentId, executorId };
          const command = { value: 'my-executor', shell: true, arguments: [], environment: {} };
          const info = { executorId, type: 'CUSTOM' as const, command, resources: [] };
          const taskId = TaskID(`t${launched++}`);
          const task = { taskId, name: taskId, agentId: offer.agentId, resources, executor: info };
          driver.accept(offer, [task], { refuseSeconds: 0 });
        }
      },
      update: (_, { taskId, state }) => void heard.push(`${taskId} ${state}`),
      message: (_, { data }) => void heard.push(`message ${new TextDecoder().decode(data)}`),
      executorFailed: (_, failure) => void heard.push(`executor ${failure.executorId} ended`),
    };
    const framework = await world.start('framework');
    const driver = startScheduler(framework, { cluster: 'sim', framework: { name: 'f' }, scheduler });
    expect(
      await world.advanceUntil(() => environments.some((one) => one['MEZZO_AGENT'] !== undefined), '20s'),
    ).to.equal(true);

    // What the program would do that the agent has started.
    const program: Executor = {
      launch: (it, { taskId }) => it.update({ taskId, state: 'TASK_RUNNING' }),
      kill: (it, taskId) => it.update({ taskId, state: 'TASK_KILLED' }),
      message: (it, data) => void it.sendToScheduler(data),
      shutdown: (it) => it.stop(),
    };
    const variables = environments.find((one) => one['MEZZO_AGENT'] !== undefined) ?? {};
    const place = await world.start('executor');
    const mine = startExecutor(place, { environment: executorEnvironment(variables), executor: program });
    await world.advance('10s');
    expect(heard).to.include.members(['t0 TASK_RUNNING', 't1 TASK_RUNNING']);
    framework.dispatch(driver, (it) => {
      if (executor !== undefined) it.sendToExecutor(executor, new TextEncoder().encode('hi'));
      it.kill(TaskID('t0'));
    });
    await world.advance('5s');
    expect(heard.slice(2)).to.have.members(['message hi', 't0 TASK_KILLED']);
    framework.dispatch(driver, (it) => executor !== undefined && it.shutdownExecutor(executor));
    await world.advance('30s');
    expect(mine.receiver).to.have.property('ended', true);
    expect(heard.slice(4)).to.have.members(['t1 TASK_FAILED', 'executor e ended']);
  });
});
