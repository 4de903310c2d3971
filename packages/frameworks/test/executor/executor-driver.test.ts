import { expect } from 'chai';
import type { LocalPID } from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';
import { executorMessages, TaskID } from '@mezzo/protocol';
import {
  type Executor,
  type ExecutorDriver,
  executorEnvironment,
  type ExecutorOptions,
  type ExecutorStatus,
  startExecutor,
} from '@mezzo/frameworks';
import { executorId, FakeAgent, frameworkId } from './fake-agent.ts';

/** Keeps what it hears, one line per event. */
class Recorder implements Executor {
  readonly events: string[] = [];
  registered: Executor['registered'] = (_, { agentId, containerId, executor, framework, agent }) =>
    void this.events.push(
      `registered ${agentId} ${containerId} ${executor.executorId} ${framework.name} ${agent.hostname}`,
    );
  reregistered: Executor['reregistered'] = (_, { agentId }) => void this.events.push(`reregistered ${agentId}`);
  disconnected: Executor['disconnected'] = () => void this.events.push('disconnected');
  launch: Executor['launch'] = (_, { taskId }, sandbox) => void this.events.push(`launch ${taskId} ${sandbox}`);
  launchGroup: Executor['launchGroup'] = (_, tasks, sandbox) =>
    void this.events.push(`group ${tasks.map(({ taskId }) => taskId).join(' ')} ${sandbox}`);
  kill: Executor['kill'] = (_, taskId, gracePeriod) => void this.events.push(`kill ${taskId} ${gracePeriod}`);
  message: Executor['message'] = (_, data) => void this.events.push(`message ${new TextDecoder().decode(data)}`);
  shutdown: Executor['shutdown'] = () => void this.events.push('shutdown');
  error: Executor['error'] = (_, message) => void this.events.push(`error ${message}`);
}

interface Stage {
  readonly agent: FakeAgent;
  readonly recorder: Recorder;
  readonly driver: LocalPID<ExecutorDriver>;
  readonly hasEnded: () => boolean;
}

describe('ExecutorDriver', () => {
  let world: Simulation;
  beforeEach(() => {
    world = new Simulation({ latency: [1, 5] });
  });
  afterEach(() => world.stop());

  async function stage(
    { checkpoint = true, agent = {}, ...options }: StageOptions = {},
    more: Partial<Recorder> = {},
  ): Promise<Stage> {
    const runtime = await world.start('executor');
    const environment = executorEnvironment({
      MESOS_FRAMEWORK_ID: frameworkId,
      MESOS_EXECUTOR_ID: executorId,
      MEZZO_AGENT: 'agent@agent',
      MESOS_CHECKPOINT: checkpoint ? '1' : '0',
      MESOS_EXECUTOR_SHUTDOWN_GRACE_PERIOD: '7secs',
    });
    const fake = FakeAgent.on(await world.start('agent'), agent);
    const recorder = Object.assign(new Recorder(), more);
    const driver = startExecutor(runtime, { environment, executor: recorder, ...options });
    await world.advance('100ms');
    return {
      agent: fake,
      recorder,
      driver,
      hasEnded: () => world.runtime('executor')?.living.find(driver) === undefined,
    };
  }
  type StageOptions = Partial<ExecutorOptions> & {
    readonly checkpoint?: boolean;
    readonly agent?: Parameters<typeof FakeAgent.on>[1];
  };

  const update = (driver: LocalPID<ExecutorDriver>, id: string, state: ExecutorStatus['state']): void =>
    driver.tell.update({ taskId: TaskID(id), state });
  /** The agent's node dies, and comes back under the same address. */
  const replaceAgent = async (away: '30s' | '14mins' | '16mins' = '30s'): Promise<FakeAgent> => {
    world.crash('agent');
    await world.advance(away);
    const next = FakeAgent.on(await world.start('agent'));
    return next;
  };

  describe('registration', () => {
    it('is answered with who and where the executor is', async () => {
      const { recorder, driver } = await stage();
      expect(recorder.events).to.deep.equal(['registered a1 c1 e1 f host']);
      const state = await driver.asking({}).now();
      expect(state).to.be.greaterThan(0);
    });

    it('is repeated with growing waits until it is answered, and answered once', async () => {
      const { recorder, agent } = await stage({
        agent: { answers: false },
        registrationBackoff: '1s',
        registrationRetryIntervalMax: '4s',
      });
      await world.advance('30s');
      const times = agent.registrations;
      const waits = times.slice(1).map((time, index) => time - (times[index] ?? 0));
      expect(waits.length).to.be.within(6, 12);
      for (const [index, wait] of waits.entries()) {
        const longest = Math.min(1000 * 2 ** index, 4000);
        expect(wait, `wait ${index}`).to.be.within(longest / 2 - 5, longest + 5);
      }
      agent.registered();
      agent.registered();
      await world.advance('10s');
      expect(agent.registrations).to.have.length(times.length);
      expect(recorder.events).to.have.length(1);
    });

    it('is with the agent and nobody else', async () => {
      const { recorder, driver, agent } = await stage({ agent: { answers: false } });
      const stranger = await world.start('stranger');
      const impostor = FakeAgent.on(stranger);
      impostor.executor = stranger.pid(driver.address);
      impostor.registered();
      impostor.say(executorMessages.ShutdownExecutor, {});
      await world.advance('10ms');
      expect(recorder.events).to.deep.equal([]);
      agent.registered();
      await world.advance('10ms');
      impostor.launch('t');
      impostor.reconnect(impostor.executor);
      await world.advance('10ms');
      expect(recorder.events).to.have.length(1);
    });
  });

  describe('what the agent says', () => {
    it('reaches the callbacks', async () => {
      const { recorder, agent } = await stage();
      agent.launch('t');
      agent.launchGroup('u', 'v');
      agent.say(executorMessages.KillExecutorTask, { taskId: TaskID('t'), gracePeriod: 50 });
      agent.say(executorMessages.KillExecutorTask, { taskId: TaskID('u') });
      agent.say(executorMessages.FrameworkToExecutor, { data: new TextEncoder().encode('hi') });
      await world.advance('10ms');
      expect(recorder.events.slice(1)).to.deep.equal([
        'launch t /sandbox/t',
        'group u v /sandbox',
        'kill t 50',
        'kill u undefined',
        'message hi',
      ]);
    });

    it('fails the tasks of a group if the executor runs none', async () => {
      const { agent } = await stage({}, { launchGroup: undefined });
      agent.launchGroup('u', 'v');
      await world.advance('20ms');
      expect(agent.told).to.deep.equal(['u TASK_FAILED', 'v TASK_FAILED']);
    });
  });

  describe('updates', () => {
    it('say who sent them, and are not repeated once acknowledged', async () => {
      const { agent, driver } = await stage();
      driver.tell.update({ taskId: TaskID('t'), state: 'TASK_RUNNING', message: 'm', healthy: true });
      await world.advance('1mins');
      const [status, ...others] = agent.updates;
      expect(others).to.deep.equal([]);
      expect(status).to.deep.include({ taskId: 't', state: 'TASK_RUNNING', source: 'SOURCE_EXECUTOR', message: 'm' });
      expect(status).to.include({ agentId: 'a1', executorId: 'e1', healthy: true });
      expect(status?.timestamp).to.be.greaterThan(0);
    });

    it('are sent again with their uuid, in order, until the agent acknowledges them', async () => {
      const { agent, driver } = await stage({ agent: { acknowledges: false } });
      update(driver, 't', 'TASK_STARTING');
      update(driver, 't', 'TASK_RUNNING');
      await world.advance('11s');
      expect(agent.told).to.deep.equal(['t TASK_STARTING', 't TASK_RUNNING', 't TASK_STARTING', 't TASK_RUNNING']);
      expect(new Set(agent.updates.map(({ uuid }) => uuid)).size).to.equal(2);
      const [first, second] = agent.updates;
      if (first !== undefined) agent.acknowledge(first);
      await world.advance('10s');
      expect(agent.told.slice(4)).to.deep.equal(['t TASK_RUNNING']);
      if (second !== undefined) agent.acknowledge(second);
      await world.advance('1mins');
      expect(agent.updates).to.have.length(5);
    });

    it('that were made before the registration are sent after it', async () => {
      const { agent, driver } = await stage({ agent: { answers: false } });
      update(driver, 't', 'TASK_RUNNING');
      await world.advance('30s');
      expect(agent.updates).to.deep.equal([]);
      agent.registered();
      await world.advance('20ms');
      expect(agent.told).to.deep.equal(['t TASK_RUNNING']);
      expect(agent.updates[0]).to.include({ agentId: 'a1' });
    });
  });

  describe('messages to the scheduler', () => {
    it('are sent while there is an agent', async () => {
      const { agent, driver } = await stage();
      const runtime = world.runtime('executor');
      const send = async (): Promise<boolean | undefined> => {
        const sent = runtime?.dispatch(driver, (it) => it.sendToScheduler(new TextEncoder().encode('hi')));
        await world.advance('20ms');
        return sent?.get();
      };
      expect(await send()).to.equal(true);
      expect(agent.messages).to.deep.equal(['hi']);
      world.crash('agent');
      await world.advance('30s');
      expect(await send()).to.equal(false);
    });
  });

  describe('when the agent ends', () => {
    it('an executor that does not checkpoint shuts down at once', async () => {
      const { recorder, hasEnded } = await stage({ checkpoint: false });
      world.crash('agent');
      await world.advance('6s');
      expect(recorder.events.slice(1, 2)).to.deep.equal(['disconnected']);
      expect(recorder.events[2]).to.match(/^error The agent is gone .* does not checkpoint$/);
      expect(recorder.events.slice(3)).to.deep.equal(['shutdown']);
      await world.advance('10s');
      expect(hasEnded()).to.equal(true);
    });

    it('one that does goes on, and registers again with what was not acknowledged', async () => {
      const { recorder, agent, driver } = await stage();
      agent.launch('known', 'new');
      await world.advance('10ms');
      update(driver, 'known', 'TASK_RUNNING');
      await world.advance('20ms');
      agent.acknowledges = false;
      update(driver, 'new', 'TASK_STARTING');
      await world.advance('20ms');
      world.crash('agent');
      update(driver, 'new', 'TASK_RUNNING');
      await world.advance('30s');
      const next = FakeAgent.on(await world.start('agent'));
      await world.advance('40s');
      expect(recorder.events.slice(3)).to.deep.equal(['disconnected', 'reregistered a1']);
      const [again] = next.reregistrations;
      expect(again).to.include({ frameworkId, executorId });
      expect(again?.tasks.map(({ taskId }) => taskId)).to.deep.equal(['new']);
      expect(again?.updates.map(({ taskId, state }) => `${taskId} ${state}`)).to.deep.equal([
        'new TASK_STARTING',
        'new TASK_RUNNING',
      ]);
      expect(again?.updates.map(({ agentId }) => agentId)).to.deep.equal(['a1', 'a1']);
      expect(next.told).to.deep.equal(['new TASK_STARTING', 'new TASK_RUNNING']);
      expect(next.registrations).to.deep.equal([]);
      // And it works for the new one now.
      next.launch('more');
      await world.advance('10ms');
      expect(recorder.events.at(-1)).to.equal('launch more /sandbox/more');
    });

    it('it registers again at once when the agent asks it to, also if it has not heard of its end', async () => {
      const { recorder, agent, driver } = await stage();
      agent.answers = false;
      const executor = driver.address;
      world.crash('agent');
      const runtime = await world.start('agent');
      const next = FakeAgent.on(runtime);
      next.reconnect(runtime.pid(executor));
      await world.advance('100ms');
      expect(recorder.events.slice(1)).to.deep.equal(['disconnected', 'reregistered a1']);
      expect(next.reregistrations).to.have.length(1);
      // The old one's end is no news.
      await world.advance('1mins');
      expect(recorder.events).to.have.length(3);
    });

    it('it registers again when the agent asks it to that it is registered with', async () => {
      const { recorder, agent, driver } = await stage();
      agent.reconnect(driver);
      await world.advance('1mins');
      expect(recorder.events.slice(1)).to.deep.equal(['disconnected', 'reregistered a1']);
      expect(agent.reregistrations).to.have.length(1);
    });

    it('it registers again with an agent that has never gone, when the session to it broke', async () => {
      const { recorder, agent } = await stage();
      world.network.partition('agent', 'executor');
      await world.advance('30s');
      world.network.heal('agent', 'executor');
      await world.advance('1mins');
      expect(recorder.events.slice(1)).to.deep.equal(['disconnected', 'reregistered a1']);
      expect(agent.reregistrations.length).to.be.greaterThan(0);
    });

    it('it waits for the recovery timeout, and shuts down after that', async () => {
      const { recorder, hasEnded } = await stage();
      const back = await replaceAgent('14mins');
      await world.advance('1mins');
      expect(back.reregistrations).to.have.length(1);
      expect(recorder.events.at(-1)).to.equal('reregistered a1');
      // The time is counted anew.
      const again = await replaceAgent('14mins');
      await world.advance('1mins');
      expect(again.reregistrations).to.have.length(1);
      const late = await replaceAgent('16mins');
      await world.advance('1mins');
      expect(recorder.events.slice(-2)).to.deep.equal([
        'error No agent has come back within the recovery timeout of 900000 ms',
        'shutdown',
      ]);
      expect(late.reregistrations).to.deep.equal([]);
      expect(hasEnded()).to.equal(true);
    });

    it('before it was registered, it goes on asking as long', async () => {
      const { recorder } = await stage({ agent: { answers: false } });
      const next = await replaceAgent();
      await world.advance('20s');
      expect(next.registrations.length).to.be.greaterThan(0);
      expect(recorder.events).to.deep.equal(['registered a1 c1 e1 f host']);
    });
  });

  describe('the end', () => {
    it('comes after the grace period when the agent shuts the executor down', async () => {
      const { recorder, agent, hasEnded, driver } = await stage();
      agent.say(executorMessages.ShutdownExecutor, {});
      agent.say(executorMessages.ShutdownExecutor, {});
      agent.launch('late');
      await world.advance('6s');
      expect(recorder.events.slice(1)).to.deep.equal(['shutdown']);
      expect(hasEnded()).to.equal(false);
      update(driver, 't', 'TASK_KILLED');
      await world.advance('20ms');
      expect(agent.told).to.deep.equal(['t TASK_KILLED']);
      await world.advance('1s');
      expect(hasEnded()).to.equal(true);
    });

    it('comes as soon as every update is acknowledged when the executor stops', async () => {
      const { agent, hasEnded, driver } = await stage({ agent: { acknowledges: false } });
      update(driver, 't', 'TASK_FINISHED');
      driver.tell.stop();
      await world.advance('30s');
      expect(hasEnded()).to.equal(false);
      agent.launch('late');
      const [status] = agent.updates;
      if (status !== undefined) agent.acknowledge(status);
      await world.advance('20ms');
      expect(hasEnded()).to.equal(true);
    });

    it('comes at once when nothing is open, and after a minute if nobody acknowledges', async () => {
      const { hasEnded, driver } = await stage();
      driver.tell.stop();
      await world.settle();
      expect(hasEnded()).to.equal(true);
      for (const node of ['executor', 'agent']) world.crash(node);
      const other = await stage({ agent: { acknowledges: false } });
      update(other.driver, 't', 'TASK_FINISHED');
      other.driver.tell.stop();
      await world.advance('59s');
      expect(other.hasEnded()).to.equal(false);
      await world.advance('2s');
      expect(other.hasEnded()).to.equal(true);
    });

    it('takes no new tasks in once the executor stops', async () => {
      const { agent, driver, recorder } = await stage({ agent: { acknowledges: false } });
      update(driver, 't', 'TASK_FINISHED');
      driver.tell.stop();
      agent.launch('late');
      agent.launchGroup('late');
      await world.advance('20ms');
      expect(recorder.events).to.have.length(1);
    });
  });
});
