import { type SchedulerOptions, startScheduler } from '@mezzo/frameworks';
import type { Leader } from '@mezzo/protocol';
import { expect } from 'chai';
import { FakeDetector } from '../../packages/agent/test/fake-detector.ts';
import { Recorder } from '../../packages/frameworks/test/scheduler/stage.ts';
import { TestCluster } from '../../packages/master/test/cluster.ts';

describe('a scheduler whose leader is gone', () => {
  let cluster: TestCluster;
  let recorder: Recorder;
  beforeEach(async () => {
    cluster = await TestCluster.start({ exploded: false });
    recorder = new Recorder();
  });
  afterEach(() => cluster[Symbol.asyncDispose]());

  const options = (): SchedulerOptions => ({
    cluster: 'mezzo',
    scheduler: recorder,
    framework: { name: 'f', failoverTimeout: '1hrs' },
  });

  it('MASTER-31 is told so when the leader is killed', async () => {
    startScheduler(await cluster.world.start('framework'), options());
    await cluster.advance('1s');
    expect(recorder.events).to.have.length(1);
    cluster.world.crash('master');
    await cluster.advance('1mins');
    expect(recorder.events.slice(1)).to.deep.equal(['disconnected']);
    expect(recorder.driver?.connected).to.equal(false);
  });

  it('MASTER-31 is told so when it cannot be known any more who leads, and subscribes to whoever leads then', async () => {
    const detector = new FakeDetector('detector');
    const runtime = await cluster.world.start('framework');
    startScheduler(runtime, { ...options(), detector: runtime.spawn(detector) });
    await cluster.advance('1s');
    const term = { created: 1_704_067_200_000, revision: 1 };
    const leader: Leader = { cluster: 'mezzo', address: cluster.leader.address, term, url: '' };
    const found = async (now: Leader | undefined): Promise<readonly string[]> => {
      const before = recorder.events.length;
      expect(detector.elect(now)).to.equal(true);
      await cluster.advance('1mins');
      return recorder.events.slice(before).map((event) => event.replace(/ \S+-0000/, ''));
    };
    expect(await found(leader)).to.deep.equal(['subscribed']);
    expect(await found(undefined)).to.deep.equal(['disconnected']);
    expect(recorder.driver?.connected).to.equal(false);
    expect(await found(leader)).to.deep.equal(['subscribed again']);
  });
});
