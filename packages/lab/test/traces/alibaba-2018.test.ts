import { expect } from 'chai';
import fc from 'fast-check';

import { readScenario } from '../../src/scenario/read-scenario.ts';
import { converted, expectClose, resourceSeconds } from './converted.ts';

describe('the conversion of cluster-trace-v2018 (Alibaba)', () => {
  it('keeps the number of tasks, their order and their resource-seconds, whatever the order of the lines', async () => {
    const record = fc.record({
      instances: fc.integer({ min: 1, max: 5 }),
      job: fc.integer({ min: 1, max: 50 }),
      type: fc.integer({ min: 1, max: 12 }),
      start: fc.integer({ min: 1, max: 700_000 }),
      length: fc.integer({ min: 0, max: 90_000 }),
      cpus: fc.integer({ min: 1, max: 400 }),
      mem: fc.integer({ min: 0, max: 100 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(record, { minLength: 1, maxLength: 30 }), async (records) => {
        const text = records
          .map(
            ({ instances, job, type, start, length, cpus, mem }, index) =>
              `M${index}_1,${instances},j_${job},${type},Terminated,${start},${start + length},${cpus},${mem === 0 ? '' : mem / 10}\n`,
          )
          .join('');
        const { tasks, counts } = await converted({ format: 'alibaba-2018', tasks: text, scale: { mem: 100_000 } });
        const expected = records
          .flatMap(({ instances, type, start, length, cpus, mem }) =>
            Array.from({ length: instances }, () => ({
              arrival: start * 1000,
              framework: '',
              role: `type-${type}`,
              duration: length * 1000,
              resources: { cpus: cpus / 100, ...(mem === 0 ? {} : { mem: mem * 100 }) },
              priority: 0,
            })),
          )
          .sort((one, other) => one.arrival - other.arrival);
        expect(tasks.map((task) => ({ ...task, framework: '' }))).to.deep.equal(expected);
        expect(counts.tasks).to.equal(expected.length);
        expectClose(resourceSeconds(tasks), resourceSeconds(expected));
      }),
      { numRuns: 60 },
    );
  });

  it('leaves out and counts tasks that did not end or ask for nothing, and cuts at a time that is asked for', async () => {
    const { tasks, counts } = await converted({
      format: 'alibaba-2018',
      until: 100_000,
      tasks: [
        'M1,2,j_1,1,Terminated,10,20,50,0.5',
        'M2,3,j_1,1,Running,10,,50,0.5',
        'M3,1,j_1,1,Waiting,0,0,50,0.5',
        'M4,1,j_1,1,Terminated,30,20,50,0.5',
        'M5,1,j_1,1,Terminated,30,40,,',
        'M6,1,j_1,1,Terminated,90,140,100,',
        'M7,1,j_1,1,Terminated,100,140,100,1',
      ].join('\n'),
    });
    expect(tasks.map(({ arrival, duration }) => [arrival, duration])).to.deep.equal([
      [10_000, 10_000],
      [10_000, 10_000],
      [90_000, 10_000],
    ]);
    expect(tasks[0]?.resources).to.deep.equal({ cpus: 0.5, mem: 1966.08 });
    expect(counts).to.include({ lines: 7, tasks: 3, neverRan: 5, withoutRequest: 1, cut: 1 });
  });

  it('makes machines agents, each once', async () => {
    const machines = [
      'm_1,0,1,2,96,100,USING',
      'm_1,500,1,2,96,100,IMPORT',
      'm_2,0,1,2,96,100,USING',
      'm_3,0,1,2,64,69,USING',
    ];
    const { scenario } = await converted({
      format: 'alibaba-2018',
      tasks: 'M1,2,j_1,1,Terminated,10,20,50,0.5',
      machines: machines.join('\n'),
    });
    const { agents, name } = readScenario(scenario, 'x.yaml');
    expect(name).to.equal('alibaba-2018');
    expect(agents.map(({ count, resources }) => [count, resources])).to.deep.equal([
      [2, 'cpus:96;mem:393216'],
      [1, 'cpus:64;mem:271319.04'],
    ]);
    const without = await converted({ format: 'alibaba-2018', tasks: 'M1,2,j_1,1,Terminated,10,20,50,0.5' });
    expect(readScenario(without.scenario, 'x.yaml').agents[0]).to.include({
      count: 100,
      resources: 'cpus:96;mem:393216',
    });
  });
});
