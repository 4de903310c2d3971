import { expect } from 'chai';
import { Simulation } from '@mezzo/process/testing';
import { AnnouncementDetector, FrameworkID, type Offer, schedulerMessages, TaskID } from '@mezzo/protocol';
import { type SchedulerDriver, shellTask, startScheduler } from '@mezzo/frameworks';
import { FakeMaster } from './fake-master.ts';
import { launch, Recorder, stage } from './stage.ts';

describe('SchedulerDriver', () => {
  let world: Simulation;
  beforeEach(() => {
    world = new Simulation({ latency: [1, 5] });
  });
  afterEach(() => world.stop());

  describe('subscription', () => {
    it('finds the leader and subscribes', async () => {
      const { recorder, master } = await stage(world);
      expect(recorder.events).to.deep.equal(['subscribed f1']);
      expect(master.calls('Subscribe')[0]?.framework).to.include({
        name: 'test',
        failoverTimeout: 0,
        checkpoint: false,
      });
    });

    it('repeats an unanswered subscription with growing waits, and no more once answered', async () => {
      const master = FakeMaster.on(await world.start('master'));
      master.subscribes = false;
      startScheduler(await world.start('framework'), {
        cluster: 'test',
        framework: { name: 'test' },
        scheduler: new Recorder(),
        registrationBackoffFactor: '1s',
        registrationRetryIntervalMax: '4s',
      });
      await world.advance('30s');
      const times = master.times('Subscribe');
      const waits = times.slice(1).map((time, index) => time - (times[index] ?? 0));
      expect(waits.length).to.be.within(6, 12);
      for (const [index, wait] of waits.entries()) {
        const longest = Math.min(1000 * 2 ** index, 4000);
        expect(wait, `wait ${index}`).to.be.within(longest / 2 - 5, longest + 5);
      }
      master.subscribed();
      await world.advance('10s');
      expect(master.times('Subscribe')).to.have.length(times.length);
    });

    it('subscribes to the next leader under the same framework id', async () => {
      const { recorder, master } = await stage(world);
      world.crash('master');
      await world.advance('30s');
      expect(recorder.events).to.deep.equal(['subscribed f1', 'disconnected']);
      const next = FakeMaster.on(await world.start('master'), 2);
      await world.advance('5s');
      expect(recorder.events).to.deep.equal(['subscribed f1', 'disconnected', 'subscribed f1 again']);
      expect(next.calls('Subscribe')[0]?.framework.id).to.equal('f1');
      expect(master.calls('Subscribe')).to.have.length(1);
    });

    it('moves to a newer leader while the older one still lives', async () => {
      const { recorder } = await stage(world);
      const next = FakeMaster.on(await world.start('master-2'), 2);
      await world.advance('5s');
      expect(recorder.events).to.deep.equal(['subscribed f1', 'disconnected', 'subscribed f1 again']);
      expect(next.calls('Subscribe')).to.have.length(1);
    });

    it('subscribes again when the session to a living leader was lost', async () => {
      const { recorder, master } = await stage(world);
      world.network.partition('master', 'framework');
      await world.advance('30s');
      expect(recorder.events).to.deep.equal(['subscribed f1', 'disconnected']);
      world.network.heal('master', 'framework');
      await world.advance('1mins');
      expect(recorder.events.at(-1)).to.equal('subscribed f1 again');
      expect(master.calls('Subscribe').at(-1)?.framework.id).to.equal('f1');
    });

    it('subscribes again to a leader that the detector has never lost', async () => {
      const guide = await world.start('guide');
      const detector = guide.spawn(new AnnouncementDetector({ cluster: 'test' }));
      const { recorder } = await stage(world, { detector: guide.pid(detector.toString()) });
      world.network.partition('master', 'framework');
      await world.advance('30s');
      world.network.heal('master', 'framework');
      await world.advance('1mins');
      expect(recorder.events).to.deep.equal(['subscribed f1', 'disconnected', 'subscribed f1 again']);
    });

    it('comes back under an id of an earlier run and asks for all its tasks', async () => {
      const { recorder, master } = await stage(world, { framework: { name: 'test', id: FrameworkID('f1') } });
      expect(recorder.events).to.deep.equal(['subscribed f1 again']);
      expect(master.calls('Subscribe')[0]?.framework.id).to.equal('f1');
      expect(master.calls('Reconcile')).to.deep.equal([{ frameworkId: 'f1', tasks: [] }]);
    });

    it('ends after an error of the master', async () => {
      const { recorder, master, driver } = await stage(world);
      master.fail('Framework has been removed');
      await world.advance('1mins');
      expect(recorder.events).to.deep.equal(['subscribed f1', 'error Framework has been removed']);
      expect(driver.receiver).to.have.property('ended', true);
      expect(master.calls('Subscribe')).to.have.length(1);
    });
  });

  describe('events', () => {
    it('passes offers, rescinds and lost agents on', async () => {
      const { recorder, master } = await stage(world);
      const offer = master.offer('cpus:1');
      master.say(schedulerMessages.Rescind, { term: master.term, offerId: offer.id });
      master.say(schedulerMessages.Failure, { term: master.term, agentId: offer.agentId });
      await world.advance('10ms');
      expect(recorder.events.slice(1)).to.deep.equal(['offers o1', 'rescinded o1', 'failure a1']);
    });

    it('drops events of an older term than the newest it has heard', async () => {
      const { recorder, master } = await stage(world);
      master.offer('cpus:1', { term: { created: 1, revision: 7 } });
      master.offer('cpus:1', { term: { created: 1, revision: 6 } });
      master.offer('cpus:1', { term: { created: 1, revision: 7 } });
      await world.advance('10ms');
      expect(recorder.events.slice(1)).to.deep.equal(['offers o1', 'offers o3']);
    });

    it('drops events of anybody but the leader', async () => {
      const { recorder, driver } = await stage(world);
      const stranger = await world.start('stranger');
      const impostor = new FakeMaster(9);
      impostor.scheduler = stranger.pid(driver.address);
      stranger.spawn(impostor);
      // Its announcement must not be heard, or it would be the leader.
      world.network.partition('stranger', 'framework');
      await world.settle();
      world.network.heal('stranger', 'framework');
      impostor.offer('cpus:1');
      await world.advance('100ms');
      expect(recorder.events).to.deep.equal(['subscribed f1']);
    });
  });

  describe('acknowledgement', () => {
    it('acknowledges an update after the callback', async () => {
      const { recorder, master } = await stage(world);
      const { uuid } = master.update(TaskID('t'), 'TASK_RUNNING');
      await world.advance('20ms');
      expect(recorder.events.at(-1)).to.equal('t TASK_RUNNING');
      expect(master.calls('Acknowledge')).to.deep.equal([{ frameworkId: 'f1', agentId: 'a1', taskId: 't', uuid }]);
    });

    it('does not acknowledge what has no uuid', async () => {
      const { recorder, master } = await stage(world);
      master.masterUpdate(TaskID('t'), 'TASK_LOST', 'REASON_AGENT_REMOVED');
      await world.advance('20ms');
      expect(recorder.events.at(-1)).to.equal('t TASK_LOST');
      expect(master.calls('Acknowledge')).to.deep.equal([]);
    });

    it('acknowledges a repeated update again without showing it again', async () => {
      const { recorder, master } = await stage(world);
      const status = master.update(TaskID('t'), 'TASK_RUNNING');
      master.say(schedulerMessages.Update, { term: master.term, status });
      await world.advance('20ms');
      expect(recorder.statuses).to.have.length(1);
      expect(master.calls('Acknowledge')).to.have.length(2);
    });

    it('leaves it to the scheduler when told so, and repeats nothing that is not held', async () => {
      const { recorder, master, call } = await stage(world, { acknowledge: 'manual' });
      const status = master.update(TaskID('t'), 'TASK_FINISHED');
      master.say(schedulerMessages.Update, { term: master.term, status });
      await world.advance('20ms');
      expect(recorder.statuses).to.have.length(1);
      expect(master.calls('Acknowledge')).to.deep.equal([]);
      expect(await call((driver) => driver.acknowledge(status))).to.equal(true);
      await world.advance('20ms');
      expect(master.calls('Acknowledge')).to.have.length(1);
    });

    it('acknowledges at the next leader what it could not acknowledge at the last', async () => {
      const { recorder, master, call } = await stage(world, { acknowledge: 'manual' });
      const status = master.update(TaskID('t'), 'TASK_FINISHED');
      await world.advance('20ms');
      world.crash('master');
      await world.advance('10s');
      expect(await call((driver) => driver.acknowledge(status))).to.equal(false);
      const next = FakeMaster.on(await world.start('master'), 2);
      await world.advance('5s');
      next.say(schedulerMessages.Update, { term: next.term, status });
      await world.advance('20ms');
      expect(recorder.statuses).to.have.length(1);
      expect(next.calls('Acknowledge').map(({ uuid }) => uuid)).to.deep.equal([status.uuid]);
    });
  });

  describe('reconciliation', () => {
    it('asks for every open task after a change of leader, again and again until each is answered for', async () => {
      const here = await stage(world, { reconciliationBackoff: '1s' });
      here.master.offer('cpus:3');
      await world.advance('10ms');
      await launch(here, 'done', 'silent', 'running');
      here.master.update(TaskID('done'), 'TASK_FINISHED');
      here.master.update(TaskID('running'), 'TASK_RUNNING');
      await world.advance('10ms');
      const next = FakeMaster.on(await world.start('master-2'), 2);
      await world.advance('500ms');
      const asked = (): string[] =>
        next.calls('Reconcile').map(({ tasks }) => tasks.map(({ taskId }) => taskId).join(' '));
      expect(asked()).to.deep.equal(['silent running']);
      expect(next.calls('Reconcile')[0]?.tasks[0]).to.deep.equal({ taskId: 'silent', agentId: 'a1' });
      next.masterUpdate(TaskID('running'), 'TASK_RUNNING', 'REASON_RECONCILIATION');
      await world.advance('20s');
      expect(asked().length).to.be.within(4, 8);
      expect(new Set(asked().slice(1))).to.deep.equal(new Set(['silent']));
      next.masterUpdate(TaskID('silent'), 'TASK_LOST', 'REASON_RECONCILIATION');
      await world.advance('20ms');
      const count = asked().length;
      await world.advance('5mins');
      expect(asked()).to.have.length(count);
    });

    it('asks for its open tasks from time to time', async () => {
      const here = await stage(world, { reconciliationInterval: '10mins' });
      here.master.offer('cpus:1');
      await world.advance('10ms');
      await launch(here, 't');
      await world.advance('9mins');
      expect(here.master.calls('Reconcile')).to.deep.equal([]);
      await world.advance('61s');
      expect(here.master.calls('Reconcile')[0]?.tasks).to.deep.equal([{ taskId: 't', agentId: 'a1' }]);
    });
  });

  describe('calls', () => {
    it('launches tasks with the offer it accepts', async () => {
      const here = await stage(world);
      here.master.offer('cpus:1;mem:32');
      await world.advance('10ms');
      await launch(here, 't');
      const [accept] = here.master.calls('Accept');
      expect(accept?.offerIds).to.deep.equal(['o1']);
      const [operation] = accept?.operations ?? [];
      const [task] = operation?.type === 'LAUNCH' ? operation.tasks : [];
      expect(task).to.deep.include({ taskId: 't', name: 't', agentId: 'a1' });
    });

    it('declines an offer that is accepted without tasks', async () => {
      const { master, call, recorder } = await stage(world);
      master.offer('cpus:1');
      await world.advance('10ms');
      await call((driver) => driver.accept(recorder.held, [], { refuseSeconds: 60 }));
      await world.advance('10ms');
      expect(master.calls('Decline')).to.deep.equal([
        { frameworkId: 'f1', offerIds: ['o1'], filters: { refuseSeconds: 60 } },
      ]);
      expect(master.calls('Accept')).to.deep.equal([]);
    });

    it('SCHED-12 gives tasks that it cannot send back as lost, or dropped if the framework is partition aware', async () => {
      for (const [capabilities, state] of [
        [[], 'TASK_LOST'],
        [['PARTITION_AWARE'], 'TASK_DROPPED'],
      ] as const) {
        await using own = new Simulation();
        const here = await stage(own, { framework: { name: 'test', capabilities } });
        here.master.offer('cpus:1');
        await own.advance('10ms');
        own.crash('master');
        await own.advance('10s');
        await here.call((driver) =>
          driver.accept(here.recorder.held, [
            shellTask(here.recorder.held[0] as Offer, { id: 't', command: 'true', resources: [] }),
          ]),
        );
        await own.advance('10ms');
        expect(here.recorder.statuses.at(-1)).to.include({ taskId: 't', state, reason: 'REASON_MASTER_DISCONNECTED' });
      }
    });

    it('says which calls were not sent for want of a connection', async () => {
      const { call } = await stage(world);
      const all = (driver: SchedulerDriver): boolean[] => [
        driver.kill(TaskID('t'), { gracePeriod: '5s' }),
        driver.revive(),
        driver.suppress(['*']),
        driver.reconcile(),
      ];
      expect(await call(all)).to.deep.equal([true, true, true, true]);
      world.crash('master');
      await world.advance('10s');
      expect(await call(all)).to.deep.equal([false, false, false, false]);
    });

    it('tears the framework down, at the next leader if there is none now', async () => {
      const { call, driver } = await stage(world);
      world.crash('master');
      await world.advance('10s');
      await call((it) => it.teardown());
      expect(driver.receiver).to.have.property('ended', false);
      const next = FakeMaster.on(await world.start('master'), 2);
      await world.advance('5s');
      expect(next.calls('Teardown')).to.deep.equal([{ frameworkId: 'f1' }]);
      expect(driver.receiver).to.have.property('ended', true);
    });

    it('stops without a word, so that the tasks stay', async () => {
      const { call, driver, master } = await stage(world);
      await call((it) => it.stop());
      await world.advance('1s');
      expect(master.calls('Teardown')).to.deep.equal([]);
      expect(driver.receiver).to.have.property('ended', true);
    });
  });
});
