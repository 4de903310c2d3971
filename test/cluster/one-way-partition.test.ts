import { startAgent } from '@mezzo/agent';
import { withExitRecords } from '@mezzo/agent/testing';
import { Basket, shellTask, startScheduler } from '@mezzo/frameworks';
import { startMaster } from '@mezzo/master';
import { Simulation } from '@mezzo/process/testing';
import { expect } from 'chai';
import { Recorder } from '../../packages/frameworks/test/scheduler/stage.ts';

describe('a partition in one direction', () => {
  /** A master, an agent that runs one task, and its framework. */
  const start = async () => {
    const world = new Simulation({ latency: [1, 3], script: withExitRecords(() => ({})) });
    const master = await world.start('master');
    startMaster(master, { cluster: 'test' });
    await world.advance('100ms');
    startAgent(await world.start('agent'), {
      cluster: 'test',
      workDirectory: '/work-dir',
      resources: 'cpus:4;mem:1024',
    });
    const recorder = new Recorder();
    const runtime = await world.start('framework');
    const driver = startScheduler(runtime, {
      cluster: 'test',
      scheduler: recorder,
      framework: { name: 'framework', failoverTimeout: '1hrs', checkpoint: true, capabilities: ['PARTITION_AWARE'] },
    });
    const hasOffer = await world.advanceUntil(() => recorder.held.length > 0, '1mins');
    expect(hasOffer).to.equal(true);
    const [offer] = recorder.held;
    if (offer === undefined) throw new Error('no offer');
    const resources = new Basket(offer).take('cpus:1;mem:32') ?? [];
    runtime.dispatch(driver, (it) => it.accept(offer, [shellTask(offer, { id: 't', command: 'x', resources })]));
    await world.advance('5s');
    expect(recorder.events).to.include('t TASK_RUNNING');
    const state = async (): Promise<{
      readonly slaves: readonly { readonly id: string; readonly active: boolean }[];
      readonly frameworks: readonly {
        readonly connected: boolean;
        readonly tasks: readonly { readonly id: string }[];
      }[];
    }> => {
      const answer = master.http({ path: '/state' });
      await world.settle();
      const { body } = answer.get();
      return JSON.parse(typeof body === 'string' ? body : '') as Awaited<ReturnType<typeof state>>;
    };
    const running = (): number => world.machine('agent').children.running.length;
    return { world, recorder, state, running };
  };

  for (const [from, to] of [
    ['master', 'agent'],
    ['agent', 'master'],
  ] as const) {
    it(`PART-11 from ${from} to ${to} has the agent register again, with its task, as soon as it can`, async () => {
      const { world, recorder, state, running } = await start();
      await using _ = { [Symbol.asyncDispose]: () => world.stop() };
      const before = (await state()).slaves.map(({ id }) => id);
      world.network.partition(from, to, { oneWay: true });
      await world.advance('40s');
      expect((await state()).slaves.map(({ active }) => active)).to.deep.equal([false]);
      world.network.heal(from, to);
      await world.advance('1mins');
      const { slaves, frameworks } = await state();
      expect(slaves.map(({ id, active }) => [id, active])).to.deep.equal([[before[0], true]]);
      expect(frameworks.flatMap(({ tasks }) => tasks.map(({ id }) => id))).to.deep.equal(['t']);
      expect(running()).to.equal(1);
      expect(recorder.events.filter((event) => event.startsWith('t '))).to.deep.equal([
        't TASK_STARTING',
        't TASK_RUNNING',
      ]);
    });
  }

  for (const [from, to] of [
    ['master', 'framework'],
    ['framework', 'master'],
  ] as const) {
    it(`PART-11 from ${from} to ${to} is told to the scheduler, which subscribes again as soon as it can`, async () => {
      const { world, recorder, state, running } = await start();
      await using _ = { [Symbol.asyncDispose]: () => world.stop() };
      world.network.partition(from, to, { oneWay: true });
      await world.advance('40s');
      expect((await state()).frameworks.map(({ connected }) => connected)).to.deep.equal([false]);
      world.network.heal(from, to);
      await world.advance('2mins');
      expect((await state()).frameworks.map(({ connected }) => connected)).to.deep.equal([true]);
      const news = recorder.events.filter((event) => /subscribed|disconnected|error/.test(event));
      expect(news.map((event) => event.replace(/ \S+-\d+/, ''))).to.deep.equal([
        'subscribed',
        'disconnected',
        'subscribed again',
      ]);
      expect(running()).to.equal(1);
    });
  }
});
