import { expect } from 'chai';
import { Simulation } from '@mezzo/process/testing';
import {
  AgentID,
  ExecutorID,
  FrameworkID,
  type InverseOffer,
  OfferID,
  type OperationStatus,
  schedulerMessages,
  TaskID,
  UpdateUUID,
} from '@mezzo/protocol';
import { DriverError, launchGroup, reserve, type SchedulerDriver, shellTask } from '@mezzo/frameworks';
import { FakeMaster } from './fake-master.ts';
import { type Stage, stage } from './stage.ts';

const agentId = AgentID('a1');
const executorId = ExecutorID('e1');
const uuid = UpdateUUID('01234567-89ab-4cde-8f01-23456789abcd');
const finished: OperationStatus = { operationId: 'op', state: 'OPERATION_FINISHED', uuid, agentId };
const group = { executorId, type: 'DEFAULT' as const, resources: [] };

describe('SchedulerDriver beyond tasks', () => {
  let world: Simulation;
  let here: Stage;
  beforeEach(async () => {
    world = new Simulation({ latency: [1, 5] });
    here = await stage(world);
  });
  afterEach(() => world.stop());

  const offer = async (resources = 'cpus:1'): Promise<void> => {
    here.master.offer(resources);
    await world.advance('10ms');
  };
  const say = async (status: OperationStatus, master = here.master): Promise<void> => {
    master.say(schedulerMessages.UpdateOperation, { term: master.term, status });
    await world.advance('20ms');
  };
  /** Reserves the offers there are, as operation `op`. */
  const request = (): Promise<void> =>
    here.call((driver) => {
      const { held } = here.recorder;
      const [first] = held;
      if (first === undefined) throw new Error('no offer');
      driver.accept(held, [reserve(first, first.resources, { role: 'r', id: 'op' })]);
    });

  describe('operations', () => {
    it('are performed with the offers that are accepted, in their order', async () => {
      await offer();
      await here.call((driver) => {
        const [first] = here.recorder.held;
        if (first === undefined) throw new Error('no offer');
        const task = shellTask(first, { id: 't', command: 'true', resources: [] });
        driver.accept(first, [reserve(first, first.resources, { role: 'r' }), launchGroup(group, [task])], {
          refuseSeconds: 1,
        });
      });
      await world.advance('10ms');
      const [accept] = here.master.calls('Accept');
      expect(accept?.offerIds).to.deep.equal(['o1']);
      expect(accept?.filters).to.deep.equal({ refuseSeconds: 1 });
      expect(accept?.operations.map(({ type }) => type)).to.deep.equal(['RESERVE', 'LAUNCH_GROUP']);
    });

    it('are acknowledged after the callback; what comes twice is acknowledged twice and shown once', async () => {
      await offer();
      await request();
      await say(finished);
      await say(finished);
      expect(here.recorder.operations).to.deep.equal([finished]);
      const acknowledged = { frameworkId: 'f1', agentId, operationId: 'op', uuid };
      expect(here.master.calls('AcknowledgeOperation')).to.deep.equal([acknowledged, acknowledged]);
      const { uuid: _, ...reconciled } = finished;
      await say(reconciled);
      expect(here.recorder.operations).to.have.length(2);
      expect(here.master.calls('AcknowledgeOperation')).to.have.length(2);
    });

    it('are acknowledged by the scheduler when told so', async () => {
      await using own = new Simulation();
      const manual = await stage(own, { acknowledge: 'manual' });
      const { master } = manual;
      for (const _ of [1, 2]) master.say(schedulerMessages.UpdateOperation, { term: master.term, status: finished });
      await own.advance('20ms');
      expect(manual.recorder.operations).to.have.length(1);
      expect(master.calls('AcknowledgeOperation')).to.deep.equal([]);
      expect(await manual.call((driver) => driver.acknowledgeOperation(finished))).to.equal(true);
      await own.advance('20ms');
      expect(master.calls('AcknowledgeOperation')).to.have.length(1);
    });

    it('are asked for after a change of leader, again and again until each is answered for', async () => {
      await offer();
      await request();
      const next = FakeMaster.on(await world.start('master-2'), 2);
      await world.advance('20s');
      const asked = next.calls('ReconcileOperations');
      expect(asked.length).to.be.within(3, 6);
      expect(asked[0]).to.deep.equal({ frameworkId: 'f1', operations: [{ operationId: 'op', agentId }] });
      await say({ operationId: 'op', state: 'OPERATION_UNKNOWN', agentId }, next);
      await world.advance('40mins');
      expect(next.calls('ReconcileOperations')).to.have.length(asked.length);
    });

    it('of an earlier run of the framework are asked for, all of them', async () => {
      await using own = new Simulation();
      const { master } = await stage(own, { framework: { name: 'test', id: FrameworkID('f1') } });
      expect(master.calls('ReconcileOperations')).to.deep.equal([{ frameworkId: 'f1', operations: [] }]);
    });

    it('that cannot be sent come back as dropped, and the tasks of a group as lost', async () => {
      await offer();
      world.crash('master');
      await world.advance('10s');
      await here.call((driver) => {
        const [first] = here.recorder.held;
        if (first === undefined) throw new Error('no offer');
        const task = shellTask(first, { id: 't', command: 'true', resources: [] });
        driver.accept(first, [
          reserve(first, first.resources, { role: 'r', id: 'op' }),
          reserve(first, first.resources, { role: 'r' }),
          launchGroup(group, [task]),
        ]);
      });
      await world.settle();
      expect(here.recorder.events.slice(-2)).to.deep.equal(['op OPERATION_DROPPED', 't TASK_LOST']);
      expect(here.recorder.operations[0]).to.include({ agentId });
    });
  });

  it('passes on what is said of executors and maintenance', async () => {
    const { master, recorder } = here;
    const { term } = master;
    const inverse: InverseOffer = {
      id: OfferID('i1'),
      frameworkId: FrameworkID('f1'),
      agentId,
      unavailability: { start: 0 },
    };
    master.say(schedulerMessages.InverseOffers, { term, inverseOffers: [inverse] });
    master.say(schedulerMessages.RescindInverseOffer, { term, inverseOfferId: inverse.id });
    master.say(schedulerMessages.Failure, { term, agentId, executorId, status: 256 });
    master.say(schedulerMessages.MessageFromExecutor, {
      term,
      agentId,
      executorId,
      data: new TextEncoder().encode('hi'),
    });
    await world.advance('10ms');
    expect(recorder.events.slice(1)).to.deep.equal([
      'inverse offers i1',
      'inverse offer rescinded i1',
      'executor failed a1 e1 256',
      'message a1 e1 hi',
    ]);
    await here.call((driver) => {
      driver.acceptInverseOffers(recorder.asked, { refuseSeconds: 9 });
      driver.declineInverseOffers(inverse);
      driver.shutdownExecutor({ agentId, executorId });
      driver.sendToExecutor({ agentId, executorId }, Uint8Array.of(1, 2));
    });
    await world.advance('10ms');
    const frameworkId = 'f1';
    const inverseOfferIds = ['i1'];
    expect(master.calls('AcceptInverseOffers')).to.deep.equal([
      { frameworkId, inverseOfferIds, filters: { refuseSeconds: 9 } },
    ]);
    expect(master.calls('DeclineInverseOffers')).to.deep.equal([{ frameworkId, inverseOfferIds }]);
    expect(master.calls('ShutdownExecutor')).to.deep.equal([{ frameworkId, agentId, executorId }]);
    expect([...(master.calls('MessageToExecutor')[0]?.data ?? [])]).to.deep.equal([1, 2]);
  });

  it('says which calls were not sent for want of a connection', async () => {
    const all = (driver: SchedulerDriver): boolean[] => [
      driver.acceptInverseOffers([]),
      driver.declineInverseOffers([]),
      driver.acknowledgeOperation(finished),
      driver.reconcileOperations([{ operationId: 'op' }]),
      driver.shutdownExecutor({ agentId, executorId }),
      driver.sendToExecutor({ agentId, executorId }, Uint8Array.of()),
    ];
    expect(await here.call(all)).to.deep.equal([true, true, true, true, true, true]);
    world.crash('master');
    await world.advance('10s');
    expect(await here.call(all)).to.deep.equal([false, false, false, false, false, false]);
  });

  describe('suppressed roles', () => {
    const suppressedAtNext = async (number: number): Promise<readonly string[] | undefined> => {
      const next = FakeMaster.on(await world.start(`master-${number}`), number);
      await world.advance('5s');
      return next.calls('Subscribe')[0]?.suppressedRoles;
    };

    it('are said at every subscription, as they are by then', async () => {
      await here.call((driver) => driver.suppress());
      expect(here.master.calls('Subscribe')[0]?.suppressedRoles).to.deep.equal([]);
      expect(await suppressedAtNext(2)).to.deep.equal(['*']);
      await here.call((driver) => driver.revive(['*']));
      expect(await suppressedAtNext(3)).to.deep.equal([]);
      await here.call((driver) => driver.suppress(['*', 'not its own']));
      expect(await suppressedAtNext(4)).to.deep.equal(['*']);
      await here.call((driver) => driver.revive());
      expect(await suppressedAtNext(5)).to.deep.equal([]);
    });

    it('hold from the first subscription on, and may change without a connection', async () => {
      await using own = new Simulation();
      const framework = { name: 'test', roles: ['a', 'b'], capabilities: ['MULTI_ROLE'] };
      const { call, master } = await stage(own, { framework, suppressedRoles: ['a'] });
      expect(master.calls('Subscribe')[0]?.suppressedRoles).to.deep.equal(['a']);
      own.crash('master');
      await own.advance('10s');
      expect(await call((driver) => [driver.suppress(['b']), driver.revive(['a'])])).to.deep.equal([false, false]);
      const next = FakeMaster.on(await own.start('master'), 2);
      await own.advance('5s');
      expect(next.calls('Subscribe')[0]?.suppressedRoles).to.deep.equal(['b']);
    });
  });

  describe('an update of the framework', () => {
    it('holds for later subscriptions once the master has agreed, and keeps what it does not name', async () => {
      await here.call((driver) => driver.suppress());
      const changes = { roles: ['a'], failoverTimeout: '1mins' } as const;
      const updated = here.runtime.dispatch(here.driver, (driver) => driver.updateFramework(changes));
      await world.advance('20ms');
      expect(updated.isReady).to.equal(true);
      const [update] = here.master.updates;
      expect(update?.framework).to.deep.include({ id: 'f1', name: 'test', roles: ['a'], failoverTimeout: 60_000 });
      expect(update?.suppressedRoles).to.deep.equal([]);
      // One upon another.
      const more = await here.call((driver) => [
        driver.updateFramework({ name: 'n' }),
        driver.updateFramework({ user: 'u' }),
      ]);
      await world.advance('20ms');
      expect(more.map(({ isReady }) => isReady)).to.deep.equal([true, true]);
      const next = FakeMaster.on(await world.start('master-2'), 2);
      await world.advance('5s');
      expect(next.calls('Subscribe')[0]).to.deep.equal({
        framework: { ...update?.framework, name: 'n', user: 'u' },
        suppressedRoles: [],
      });
    });

    it('that the master refuses, or cannot hear, fails and changes nothing', async () => {
      here.master.refusal = 'no such thing';
      const failure = async (): Promise<readonly string[]> => {
        const updated = here.runtime.dispatch(here.driver, (it) => it.updateFramework({ name: 'n' }));
        await world.advance('20ms');
        const error = updated.failure();
        return error instanceof DriverError ? [error.code, error.message] : [];
      };
      expect(await failure()).to.deep.equal(['FRAMEWORK_REFUSED', 'no such thing']);
      world.crash('master');
      await world.advance('10s');
      expect(await failure()).to.include('NOT_CONNECTED');
      const next = FakeMaster.on(await world.start('master'), 2);
      await world.advance('5s');
      expect(next.calls('Subscribe')[0]?.framework.name).to.equal('test');
      const updated = here.runtime.dispatch(here.driver, (it) => it.updateFramework({ name: 'n' }));
      await world.settle();
      world.crash('master');
      await world.advance('10s');
      expect(updated.failure()).to.include({ code: 'NOT_CONNECTED' });
    });
  });

  it('treats an empty id as none', async () => {
    await using own = new Simulation();
    const { recorder } = await stage(own, { framework: { name: 'test', id: '' as FrameworkID } });
    expect(recorder.events).to.deep.equal(['subscribed f1']);
  });

  it('does not open what it only hears of', async () => {
    here.master.masterUpdate(TaskID('t'), 'TASK_FINISHED', 'REASON_RECONCILIATION');
    await say({ operationId: 'op', state: 'OPERATION_FAILED' });
    const next = FakeMaster.on(await world.start('master-2'), 2);
    await world.advance('5s');
    expect(next.calls('Reconcile')).to.deep.equal([]);
    expect(next.calls('ReconcileOperations')).to.deep.equal([]);
  });
});
