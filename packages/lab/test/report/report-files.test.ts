import { expect } from 'chai';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';

import { grouped, reportPlots } from '../../src/report/charts.ts';
import { sharesCsv } from '../../src/report/csv-tables.ts';
import { reportFiles } from '../../src/report/index.ts';
import type { Chart } from '../../src/report/page.ts';
import { short } from '../../src/report/page.ts';
import type { LabResult } from '../../src/result.ts';
import { generatedResult } from './generated-result.ts';

const share = { dominantShare: 0.5, weightedShare: 0.25, waiting: 3, running: 4 };

/** Small enough to be looked at. */
const tiny: LabResult = {
  scenario: 'tiny',
  allocator: 'hierarchical',
  sorter: 'drf',
  seed: 7,
  duration: 2000,
  samples: [
    {
      time: 0,
      total: { mem: 1024, cpus: 8 },
      used: {},
      offered: { cpus: 8 },
      fragmentation: {},
      jain: 1,
      gap: 0,
      roles: {},
      frameworks: {},
    },
    {
      time: 1000,
      total: { mem: 1024, cpus: 8 },
      used: { cpus: 4, mem: 256 },
      offered: {},
      fragmentation: { cpus: 0.5, mem: 1 / 3 },
      jain: 0.75,
      gap: 0.25,
      roles: { 'a "b", c': { used: { cpus: 4 }, offered: {}, ...share } },
      frameworks: { web: { used: { cpus: 4, mem: 256 }, offered: { cpus: 1 }, ...share } },
    },
  ],
  frameworks: [
    {
      name: 'web',
      role: 'a "b", c',
      kind: 'batch',
      tasks: { arrived: 7, launched: 4, finished: 0, lost: 1 },
      waits: [100, 0, 400, 300],
      offers: { made: 9, accepted: 4, declined: 3, rescinded: 1, wasted: { cpus: 12.5 } },
    },
    {
      name: 'idle',
      role: 'other',
      kind: 'greedy',
      tasks: { arrived: 0, launched: 0, finished: 0, lost: 0 },
      waits: [],
      offers: { made: 0, accepted: 0, declined: 0, rescinded: 0, wasted: {} },
    },
  ],
  roles: [
    { name: 'a "b", c', weight: 2 },
    { name: 'other', weight: 1 },
  ],
  events: [{ time: 500, what: 'agent-1 lost' }],
  allocationRuns: 2,
  refusedAllocations: 0,
};

const file = (result: LabResult, name: string): string => reportFiles(result).get(name) ?? `there is no ${name}`;

const chart = (result: LabResult, title: string): Chart => {
  const found = reportPlots(result).charts.find((one) => one.title === title);
  if (found === undefined) throw new Error(`no chart is called ${title}`);
  return found;
};

describe('the files of a report', () => {
  it('are these, with the same bytes for the same result', () => {
    const result = generatedResult();
    const files = reportFiles(result);
    expect([...files.keys()].sort()).to.deep.equal([
      'cluster.csv',
      'frameworks.csv',
      'report.html',
      'result.json',
      'shares.csv',
      'waits.csv',
    ]);
    expect([...reportFiles(structuredClone(result))]).to.deep.equal([...files]);
    expect(JSON.parse(file(result, 'result.json'))).to.deep.equal(result);
  });

  it('have a line for each role and framework at each time, every resource in a column', () => {
    expect(file(tiny, 'shares.csv')).to.equal(
      [
        'time_ms,kind,name,dominant_share,weighted_share,waiting,running,used_cpus,used_mem,offered_cpus,offered_mem',
        '1000,role,"a ""b"", c",0.5,0.25,3,4,4,0,0,0',
        '1000,framework,web,0.5,0.25,3,4,4,256,1,0',
        '',
      ].join('\n'),
    );
  });

  it('have a line for the cluster at each time', () => {
    expect(file(tiny, 'cluster.csv')).to.equal(
      [
        'time_ms,jain,gap,total_cpus,total_mem,used_cpus,used_mem,offered_cpus,offered_mem,fragmentation_cpus,fragmentation_mem',
        '0,1,0,8,1024,0,0,8,0,0,0',
        '1000,0.75,0.25,8,1024,4,256,0,0,0.5,0.3333333333333333',
        '',
      ].join('\n'),
    );
  });

  it('have a line for each task that waited, and one for each framework with its percentiles', () => {
    expect(file(tiny, 'waits.csv')).to.equal(
      [
        'framework,role,kind,order,wait_ms',
        ...[100, 0, 400, 300].map((wait, order) => `web,"a ""b"", c",batch,${order},${wait}`),
        '',
      ].join('\n'),
    );
    const [head, web, idle] = file(tiny, 'frameworks.csv').split('\n');
    expect(head).to.match(/^framework,role,kind,role_weight,.*,waits,wait_mean_ms,wait_p50_ms,.*,wasted_cpus_seconds$/);
    expect(web).to.equal('web,"a ""b"", c",batch,2,7,4,0,1,9,4,3,1,4,200,200,370,385,397,400,12.5');
    expect(idle).to.equal('idle,other,greedy,1,0,0,0,0,0,0,0,0,0,,,,,,,0');
  });

  it('are read back as they were, whatever names a scenario has', () => {
    const name = fc.string({ unit: 'binary', minLength: 1 });
    fc.assert(
      fc.property(fc.uniqueArray(name, { minLength: 1, maxLength: 3 }), (roles) => {
        const result = generatedResult({ roles, samples: 2, frameworks: 1 });
        const rows = parse(sharesCsv(result), { columns: true, relax_column_count: false }) as unknown as {
          readonly kind: string;
          readonly name: string;
          readonly dominant_share: string;
        }[];
        const shares = result.samples.flatMap((sample) => [
          ...Object.entries(sample.roles).map(([role, one]) => ['role', role, String(one.dominantShare)]),
          ...Object.entries(sample.frameworks).map(([own, one]) => ['framework', own, String(one.dominantShare)]),
        ]);
        expect(rows.map((row) => [row.kind, row.name, row.dominant_share])).to.deep.equal(shares);
      }),
      { numRuns: 50 },
    );
  });
});

describe('the plots of a report', () => {
  it('show shares as they were measured, and nothing where a role is not there', () => {
    const roles = chart(tiny, 'Dominant share of each role');
    expect(roles).to.deep.include({
      x: [0, 1],
      xLabel: 'time (s)',
      series: [{ label: 'a "b", c', values: [null, 0.5] }],
    });
    expect(chart(tiny, 'Weighted dominant share of each role').series[0]?.values).to.deep.equal([null, 0.25]);
    expect(chart(tiny, 'Utilisation').series).to.deep.equal([
      { label: 'cpus', values: [0, 0.5] },
      { label: 'mem', values: [0, 0.25] },
    ]);
    expect(chart(tiny, 'Fairness').series.map(({ values }) => values)).to.deep.equal([
      [1, 0.75],
      [0, 0.25],
    ]);
    expect(chart(tiny, 'Fragmentation').series[1]?.values).to.deep.equal([0, 0.33333]);
    expect(chart(tiny, 'Tasks').series.map(({ values }) => values)).to.deep.equal([
      [0, 4],
      [0, 3],
    ]);
    expect(reportPlots(tiny).events).to.deep.equal([{ time: 0.5, what: 'agent-1 lost' }]);
  });

  it('leave the weighted shares out when all weights are the same', () => {
    const equal = { ...tiny, roles: tiny.roles.map(({ name }) => ({ name, weight: 3 })) };
    expect(reportPlots(equal).charts.map(({ title }) => title)).not.to.include('Weighted dominant share of each role');
  });

  it('put the smaller curves together when there are more than 20', () => {
    const series = Array.from({ length: 50 }, (_, index) => ({ label: `f${index}`, values: [(index * 7) % 50, null] }));
    const shown = grouped(series);
    expect(shown).to.have.lengthOf(20);
    expect(shown.slice(0, -1).every(({ values }) => (values[0] ?? 0) >= 31)).to.equal(true);
    // The mean of 0 to 30, and nothing where nobody has a value.
    expect(shown.at(-1)).to.deep.equal({ label: 'mean of 31 others', values: [15, null] });
    expect(grouped(series.slice(0, 20))).to.deep.equal(series.slice(0, 20));
    const many = generatedResult({ frameworks: 30, samples: 5 });
    for (const { series: curves } of reportPlots(many).charts) expect(curves.length).to.be.at.most(20);
    expect(chart(many, 'Waiting time').series.at(-1)?.label).to.equal('72 others');
  });

  it('show of waiting times the fraction of tasks that waited at most so long', () => {
    const waits = chart(tiny, 'Waiting time');
    const at = (seconds: number): number | null | undefined =>
      waits.series[0]?.values[waits.x.findLastIndex((x) => x <= seconds)];
    expect(waits.series.map(({ label }) => label)).to.deep.equal(['web']);
    expect([0, 0.09, 0.1, 0.31, 0.4].map(at)).to.deep.equal([0.25, 0.25, 0.5, 0.75, 1]);
    // On a logarithmic axis from 7 to 453 ms the last point is rounded to below 453.
    const tail = { ...tiny, frameworks: tiny.frameworks.map((one) => ({ ...one, waits: [7, 7, 7, 453] })) };
    expect(chart(tail, 'Waiting time')).to.include({ xKind: 'log' });
    expect(chart(tail, 'Waiting time').series[0]?.values.at(-1)).to.equal(1);
    const list = fc.array(fc.integer({ min: 0, max: 5_000_000 }), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(list, (given) => {
        const result = { ...tiny, frameworks: tiny.frameworks.map((one) => ({ ...one, waits: given })) };
        for (const { values } of chart(result, 'Waiting time').series) {
          expect(values.at(-1)).to.equal(1);
          expect(values.every((value, index) => index === 0 || (value ?? 0) >= (values[index - 1] ?? 0))).to.equal(
            true,
          );
        }
        const { x } = chart(result, 'Waiting time');
        expect(x.every((value, index) => index === 0 || value >= (x[index - 1] ?? 0))).to.equal(true);
      }),
      { numRuns: 50 },
    );
  });

  it('leave out what a run does not have', () => {
    const empty = { ...tiny, samples: [], frameworks: [], roles: [], events: [] };
    expect(reportPlots(empty).charts).to.deep.equal([]);
    expect(file(empty, 'report.html')).to.include('<h1>tiny</h1>');
  });
});

describe('numbers for people', () => {
  it('have four digits that count', () => {
    const given = [0, 0.5, 1 / 3, 12.345_678, 999.96, 1234.5, 1_234_567, 0.000_012_3, -2.5, 1e-9, undefined];
    expect(given.map((value) => short(value)).join(' ')).to.equal(
      '0 0.5 0.3333 12.35 1000 1235 1\u202f234\u202f567 0.000012 -2.5 0 –',
    );
    expect(short(2.5, 's')).to.equal('2.5\u202fs');
  });
});
