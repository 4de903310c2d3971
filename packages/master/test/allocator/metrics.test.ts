import { expect } from 'chai';
import { advance } from '@mezzo/process/testing';
import { DrfSorter, type Placement, type SorterFactory } from '@mezzo/master';
import { AllocatorWorld } from './allocator-world.ts';

describe('the allocator’s metrics', () => {
  it('ALLOC-53 tell totals and what is offered or allocated, also before there is a master', async () => {
    await using setting = await AllocatorWorld.start();
    const { master } = setting;
    for (const name of ['cpus', 'mem', 'disk']) {
      expect(await setting.metric(`resources/${name}/total`)).to.equal(0);
      expect(await setting.metric(`resources/${name}/offered_or_allocated`)).to.equal(0);
    }
    expect(await setting.metric('allocation_runs')).to.equal(0);
    master.begin();
    master.framework('f', ['r']);
    master.agent('a', 'cpus:2;mem:1024;gpus:1;ports:[1-3]');
    master.agent('b', 'cpus:1;cpus{REV}:2');
    expect(await setting.metric('resources/cpus/total')).to.equal(5);
    expect(await setting.metric('resources/mem/total')).to.equal(1024);
    expect(await setting.metric('resources/gpus/total')).to.equal(1);
    expect(await setting.metric('resources/ports/total')).to.equal(undefined);
    expect(await setting.metric('resources/cpus/offered_or_allocated')).to.equal(1);
    expect(await setting.metric('resources/mem/offered_or_allocated')).to.equal(0);
    master.removeAgent('b');
    expect(await setting.metric('resources/cpus/total')).to.equal(2);
    expect(await setting.metric('resources/cpus/offered_or_allocated')).to.equal(0);
  });

  it('ALLOC-53 count runs, and time them and how long they wait', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    const timers = ['allocation_run_ms', 'allocation_run_latency_ms'];
    for (const timer of timers) expect(await setting.metric(`${timer}/count`)).to.equal(undefined);
    master.begin();
    await world.settle();
    master.framework('f');
    await world.settle();
    expect(await setting.metric('allocation_runs')).to.equal(1);
    // What comes together is one run.
    await world.advance('1ms');
    master.agent('a', 'cpus:1');
    master.agent('b', 'cpus:1');
    await world.settle();
    expect(await setting.metric('allocation_runs')).to.equal(2);
    await world.advance('3s');
    expect(await setting.metric('allocation_runs')).to.equal(5);
    for (const timer of timers) {
      expect(await setting.metric(timer)).to.equal(0);
      expect(await setting.metric(`${timer}/count`)).to.equal(5);
      expect(await setting.metric(`${timer}/p99`)).to.equal(0);
    }
  });

  it('ALLOC-53 tell how long runs took, and how long the first who wanted one had waited', async () => {
    // In virtual time: milliseconds that pass when a role comes, and in each run.
    const costs = { role: 0, run: 0 };
    const spend = (milliseconds: number): void => advance(setting.allocator, milliseconds);
    const roleSorter: SorterFactory = (options) => {
      const drf = new DrfSorter(options);
      const add = drf.add.bind(drf);
      drf.add = (client) => {
        add(client);
        spend(costs.role);
      };
      return drf;
    };
    const placement: Placement = (candidates) => {
      spend(costs.run);
      return candidates;
    };
    await using setting = await AllocatorWorld.start({ roleSorter, placement });
    const { master, world } = setting;
    master.begin();
    const told = async (timer: string): Promise<unknown> =>
      Promise.all(['', '/count', '/min', '/max', '/p50'].map((what) => setting.metric(`${timer}${what}`)));
    Object.assign(costs, { role: 20, run: 7 });
    master.framework('f1', ['r1']);
    await world.settle();
    expect(await setting.metric('allocation_run_ms')).to.equal(7);
    expect(await setting.metric('allocation_run_latency_ms')).to.equal(0);
    // Both are told before the run that the first has asked for, so that this waits for the second.
    Object.assign(costs, { role: 40, run: 3 });
    master.framework('f2', ['r2']);
    master.framework('f3', ['r3']);
    await world.settle();
    expect(await told('allocation_run_ms')).to.deep.equal([3, 2, 3, 7, 5]);
    expect(await told('allocation_run_latency_ms')).to.deep.equal([40, 2, 0, 40, 20]);
    expect(await setting.metric('allocation_run_ms/p99')).to.be.within(6.9, 7);
    expect(await setting.metric('allocation_run_latency_ms/p99')).to.be.within(39, 40);
  });

  it('ALLOC-53 tell guarantees, limits and what is had of them by role, as long as it has a quota', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    master.quota('r', 'cpus:2;mem:1024', 'cpus:3;gpus:0');
    const quotas = async (): Promise<Record<string, number>> => {
      const prefix = 'allocator/mesos/quota/roles/';
      const all = [...(await setting.metrics())].filter(([name]) => name.startsWith(prefix));
      return Object.fromEntries(
        all.map(([name, value]) => [name.slice(prefix.length).replace('/resources', ''), value]),
      );
    };
    const none = { consumed: 0, offered_or_allocated: 0 };
    const under = (values: Record<string, Record<string, number>>): Record<string, number> =>
      Object.fromEntries(
        Object.entries(values).flatMap(([name, own]) =>
          Object.entries(own).map(([what, value]) => [`r/${name}/${what}`, value]),
        ),
      );
    expect(await quotas()).to.deep.equal(
      under({
        cpus: { guarantee: 2, limit: 3, ...none },
        mem: { guarantee: 1024, ...none },
        gpus: { guarantee: 0, limit: 0, ...none },
      }),
    );
    master.framework('f', ['r']);
    master.agent('a', 'cpus:1;mem:512');
    await world.settle();
    expect(await quotas()).to.deep.include({ 'r/cpus/offered_or_allocated': 1, 'r/cpus/consumed': 0 });
    const entry = master.one();
    master.launch(entry);
    expect(await quotas()).to.deep.include({ 'r/cpus/offered_or_allocated': 1, 'r/cpus/consumed': 1 });
    master.finish(entry);
    master.suppress('f');
    expect(await quotas()).to.deep.include({ 'r/cpus/offered_or_allocated': 0, 'r/cpus/consumed': 0 });
    master.quota('r', 'disk:5');
    expect(await quotas()).to.deep.equal(under({ disk: { guarantee: 5, ...none } }));
    master.quota('r', '');
    expect(await quotas()).to.deep.equal({});
  });

  it('ALLOC-53 tell filters and the dominant share by role, as long as it has frameworks', async () => {
    await using setting = await AllocatorWorld.start();
    const { master, world } = setting;
    master.begin();
    const filters = async (role: string): Promise<number | undefined> =>
      setting.metric(`offer_filters/roles/${encodeURIComponent(role)}/active`);
    const share = async (role: string): Promise<number | undefined> =>
      setting.metric(`roles/${encodeURIComponent(role)}/shares/dominant`);
    master.agent('a', 'cpus:2;mem:1024');
    master.agent('b', 'cpus:2;mem:3072');
    expect(await share('r/s')).to.equal(undefined);
    master.framework('f', ['r/s']);
    master.framework('g', ['r/s']);
    expect(await share('r/s')).to.equal(1);
    const [one, other] = master.take();
    if (one === undefined || other === undefined) throw new Error('two agents are offered');
    const b = one.agent === 'b' ? one : other;
    master.recover(b, 10);
    expect(await share('r/s')).to.equal(0.5);
    expect(await filters('r/s')).to.equal(1);
    await world.advance('1s');
    const second = master.one();
    master.recover(second, 20);
    expect(await filters('r/s')).to.equal(2);
    await world.advance('9s');
    expect(await filters('r/s')).to.equal(1);
    master.revive(second.framework);
    expect(await filters('r/s')).to.equal(0);
    master.removeFramework('f');
    expect(await share('r/s')).not.to.equal(undefined);
    master.removeFramework('g');
    expect(await share('r/s')).to.equal(undefined);
    expect(await filters('r/s')).to.equal(undefined);
    expect(await setting.metric('resources/cpus/offered_or_allocated')).to.equal(0);
  });
});
