import { expect } from 'chai';
import fc from 'fast-check';

import { inArrivalOrder } from '../../src/traces/arrival-order.ts';
import type { Submitted } from '../../src/traces/conversion.ts';
import { type ConversionOptions, convertTrace, TraceError, type TraceTask } from '../../src/traces/index.ts';
import { converted, line, memorySpill, origin, second } from './converted.ts';

describe('malformed lines', () => {
  const good = line({ time: origin, type: 0, job: 1, index: 0 }) + line({ time: origin, type: 1, job: 1, index: 0 });
  const wrong: [string, string | undefined, RegExp][] = [
    ['1,2,3', undefined, /has 3 columns, expected 13: time, missing info/],
    [
      line({ time: origin - 1, type: 0, job: 2, index: 0 }),
      'time',
      /599999999 after 600000000: events must be in the order/,
    ],
    [line({ time: origin, type: 9, job: 2, index: 0 }), 'event type', /got "9", expected a whole number from 0 to 8/],
    [line({ time: origin, type: 0, job: 2, index: 0 }, 'u', 0, '-1,1,1'), 'CPU request', /got "-1"/],
    [line({ time: origin, type: 0, job: 2, index: 0 }).replace('600000000', 'noon'), 'time', /got "noon"/],
    [line({ time: origin, type: 0, job: 2, index: 0 }, '"'), undefined, /has 3 columns/],
  ];

  it('are refused with their line and column', async () => {
    for (const [text, column, message] of wrong.slice(0, -1)) {
      const error = await converted({ format: 'google-2011', tasks: good + text }).catch((refused: unknown) => refused);
      if (!(error instanceof TraceError)) throw new Error(`${text} was not refused`, { cause: error });
      expect([error.file, error.line, error.column], text).to.deep.equal(['tasks.csv', 3, column]);
      expect(error.message).to.match(message);
    }
    const bad = await converted({ format: 'alibaba-2018', tasks: 'M1,0,j,1,T,1,2,3,4' }).catch(
      (refused: unknown) => refused,
    );
    expect(bad).to.be.instanceOf(TraceError).with.property('column', 'instance_num');
  });

  it('are counted by a lenient conversion, which says what the first of them were', async () => {
    const end = line({ time: origin + second, type: 5, job: 1, index: 0 });
    const text =
      good +
      wrong
        .map(([one]) => `${one.trimEnd()}\n`)
        .join('')
        .repeat(3) +
      end;
    const { tasks, counts, faults } = await converted({ format: 'google-2011', tasks: text, lenient: true });
    expect(tasks.map(({ duration }) => duration)).to.deep.equal([1000]);
    // A user called `"` is none: nothing is quoted in these tables.
    expect(counts).to.include({ malformed: 15, lines: 21 });
    expect(faults).to.have.lengthOf(10);
    expect(faults[0]).to.equal(
      'tasks.csv, line 3: has 3 columns, expected 13: time, missing info, job ID, task index, machine ID, event type, user, scheduling class, priority, CPU request, memory request, disk space request, different machines restriction',
    );
  });

  it('that leave nothing to replay make no scenario, which nobody could run', async () => {
    const refusal = (given: Parameters<typeof converted>[0]): Promise<string> =>
      converted(given).then(() => 'converted', String);
    const google = { format: 'google-2011', lenient: true } as const;
    expect(await refusal({ ...google, tasks: good + wrong[0]?.[0] })).to.equal('converted');
    expect(await refusal({ ...google, tasks: `${line({ time: origin, type: 0, job: 1, index: 0 })}x\n` })).to.match(
      /^Error: tasks\.csv has no task to replay \(2 lines, 1 of them malformed; 1 tasks never ran, 0 ask for nothing\): expected the table task_events, with the columns time, /,
    );
    expect(await refusal({ ...google, tasks: good, machines: '' })).to.match(
      /^Error: machines\.csv has no machine to begin with: expected the table machine_events, with the columns time, machine ID, /,
    );
    expect(await refusal({ format: 'alibaba-2018', tasks: '' })).to.match(
      /^Error: tasks\.csv is empty: expected the table batch_task, with the columns task_name, /,
    );
  });

  it('are no reason to take options that make no sense', async () => {
    const of = (options: Partial<ConversionOptions>): Promise<unknown> =>
      convertTrace({ format: 'google-2011', tasks: [], ...options }, () => {}).catch((refused: unknown) => refused);
    expect(await of({ frameworks: 0 })).to.match(/Invalid frameworks: got 0/);
    expect(await of({ frameworks: 1.5 })).to.match(/whole number/);
    expect(await of({ scale: { cpus: Number.NaN } })).to.match(/Invalid cpus: got NaN/);
    expect(await of({ until: -1 })).to.match(/Invalid until/);
  });
});

describe('a conversion', () => {
  it('sorts what does not fit in memory in runs that it merges, ties as they were submitted', async () => {
    const arrivals = fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 80 });
    await fc.assert(
      fc.asyncProperty(arrivals, fc.integer({ min: 1, max: 20 }), async (times, length) => {
        const task = (arrival: number): TraceTask => ({
          arrival,
          framework: 'f',
          role: '*',
          duration: 1,
          resources: { cpus: 1 },
          priority: 0,
        });
        const given: Submitted[] = times.map((arrival, sequence) => ({ task: task(arrival), sequence }));
        const source = async function* (): AsyncGenerator<Submitted> {
          yield* given;
        };
        const spill = memorySpill();
        const sorted: Submitted[] = [];
        for await (const one of inArrivalOrder(source(), spill, length)) sorted.push(one);
        const order = (one: Submitted, other: Submitted): number =>
          one.task.arrival - other.task.arrival || one.sequence - other.sequence;
        expect(sorted).to.deep.equal([...given].sort(order));
        expect(spill.runs).to.equal(Math.floor(times.length / length));
      }),
    );
  });

  it('tells how far it is', async () => {
    const events = function* (): Generator<string> {
      for (let job = 0; job < 70_000; job++) {
        yield [0, 1, 5].map((type) => line({ time: origin + job * 10, type, job, index: 0 })).join('');
      }
    };
    const heard: number[] = [];
    const { counts } = await convertTrace(
      { format: 'google-2011', tasks: [{ name: 't', chunks: events() }], onProgress: ({ lines }) => heard.push(lines) },
      () => {},
    );
    expect(heard).to.deep.equal([100_000, 200_000]);
    expect(counts).to.include({ lines: 210_000, tasks: 70_000 });
  });

  it('writes the same bytes every time', async () => {
    const tasks = Array.from(
      { length: 50 },
      (_, index) => `M${index},3,j_${index},${index % 5},Terminated,${(index * 37) % 60},99,5,1\n`,
    ).join('');
    const [one, other] = [
      await converted({ format: 'alibaba-2018', tasks }),
      await converted({ format: 'alibaba-2018', tasks }),
    ];
    expect(one).to.deep.equal(other);
  });
});
