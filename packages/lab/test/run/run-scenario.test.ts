import { expect } from 'chai';
import type { FrameworkResult, LabResult, Sample } from '../../src/result.ts';
import { runScenario } from '../../src/run/run-scenario.ts';
import { readScenario } from '../../src/scenario/read-scenario.ts';

interface Given {
  readonly duration?: string;
  readonly agents?: string;
  readonly frameworks: string;
  readonly rest?: string;
}

function run({ duration = '2m', agents = '{ resources: "cpus:4;mem:4096" }', frameworks, rest = '' }: Given, seed = 1) {
  const text = `name: test\nduration: ${duration}\nsampling: 1s\nagents: [${agents}]\nframeworks: [${frameworks}]\n${rest}`;
  return runScenario(readScenario(text, 'test.yaml'), { seed });
}

function framework({ frameworks }: LabResult, name: string): FrameworkResult {
  const found = frameworks.find((one) => one.name === name);
  if (found === undefined) throw new Error(`There is no framework ${name}`);
  return found;
}

const at = ({ samples }: LabResult, seconds: number): Sample => {
  const found = samples.find(({ time }) => time === seconds * 1000);
  if (found === undefined) throw new Error(`There is no sample at ${seconds} s`);
  return found;
};

/** Sums of doubles are not exact, those of thousandths are. */
const milli = (amount = 0): number => Math.round(amount * 1000);

/** Of all roles or frameworks together. */
function sum(shares: Sample['roles'], what: 'used' | 'offered', name: string): number {
  return Object.values(shares).reduce((total, share) => total + milli(share[what][name]), 0) / 1000;
}

async function rejection(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Error) return error;
  }
  throw new Error('It was not rejected');
}

const busy: Given = {
  duration: '5m',
  agents:
    '{ count: 6, resources: "cpus:4;mem:4096", rack: [r1, r2] }, { name: big, count: 2, resources: "cpus:16;mem:8192;gpus:1" }',
  frameworks: `
    { name: service, kind: long-running, tasks: 8, resources: "cpus:1;mem:256" },
    { name: batch, count: 2, kind: batch, every: { exponential: 10s }, tasks: { uniform: [1, 12] }, resources: [{ resources: "cpus:0.7;mem:512", probability: 2 }, { resources: "cpus:3.1;mem:128", probability: 1 }], duration: { lognormal: 20s, sigma: 1 }, failures: 0.1 },
    { name: thinker, kind: greedy, role: [x, y], resources: "cpus:2;mem:1024", duration: { exponential: 30s }, think: { uniform: [1s, 4s] } },
    { name: spiky, kind: spiky, every: 5s, resources: "cpus:0.1;mem:32", duration: 10s, spikes: { every: { exponential: 1m }, tasks: 30 }, locality: { level: rack, wait: 3s } }`,
  rest: `roles: { batch-0: { weight: 2 } }
events:
  - { at: 1m, lose: { agents: agent, count: 2 } }
  - { at: 150s, back: { agents: agent } }
  - { at: 3m, add: { name: agent, resources: "cpus:4;mem:4096", rack: r1 } }
pings: { every: 10s }`,
};

describe('a run of a scenario', function () {
  this.timeout(60_000);

  it('gives the same for the same seed, byte for byte, and something else for another', async () => {
    const [first, again, other] = [await run(busy), await run(busy), await run(busy, 2)];
    expect(JSON.stringify(again)).to.equal(JSON.stringify(first));
    expect(JSON.stringify({ ...other, seed: 1 })).not.to.equal(JSON.stringify(first));
  });

  it('draws the chances of the cluster from the seed too: when agents register, and what comes first', async () => {
    const waits = async (seed: number): Promise<readonly number[]> => {
      const frameworks = '{ name: a, kind: long-running, tasks: 3, resources: "cpus:4;mem:64" }';
      return framework(await run({ agents: '{ count: 3, resources: "cpus:4;mem:64" }', frameworks }, seed), 'a').waits;
    };
    expect(await waits(1))
      .to.have.length(3)
      .and.not.deep.equal(await waits(2));
  });

  it('accounts for everything in every sample: what is used and offered is somebody’s, and no more than there is', async () => {
    const { samples } = await run(busy);
    expect(samples).to.have.length(300);
    for (const { time, total, used, offered, roles, frameworks, jain, fragmentation } of samples) {
      for (const name of ['cpus', 'mem', 'gpus']) {
        const where = `${name} at ${time} ms`;
        const free = milli(total[name]) - milli(used[name]) - milli(offered[name]);
        expect(free, where).to.be.at.least(0);
        expect(sum(roles, 'used', name), where).to.equal(used[name]);
        expect(sum(frameworks, 'used', name), where).to.equal(used[name]);
        expect(sum(roles, 'offered', name), where).to.equal(offered[name]);
        expect(sum(frameworks, 'offered', name), where).to.equal(offered[name]);
        expect(fragmentation[name], where).to.be.within(0, 1);
      }
      expect(jain).to.be.within(0, 1);
    }
    const cpus = samples.map(({ total }) => total['cpus']);
    expect([cpus[30], cpus[100], cpus[160], cpus[200]]).to.deep.equal([56, 48, 56, 60]);
  });

  it('loses no task: those that arrived wait, run or have ended', async () => {
    const result = await run(busy);
    const last = result.samples.at(-1);
    for (const { name, tasks, waits, offers } of result.frameworks) {
      const now = last?.frameworks[name] ?? { waiting: NaN, running: NaN };
      expect(tasks.arrived, name).to.equal(tasks.finished + tasks.lost + now.waiting + now.running);
      expect(tasks.launched, name).to.be.within(waits.length, tasks.arrived);
      expect(offers.made, name).to.be.at.least(offers.accepted + offers.declined + offers.rescinded);
      expect(Math.min(...waits), name).to.be.at.least(0);
    }
    expect(framework(result, 'batch-0').tasks.lost).to.be.above(0);
  });

  it('tells of its progress', async () => {
    const times: number[] = [];
    const scenario = readScenario(
      'name: test\nduration: 2500ms\nsampling: 1s\nagents: [{ resources: "cpus:1" }]\nframeworks: [{ name: a, kind: greedy, resources: "cpus:1" }]',
      'test.yaml',
    );
    const { samples } = await runScenario(scenario, {
      seed: 1,
      onProgress: ({ time, duration }) => {
        expect(duration).to.equal(2500);
        times.push(time);
      },
    });
    expect(times).to.deep.equal([1000, 2000, 2500]);
    expect(samples.map(({ time }) => time)).to.deep.equal(times);
  });

  describe('a kind of framework', () => {
    it('greedy takes all it is offered, up to its number of tasks', async () => {
      const all = await run({ frameworks: '{ name: a, kind: greedy, resources: "cpus:1;mem:64" }' });
      expect(framework(all, 'a').tasks).to.deep.equal({ arrived: 5, launched: 4, finished: 0, lost: 0 });
      expect(at(all, 60).roles['a']).to.include({ running: 4, waiting: 1, dominantShare: 1 });
      const some = await run({
        frameworks: '{ name: a, kind: greedy, resources: "cpus:1;mem:64", tasks: 6, duration: 10s }',
      });
      expect(framework(some, 'a').tasks).to.deep.equal({ arrived: 6, launched: 6, finished: 6, lost: 0 });
    });

    it('batch brings a job at every interval, the first after one', async () => {
      const result = await run({
        frameworks:
          '{ name: a, kind: batch, every: 20s, tasks: 2, jobs: 3, resources: "cpus:1;mem:64", duration: 30s }',
      });
      const running = [19, 21, 41, 49, 55, 61, 75, 95].map((second) => at(result, second).roles['a']?.running);
      expect(running).to.deep.equal([0, 2, 4, 4, 2, 4, 2, 0]);
      expect(framework(result, 'a').tasks).to.deep.equal({ arrived: 6, launched: 6, finished: 6, lost: 0 });
    });

    it('long-running starts its tasks at once, and again when they are lost', async () => {
      const result = await run({
        agents: '{ count: 2, resources: "cpus:4;mem:4096" }',
        frameworks:
          '{ name: a, kind: long-running, tasks: 6, resources: "cpus:1;mem:64", tasksPerOffer: 3, refuse: 0 }',
        rest: 'pings: { every: 5s }\nevents: [{ at: 30s, lose: { agents: agent-1 } }]',
      });
      expect(at(result, 29).roles['a']).to.include({ running: 6, waiting: 0 });
      expect(at(result, 30).roles['a']).to.include({ running: 3 });
      expect(framework(result, 'a').tasks).to.deep.equal({ arrived: 9, launched: 7, finished: 0, lost: 3 });
      expect(at(result, 60).roles['a']).to.include({ running: 4, waiting: 2 });
    });

    it('spiky has spikes besides what comes steadily', async () => {
      const result = await run({
        agents: '{ resources: "cpus:40;mem:4096" }',
        frameworks:
          '{ name: a, kind: spiky, every: 10s, resources: "cpus:1;mem:64", duration: 5s, spikes: { every: 32s, tasks: 20 } }',
      });
      expect([12, 17, 33, 38].map((second) => at(result, second).roles['a']?.running)).to.deep.equal([1, 0, 21, 0]);
      expect(framework(result, 'a').tasks.arrived).to.equal(11 + 3 * 20);
    });

    it('recorded replays its tasks', async () => {
      const result = await run({
        frameworks: `{ name: a, kind: recorded, arrives: 10s, tasks: [
          { arrival: 30s, duration: 10s, resources: "cpus:2;mem:64" },
          { arrival: 5s, duration: 20s, resources: "cpus:1;mem:64" },
          { arrival: 30s, resources: "cpus:1;mem:64" }] }`,
      });
      const cpus = [14, 16, 34, 36, 39, 41, 49, 52, 110].map((second) => at(result, second).used['cpus']);
      expect(cpus).to.deep.equal([0, 1, 1, 0, 0, 3, 3, 1, 1]);
    });
  });

  describe('a framework', () => {
    it('waits as long as there is no room, and no longer', async () => {
      const result = await run({
        agents: '{ resources: "cpus:1;mem:1024" }',
        frameworks: '{ name: a, kind: long-running, tasks: 3, resources: "cpus:1;mem:64", duration: 20s, refuse: 0 }',
      });
      const [first = NaN, second = NaN, third = NaN] = framework(result, 'a').waits;
      expect(first).to.be.within(0, 1100);
      expect(second - first).to.be.within(20_000, 21_100);
      expect(third - second).to.be.within(20_000, 21_100);
    });

    it('takes its time over offers, and what it holds meanwhile is wasted', async () => {
      const result = await run({
        agents: '{ resources: "cpus:4;mem:1000" }',
        frameworks:
          '{ name: a, kind: batch, every: 1h, resources: "cpus:1;mem:64", duration: 20s, idle: decline, think: 10s, refuse: 5 }',
      });
      const { made, declined, accepted, wasted } = framework(result, 'a').offers;
      expect(accepted).to.equal(0);
      expect(made - declined).to.be.within(0, 1);
      // Ten seconds in the framework's hands, and the way there and back; the last one lies until the end.
      expect(wasted['cpus']).to.be.within(declined * 4 * 10, made * 4 * 10.01);
      expect(at(result, 5).offered).to.deep.equal({ cpus: 4, mem: 1000 });
    });

    it('wastes what is on the way to it and back', async () => {
      const result = await run({
        agents: '{ resources: "cpus:4;mem:1000" }',
        frameworks: '{ name: a, kind: batch, every: 1h, resources: "cpus:1;mem:64", duration: 20s, idle: decline }',
        rest: 'latency: [50ms, 70ms]',
      });
      const { declined, wasted } = framework(result, 'a').offers;
      expect(declined).to.be.above(10);
      expect(wasted['cpus']).to.be.closeTo(declined * 4 * 0.12, 1e-9);
    });

    it('has its offers rescinded when they time out', async () => {
      const result = await run({
        frameworks: '{ name: a, kind: greedy, resources: "cpus:1;mem:64", think: 1h }',
        rest: 'offerTimeout: 30s',
      });
      expect(framework(result, 'a').offers).to.include({ accepted: 0, declined: 0 });
      expect(framework(result, 'a').offers.rescinded).to.be.within(3, 4);
    });

    it('declines for as long as it says', async () => {
      const offers = async (refuse: number): Promise<number> => {
        const frameworks = `{ name: a, kind: batch, every: 1h, resources: "cpus:1;mem:64", duration: 20s, idle: decline, refuse: ${refuse} }`;
        return framework(await run({ frameworks }), 'a').offers.made;
      };
      expect(await offers(0)).to.be.within(100, 125);
      expect(await offers(30)).to.be.within(3, 5);
    });

    it('wants no offers while it has nothing to launch, unless it is impolite', async () => {
      const batch = 'kind: batch, every: 50s, jobs: 1, resources: "cpus:1;mem:64", duration: 20s';
      const result = await run({ frameworks: `{ name: polite, ${batch} }, { name: rude, idle: decline, ${batch} }` });
      expect(framework(result, 'polite').offers.made).to.be.below(5);
      expect(framework(result, 'rude').offers.made).to.be.above(15);
    });

    it('takes only some offers, if it is choosy', async () => {
      const result = await run({
        duration: '20m',
        frameworks:
          '{ name: a, kind: batch, every: 10s, tasks: 100, jobs: 1, resources: "cpus:4;mem:64", duration: 1s, refuse: 0, accept: 0.25 }',
      });
      const { accepted, made } = framework(result, 'a').offers;
      expect(accepted / made).to.be.within(0.17, 0.33);
    });

    it('launches at most so many tasks per offer', async () => {
      const result = await run({
        frameworks:
          '{ name: a, kind: long-running, tasks: 4, resources: "cpus:1;mem:64", tasksPerOffer: 1, refuse: 0 }',
      });
      expect(framework(result, 'a').offers.accepted).to.equal(4);
    });

    it('has tasks that fail, and tries again', async () => {
      const result = await run({
        duration: '10m',
        agents: '{ resources: "cpus:100;mem:8192" }',
        frameworks:
          '{ name: a, kind: batch, every: 1s, jobs: 200, resources: "cpus:1;mem:32", duration: 5s, failures: 0.2 }',
      });
      const { finished, lost, arrived } = framework(result, 'a').tasks;
      expect(finished).to.equal(200);
      expect(lost).to.be.within(25, 58);
      expect(arrived).to.equal(finished + lost);
    });

    it('has tasks of several sizes, each as often as its probability says', async () => {
      const result = await run({
        agents: '{ resources: "cpus:10000;mem:90000" }',
        frameworks: `{ name: a, kind: long-running, tasks: 2000, resources: [
          { resources: "cpus:1;mem:1", probability: 3 }, { resources: "cpus:2;mem:1", probability: 1 }] }`,
        duration: '10s',
      });
      expect(at(result, 10).roles['a']?.running).to.equal(2000);
      expect(at(result, 10).used['cpus']).to.be.within(2440, 2560);
    });

    it('tries again apart from what arrives: a greedy one does not get greedier', async () => {
      const result = await run({
        duration: '10m',
        frameworks: '{ name: a, kind: greedy, resources: "cpus:1;mem:32", duration: 5s, failures: 0.5, refuse: 0 }',
      });
      expect(framework(result, 'a').tasks.lost).to.be.above(50);
      expect(at(result, 600).roles['a']?.waiting).to.be.below(8);
    });

    it('passes over places it does not prefer for as long as it says, and no longer', async () => {
      const withWait = async (wait: string): Promise<FrameworkResult> =>
        framework(
          await run({
            duration: '10m',
            agents: '{ count: 10, resources: "cpus:2;mem:4096" }',
            frameworks: `{ name: a, kind: batch, every: { exponential: 2s }, jobs: 150, resources: "cpus:1;mem:64", duration: 10s, refuse: 0, locality: { level: agent, preferred: 2, wait: ${wait} } }`,
          }),
          'a',
        );
      const [none, some] = [await withWait('0s'), await withWait('20s')];
      expect(none.tasks.launched).to.equal(150);
      expect(some.tasks.launched).to.equal(150);
      expect((none.tasks.local ?? 0) / 150).to.be.below(0.4);
      expect((some.tasks.local ?? 0) / 150).to.be.above(0.9);
      expect(Math.max(...some.waits)).to.be.below(22_000);
    });

    it('of several roles is offered resources for each of them', async () => {
      const result = await run({
        agents: '{ count: 8, resources: "cpus:1;mem:1024" }',
        frameworks: '{ name: a, kind: greedy, role: [x, y], resources: "cpus:1;mem:64" }',
      });
      expect(framework(result, 'a').role).to.equal('x,y');
      expect(at(result, 60).roles['x']).to.include({ running: 4 });
      expect(at(result, 60).roles['y']).to.include({ running: 4 });
    });

    it('uses what is reserved to its role, and what is not', async () => {
      const result = await run({
        agents: '{ resources: "cpus:2;cpus(a):1.5;cpus(b):4;mem:1024" }',
        frameworks: '{ name: a, kind: greedy, resources: "cpus:0.7;mem:64" }',
      });
      expect(at(result, 60).roles['a']).to.include({ running: 5 });
      expect(at(result, 60)).to.deep.include({ total: { cpus: 7.5, mem: 1024 }, used: { cpus: 3.5, mem: 320 } });
    });

    it('has its number in its name and role', async () => {
      const result = await run({
        frameworks:
          '{ name: a, count: 2, role: "team-{n}", kind: greedy, resources: "cpus:1;mem:64" }, { name: b, count: 2, kind: greedy, resources: "cpus:1;mem:64" }',
      });
      expect(result.frameworks.map(({ name, role }) => `${name} ${role}`)).to.deep.equal([
        'a-0 team-0',
        'a-1 team-1',
        'b-0 b-0',
        'b-1 b-1',
      ]);
    });
  });

  describe('an event', () => {
    it('lets a framework arrive and leave, with its tasks', async () => {
      const result = await run({
        frameworks:
          '{ name: a, kind: greedy, arrives: 30s, leaves: 1m, resources: "cpus:1;mem:64" }, { name: b, kind: greedy, arrives: 70s, resources: "cpus:4;mem:64" }',
      });
      expect([29, 35, 59, 61, 75].map((second) => at(result, second).used['cpus'])).to.deep.equal([0, 4, 4, 0, 4]);
      expect(framework(result, 'a').tasks).to.include({ launched: 4, lost: 4 });
      expect(result.events).to.deep.equal([
        { time: 30_000, what: 'framework a arrives' },
        { time: 60_000, what: 'framework a leaves' },
        { time: 70_000, what: 'framework b arrives' },
      ]);
    });

    it('loses agents, brings them back and adds new ones', async () => {
      const result = await run({
        duration: '4m',
        agents: '{ count: 3, resources: "cpus:2;mem:1024" }',
        frameworks: '{ name: a, kind: greedy, resources: "cpus:2;mem:64" }',
        rest: 'pings: { every: 5s }\nevents: [{ at: 30s, lose: { agents: agent, count: 2 } }, { at: 2m, back: { agents: agent, count: 1 } }, { at: 3m, add: { name: agent, count: 2, resources: "cpus:2;mem:1024" } }]',
      });
      const known = [29, 31, 121, 181].map((second) => at(result, second).total['cpus']);
      const used = [29, 31, 119, 135, 190].map((second) => at(result, second).used['cpus']);
      expect({ known, used }).to.deep.equal({ known: [6, 2, 4, 8], used: [6, 2, 2, 4, 8] });
      expect(result.events.map(({ what }) => what)).to.deep.equal([
        '2 of agent lost',
        '1 of agent back',
        '2 agents of agent added',
      ]);
    });

    it('changes weights', async () => {
      const result = await run({
        duration: '10m',
        agents: '{ count: 12, resources: "cpus:1;mem:1024" }',
        frameworks:
          '{ name: a, kind: greedy, resources: "cpus:1;mem:64", duration: 20s, refuse: 1 }, { name: b, kind: greedy, resources: "cpus:1;mem:64", duration: 20s, refuse: 1 }',
        rest: 'events: [{ at: 5m, weights: { b: 2 } }]',
      });
      expect(at(result, 290).roles).to.nested.include({ 'a.running': 6, 'b.running': 6 });
      expect(at(result, 590).roles).to.nested.include({ 'a.running': 4, 'b.running': 8 });
      expect(at(result, 590).roles['b']?.weightedShare).to.be.closeTo(1 / 3, 1e-12);
      expect(result.events).to.deep.equal([{ time: 300_000, what: 'weights: b 2' }]);
    });

    it('may set a quota that the cluster cannot keep yet', async () => {
      const result = await run({
        frameworks:
          '{ name: a, kind: greedy, resources: "cpus:1;mem:64" }, { name: b, kind: greedy, resources: "cpus:1;mem:64" }',
        rest: 'roles: { a: { guarantees: "cpus:100" } }',
      });
      expect(at(result, 60).roles).to.nested.include({ 'a.running': 4, 'b.running': 0 });
    });

    it('changes quotas', async () => {
      const result = await run({
        duration: '10m',
        agents: '{ count: 12, resources: "cpus:1;mem:1024" }',
        frameworks:
          '{ name: a, kind: greedy, resources: "cpus:1;mem:64", duration: 20s, refuse: 1 }, { name: b, kind: greedy, resources: "cpus:1;mem:64", duration: 20s, refuse: 1 }',
        rest: 'roles: { a: { limits: "cpus:3" } }\nevents: [{ at: 3m, quotas: { a: { guarantees: "cpus:9;mem:1024" } } }, { at: 6m, quotas: { a: { guarantees: "", limits: "" } } }]',
      });
      expect(at(result, 170).roles).to.nested.include({ 'a.running': 3, 'b.running': 9 });
      expect(at(result, 350).roles).to.nested.include({ 'a.running': 9, 'b.running': 3 });
      expect(at(result, 590).roles).to.nested.include({ 'a.running': 6, 'b.running': 6 });
      expect(result.events.map(({ what }) => what)).to.deep.equal([
        'quota of a: guarantees cpus:9;mem:1024',
        'quota of a: guarantees none, limits none',
      ]);
    });
  });

  it('fails with the reason, if the master refuses a quota', async () => {
    const error = await rejection(
      run({
        frameworks: '{ name: a, kind: greedy, resources: "cpus:1;mem:64" }',
        rest: 'events: [{ at: 10s, quotas: { a: { guarantees: "cpus:4", limits: "cpus:2" } } }]',
      }),
    );
    expect(error.message).to.match(/^The simulated cluster failed: the master refused the quotas: .*'a'/);
  });

  describe('an allocator', () => {
    const scenario = readScenario(
      'name: test\nduration: 20s\nagents: [{ resources: "cpus:1" }]\nframeworks: [{ name: a, kind: greedy, resources: "cpus:1" }]',
      'test.yaml',
    );
    it('can be one that the master knows, and no other', async () => {
      const { allocator, frameworks } = await runScenario(scenario, { seed: 1, allocator: 'HierarchicalDRF' });
      expect(allocator).to.equal('HierarchicalDRF');
      expect(frameworks[0]?.tasks.launched).to.equal(1);
      const error = await rejection(runScenario(scenario, { seed: 1, allocator: 'nobody' }));
      expect(error.message).to.include(`'nobody'`).and.include('hierarchical');
    });

    it('can have another sorter, and no unknown one', async () => {
      const { sorter } = await runScenario(scenario, { seed: 1, sorter: 'random' });
      expect(sorter).to.equal('random');
      const error = await rejection(runScenario(scenario, { seed: 1, sorter: 'bubble' }));
      expect(error.message).to.include(`'bubble'`).and.include('drf');
    });

    const fileIn = (folder: string): URL => new URL(`${folder}/lab.yaml`, import.meta.url);
    const scenarioWith = (line: string) =>
      readScenario(
        `${line}\nname: test\nduration: 20s\nagents: [{ resources: "cpus:1" }]\nframeworks: [{ name: a, kind: greedy, resources: "cpus:1" }]`,
        'test.yaml',
      );

    it('can have a sorter that the scenario names by a path relative to its file, which the result has as it is written', async () => {
      const paths = { './modules/first-come-sorter.ts': '.', '../modules/first-come-sorter.ts': './elsewhere' };
      for (const [path, folder] of Object.entries(paths)) {
        const result = await runScenario(scenarioWith(`sorter: ${path}`), { seed: 1, file: fileIn(folder) });
        expect(result.frameworks[0]?.tasks.launched).to.equal(1);
        expect(result.sorter).to.equal(path);
      }
      // Not relative to where somebody is.
      const astray = scenarioWith('sorter: ./modules/first-come-sorter.ts');
      const error = await rejection(
        runScenario(astray, { seed: 1, file: fileIn('./elsewhere'), directory: fileIn('.') }),
      );
      expect(error.message)
        .to.match(/^--sorter '\.\/modules\/first-come-sorter\.ts' cannot be loaded: /)
        .and.include('run/elsewhere/modules/first-come-sorter.ts');
      const nowhere = await rejection(runScenario(astray, { seed: 1 }));
      expect(nowhere.message).to.include('it is not known where this path begins');
    });

    it('and its sorter can be modules of one path that begins at the scenario for one, and elsewhere for the other', async () => {
      const allocator = './modules/first-come-sorter.ts';
      const options = { seed: 1, allocator, file: fileIn('.'), directory: fileIn('./elsewhere') };
      const error = await rejection(runScenario(scenarioWith(`sorter: ${allocator}`), options));
      expect(error.message)
        .to.match(/^--allocator '\.\/modules\/first-come-sorter\.ts' cannot be loaded: /)
        .and.include('run/elsewhere/modules/first-come-sorter.ts');
    });

    it('can be a module, which is loaded from beside the scenario', async () => {
      const scenarioWithModule = scenarioWith('allocator: ./modules/no-allocator.ts');
      const error = await rejection(runScenario(scenarioWithModule, { seed: 1, file: fileIn('.') }));
      expect(error.message).to.match(
        /^The default export of '\.\/modules\/no-allocator\.ts' made an object, not a Process/,
      );
    });

    it('whose sorter crashes fails the run, which names the sorter as it was written', async () => {
      const sorter = './crashing-sorter.ts';
      const error = await rejection(runScenario(scenario, { seed: 1, sorter, directory: fileIn('./modules') }));
      expect(error.message).to.match(
        /^The simulated cluster failed with sorter '\.\/crashing-sorter\.ts': .*allocator.* crashed: no order$/,
      );
    });
  });
});
