import { expect } from 'chai';
import fc from 'fast-check';

import { readScenario } from '../../src/scenario/read-scenario.ts';
import type { TraceTask } from '../../src/traces/index.ts';
import { converted, type Event, expectClose, line, memorySpill, origin, resourceSeconds, second } from './converted.ts';

describe('the conversion of ClusterData2011 (Google)', () => {
  it('keeps the number of tasks, their order and their resource-seconds', async () => {
    // Times in whole milliseconds and requests in 64ths, which 32 cpus and 128 GB make whole: nothing is rounded.
    const attempt = fc.record({
      pause: fc.integer({ min: 0, max: 5_000_000 }),
      wait: fc.integer({ min: 0, max: 1_000_000 }),
      run: fc.integer({ min: 0, max: 9_000_000 }),
      end: fc.constantFrom(2, 3, 4, 5, 6),
    });
    const record = fc.record({
      attempts: fc.array(attempt, { minLength: 1, maxLength: 4 }),
      cpus: fc.integer({ min: 1, max: 64 }),
      mem: fc.integer({ min: 0, max: 64 }),
      user: fc.constantFrom('ada', 'bob', 'cy'),
      priority: fc.integer({ min: 0, max: 11 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 25 }), fc.boolean(), async (records, spilling) => {
        const events: { time: number; text: string }[] = [];
        const expected: TraceTask[] = [];
        for (const [job, { attempts, cpus, mem, user, priority }] of records.entries()) {
          let time = 0;
          for (const { pause, wait, run, end } of attempts) {
            // Microseconds from milliseconds, none at the same time as another job's: the order is then known.
            const at = (milliseconds: number): number => origin + (milliseconds * 32 + job) * 1000;
            const [submitted, scheduled, ended] = [time + pause, time + pause + wait, time + pause + wait + run];
            time = ended + 1;
            const request = `${cpus / 64},${mem / 64},`;
            for (const [when, type] of [
              [submitted, 0],
              [scheduled, 1],
              [ended, end],
            ] as const) {
              events.push({
                time: at(when),
                text: line({ time: at(when), type, job, index: 7 }, user, priority, request),
              });
            }
            expected.push({
              arrival: submitted * 32 + job,
              duration: run * 32,
              framework: '',
              role: priority < 2 ? 'free' : priority < 9 ? 'other' : 'production',
              resources: { cpus: cpus / 2, ...(mem === 0 ? {} : { mem: mem * 2048 }) },
              priority,
            });
          }
        }
        const order = events
          .map((_, index) => index)
          .sort((one, other) => (events[one]?.time ?? 0) - (events[other]?.time ?? 0) || one - other);
        const text = order.map((index) => events[index]?.text ?? '').join('');
        const spill = memorySpill();
        const result = await converted({ format: 'google-2011', tasks: text, ...(spilling ? { spill } : {}) });
        expected.sort((one, other) => one.arrival - other.arrival);
        expect(result.tasks.map((task) => ({ ...task, framework: '' }))).to.deep.equal(expected);
        expect(result.counts).to.include({ lines: events.length, tasks: expected.length, neverRan: 0, cut: 0 });
        expectClose(resourceSeconds(result.tasks), resourceSeconds(expected));
      }),
      { numRuns: 60 },
    );
  });

  it('joins the events of each attempt: an evicted task that is submitted again is another task', async () => {
    const at = (seconds: number, type: number, index = 0): Event => ({
      time: origin + seconds * second,
      type,
      job: 1,
      index,
    });
    const { tasks, counts } = await converted({
      format: 'google-2011',
      tasks: [at(0, 0), at(1, 0, 1), at(5, 1), at(15, 2), at(16, 0), at(20, 1), at(21.5, 4), at(22, 1, 1), at(30, 5, 1)]
        .map((event) => line(event))
        .join(''),
    });
    expect(tasks.map(({ arrival, duration }) => [arrival, duration])).to.deep.equal([
      [0, 10_000],
      [1000, 8000],
      [16_000, 1500],
    ]);
    expect(tasks[0]).to.include({ role: 'free', priority: 0 });
    expect(tasks[0]?.resources).to.deep.equal({ cpus: 16, mem: 32_768 });
    expect(counts).to.include({ lines: 9, tasks: 3, malformed: 0 });
  });

  it('counts what cannot become a task, and cuts what has no end', async () => {
    const at = (seconds: number, type: number, job: number): Event => ({
      time: origin + seconds * second,
      type,
      job,
      index: 0,
    });
    const { tasks, counts } = await converted({
      format: 'google-2011',
      tasks: [
        // Began before the trace, and runs on to its end.
        line({ time: 0, type: 0, job: 1, index: 0 }),
        line({ time: 0, type: 1, job: 1, index: 0 }),
        line(at(1, 0, 2)), // killed while it waited
        line(at(2, 4, 2)),
        line(at(2, 5, 3)), // an end without a beginning
        line(at(3, 1, 4)), // scheduled without a submission
        line(at(3, 0, 5), 'u', 0, ',,'), // asks for nothing, as its event says it
        line(at(3, 7, 5), 'u', 0, '0,0,0'),
        line(at(3, 1, 5), 'u', 0, ',,'),
        line(at(4, 5, 5), 'u', 0, ',,'),
        line(at(5, 0, 6), 'u', 9, '1,,0.5'), // asks for less before it runs, more afterwards
        line(at(5, 7, 6), 'u', 9, '0.5,,0.5'),
        line(at(6, 1, 6), 'u', 9, '0.5,,0.5'),
        line(at(7, 8, 6), 'u', 9, '1,,0.5'),
        line(at(8, 0, 4)), // submitted again, though nothing ended it
        line(at(9, 5, 6)),
        line({ time: 2 ** 63, type: 5, job: 1, index: 0 }).replace('9223372036854776000', '9223372036854775807'),
      ].join(''),
    });
    expect(tasks).to.have.lengthOf(3);
    expect(tasks.map(({ arrival, duration, role }) => [arrival, duration, role])).to.deep.equal([
      [0, 9000, 'free'],
      [3000, 5000, 'free'],
      [5000, 3000, 'production'],
    ]);
    expect(tasks[2]?.resources).to.deep.equal({ cpus: 16, disk: 2_097_152 });
    expect(counts).to.include({ tasks: 3, neverRan: 3, withoutRequest: 1, cut: 2 });
  });

  it('lets what still runs when the file ends run until then', async () => {
    const at = (seconds: number, type: number, job: number): Event => ({
      time: origin + seconds * second,
      type,
      job,
      index: 0,
    });
    const events = [at(0, 0, 1), at(1, 1, 1), at(2, 0, 2), at(9, 0, 3)];
    const { tasks, counts } = await converted({
      format: 'google-2011',
      tasks: events.map((event) => line(event)).join(''),
    });
    expect(tasks.map(({ arrival, duration }) => [arrival, duration])).to.deep.equal([[0, 8000]]);
    expect(counts).to.include({ cut: 1, neverRan: 2 });
  });

  it('ends at a time that is asked for', async () => {
    const at = (seconds: number, type: number, job: number): Event => ({
      time: origin + seconds * second,
      type,
      job,
      index: 0,
    });
    const events = [at(0, 0, 1), at(0, 1, 1), at(9, 0, 2), at(9.5, 1, 2), at(10, 0, 3), at(10, 1, 3), at(20, 5, 1)];
    const { tasks, counts } = await converted({
      format: 'google-2011',
      until: 10_000,
      tasks: events.map((event) => line(event)).join(''),
    });
    expect(tasks.map(({ arrival, duration }) => [arrival, duration])).to.deep.equal([
      [0, 10_000],
      [9000, 500],
    ]);
    expect(counts).to.include({ cut: 2, tasks: 2 });
  });

  it('makes machines agents, and what happens to them events', async () => {
    const machines = [
      '0,1,0,p,0.5,0.25',
      '0,2,0,p,1,1',
      '0,3,0,p,0.5,0.25',
      '0,4,0,p,,',
      `${origin + second},3,1,p,0.5,0.25`,
      `${origin + 2 * second},5,0,p,1,0.5`,
      `${origin + 3 * second},3,0,p,0.5,0.25`,
      `${origin + 4 * second},2,2,p,0.5,1`,
      `${origin + 5 * second},5,1,p,1,0.5`,
    ].join('\n');
    const tasks = [0, 1, 5].map((type) => line({ time: origin + type * 60 * second, type, job: 1, index: 0 })).join('');
    const { scenario, counts } = await converted({ format: 'google-2011', name: 'cell', tasks, machines });
    const read = readScenario(scenario, 'cell.yaml');
    expect(read.agents).to.deep.equal([
      { name: 'machine-0', count: 2, resources: 'cpus:16;mem:32768;disk:4194304', attributes: {} },
      { name: 'machine-1', count: 1, resources: 'cpus:32;mem:131072;disk:4194304', attributes: {} },
    ]);
    expect(read.events.map(({ at, add, lose, back }) => [at, add?.name ?? lose?.agents ?? back?.agents])).to.deep.equal(
      [
        [1000, 'machine-0-1'],
        [2000, 'late-1'],
        [3000, 'machine-0-1'],
        [5000, 'late-1-0'],
      ],
    );
    expect(read.frameworks).to.have.lengthOf(1);
    expect(read.frameworks[0]).to.include({ kind: 'recorded', role: 'free', trace: 'cell.csv' });
    expect(read.duration).to.equal(5 * 60_000);
    expect(counts).to.include({ machines: 3, machineEvents: 4 });
  });

  it('is scaled as asked, and keeps the tasks of a user together in so many frameworks for each role', async () => {
    const events = Array.from({ length: 300 }, (_, job) =>
      [0, 1, 5]
        .map((type) => line({ time: origin + job, type, job, index: 0 }, `user${job % 60}`, job % 2 === 0 ? 0 : 9))
        .join(''),
    );
    const { tasks } = await converted({
      format: 'google-2011',
      tasks: events.join(''),
      frameworks: 4,
      scale: { cpus: 10, mem: 1000 },
    });
    expect(tasks[0]?.resources).to.deep.equal({ cpus: 5, mem: 250 });
    const names = new Set(tasks.map(({ framework }) => framework));
    expect([...names].sort()).to.deep.equal(
      ['free', 'production'].flatMap((role) => [0, 1, 2, 3].map((n) => `${role}-${n}`)),
    );
    for (let user = 0; user < 60; user++) {
      const own = tasks.filter((_, index) => index % 60 === user).map(({ framework }) => framework);
      expect(new Set(own).size).to.equal(1);
    }
  });
});
