import { expect } from 'chai';
import type { Runtime } from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';
import {
  AgentID,
  ExecutorID,
  OfferID,
  type OperationStatus,
  schedulerMessages,
  TaskID,
  UpdateUUID,
} from '@mezzo/protocol';
import { DriverError, type SchedulerEvent, schedulerEvents, type SchedulerEvents } from '@mezzo/frameworks';
import { FakeMaster } from './fake-master.ts';

const agentId = AgentID('a1');

describe('schedulerEvents', () => {
  let world: Simulation;
  let master: FakeMaster;
  let runtime: Runtime;
  beforeEach(async () => {
    world = new Simulation({ latency: [1, 5], onError: () => {} });
    master = FakeMaster.on(await world.start('master'));
    runtime = await world.start('framework');
  });
  afterEach(() => world.stop());

  const start = async (options: Partial<Parameters<typeof schedulerEvents>[1]> = {}): Promise<SchedulerEvents> => {
    const events = schedulerEvents(runtime, { cluster: 'test', framework: { name: 'test' }, ...options });
    await world.advance('100ms');
    return events;
  };
  /** Reads in the background; `seen` grows, and tells how the loop ended. */
  const read = (
    events: SchedulerEvents,
    body: (event: SchedulerEvent) => Promise<void> | void = () => {},
  ): string[] => {
    const seen: string[] = [];
    const loop = async (): Promise<void> => {
      for await (const event of events) {
        seen.push(event.type);
        await body(event);
      }
    };
    loop().then(
      () => seen.push('end'),
      (error: unknown) => seen.push(error instanceof DriverError ? error.code : String(error)),
    );
    return seen;
  };

  it('gives every kind of event in order, and ends with the driver', async () => {
    const seen = read(await start());
    const { term } = master;
    const executorId = ExecutorID('e');
    const status: OperationStatus = { operationId: 'op', state: 'OPERATION_FINISHED', agentId };
    master.offer('cpus:1');
    master.say(schedulerMessages.Rescind, { term, offerId: OfferID('o1') });
    master.say(schedulerMessages.InverseOffers, { term, inverseOffers: [] });
    master.say(schedulerMessages.RescindInverseOffer, { term, inverseOfferId: OfferID('i1') });
    master.update(TaskID('t'), 'TASK_RUNNING');
    master.say(schedulerMessages.UpdateOperation, { term, status });
    master.say(schedulerMessages.Failure, { term, agentId });
    master.say(schedulerMessages.Failure, { term, agentId, executorId, status: 0 });
    master.say(schedulerMessages.MessageFromExecutor, { term, agentId, executorId, data: Uint8Array.of(1) });
    await world.advance('20ms');
    world.crash('master');
    await world.advance('10s');
    master = FakeMaster.on(await world.start('master'), 2);
    await world.advance('5s');
    master.fail('Framework has been removed');
    await world.advance('20ms');
    expect(seen).to.deep.equal([
      'SUBSCRIBED',
      'OFFERS',
      'RESCIND',
      'INVERSE_OFFERS',
      'RESCIND_INVERSE_OFFER',
      'UPDATE',
      'UPDATE_OPERATION_STATUS',
      'FAILURE',
      'FAILURE',
      'MESSAGE',
      'DISCONNECTED',
      'SUBSCRIBED',
      'ERROR',
      'end',
    ]);
  });

  it('acknowledges an update when the loop asks for what comes after it', async () => {
    let release = (): void => {};
    const events = await start();
    read(events, ({ type }) => (type === 'UPDATE' ? new Promise((resolve) => (release = resolve)) : undefined));
    const uuid = UpdateUUID('01234567-89ab-4cde-8f01-23456789abcd');
    const update = master.update(TaskID('t'), 'TASK_RUNNING');
    const status: OperationStatus = { operationId: 'op', state: 'OPERATION_FINISHED', agentId, uuid };
    master.say(schedulerMessages.UpdateOperation, { term: master.term, status });
    await world.advance('1mins');
    expect(master.calls('Acknowledge')).to.deep.equal([]);
    release();
    await world.advance('20ms');
    expect(master.calls('Acknowledge').map((call) => call.uuid)).to.deep.equal([update.uuid]);
    expect(master.calls('AcknowledgeOperation').map((call) => call.uuid)).to.deep.equal([uuid]);
  });

  it('leaves acknowledgements to the loop when told so', async () => {
    const events = await start({ acknowledge: 'manual' });
    const seen = read(events);
    const status = master.update(TaskID('t'), 'TASK_RUNNING');
    await world.advance('20ms');
    expect(seen).to.include('UPDATE');
    expect(master.calls('Acknowledge')).to.deep.equal([]);
    events.driver.tell.acknowledge(status);
    await world.advance('20ms');
    expect(master.calls('Acknowledge')).to.have.length(1);
  });

  it('stops the driver when the loop is left, and does not acknowledge what it was left at', async () => {
    const events = await start();
    const left = (async () => {
      for await (const { type } of events) if (type === 'UPDATE') break;
    })();
    master.update(TaskID('t'), 'TASK_RUNNING');
    await world.advance('20ms');
    await left;
    expect(events.driver.receiver).to.have.property('ended', true);
    expect(master.calls('Acknowledge')).to.deep.equal([]);
    expect(master.calls('Teardown')).to.deep.equal([]);
  });

  it('fails, and stops the driver, when more events wait than the buffer holds', async () => {
    const events = await start({ buffer: 3 });
    master.offer('cpus:1');
    master.offer('cpus:1');
    await world.advance('20ms');
    expect(events.driver.receiver).to.have.property('ended', false);
    master.update(TaskID('t'), 'TASK_RUNNING');
    await world.advance('20ms');
    expect(events.driver.receiver).to.have.property('ended', true);
    const seen = read(events);
    await world.settle();
    expect(seen).to.deep.equal(['EVENTS_OVERFLOW']);
    expect(master.calls('Acknowledge')).to.deep.equal([]);
    expect(() => schedulerEvents(runtime, { cluster: 'c', framework: { name: 'n' }, buffer: 0 })).to.throw(RangeError);
  });

  it('fails when the driver crashes, ends when its node stops, and is read once', async () => {
    const crashed = await start();
    const seen = read(crashed);
    const again = read(crashed);
    runtime.dispatch(crashed.driver, () => {
      throw new Error('a bug');
    });
    await world.settle();
    expect([...seen, ...again]).to.deep.equal(['SUBSCRIBED', 'DRIVER_CRASHED', 'EVENTS_TAKEN']);
    const stopped = read(await start({ id: 'other' }));
    const stop = runtime.stop();
    await world.advance('1mins');
    await stop;
    expect(stopped).to.deep.equal(['SUBSCRIBED', 'end']);
  });
});
