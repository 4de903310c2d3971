import { expect } from 'chai';
import fc from 'fast-check';

import { readTrace, TraceError, traceHeader, traceLine, type TraceTask } from '../../src/traces/index.ts';

const amount = fc.integer({ min: 1, max: 10_000_000 }).map((thousandths) => thousandths / 1000);

const task: fc.Arbitrary<TraceTask> = fc.record({
  arrival: fc.integer({ min: 0, max: 3_000_000_000 }),
  framework: fc.string({ minLength: 1, unit: 'grapheme' }).filter((name) => name.trim() === name && name !== ''),
  role: fc.constantFrom('*', 'ads', 'ads/"night, shift"'),
  duration: fc.integer({ min: 0, max: 3_000_000_000 }),
  resources: fc.record({ cpus: amount, mem: amount, disk: amount, gpus: amount }, { requiredKeys: ['mem'] }),
  priority: fc.integer({ min: -5, max: 11 }),
});

async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const item of items) list.push(item);
  return list;
}

/** A text in chunks that end anywhere, also inside a character. */
function inChunks(text: string, size: number): Uint8Array[] {
  const bytes = new TextEncoder().encode(text);
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) =>
    bytes.subarray(index * size, (index + 1) * size),
  );
}

/** What reading the text is refused with. */
function refusal(text: string): TraceError {
  try {
    readTrace(text, 'w.csv');
  } catch (error) {
    if (error instanceof TraceError) return error;
    throw error;
  }
  throw new Error('it was read');
}

describe('a trace in CSV', () => {
  it('is read as it was written, at once and in chunks', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(task), fc.integer({ min: 1, max: 50 }), async (tasks, size) => {
        const text = traceHeader + tasks.map(traceLine).join('');
        expect(readTrace(text)).to.deep.equal(tasks);
        expect(await all(readTrace({ name: 'x', chunks: inChunks(text, size) }))).to.deep.equal(tasks);
      }),
      { numRuns: 60 },
    );
  });

  it('has its columns in any order; role, disk, gpus and priority may be absent or empty', () => {
    const text =
      '\uFEFF"mem",cpus,duration,framework,arrival,gpus\r\n512,0.5,60.25,web,1.5,\r\n\r\n0,1,0,"a ""b"", c",2,0.001\r\n';
    expect(readTrace(text)).to.deep.equal([
      { arrival: 1500, framework: 'web', role: '*', duration: 60_250, resources: { cpus: 0.5, mem: 512 }, priority: 0 },
      {
        arrival: 2000,
        framework: 'a "b", c',
        role: '*',
        duration: 0,
        resources: { cpus: 1, gpus: 0.001 },
        priority: 0,
      },
    ]);
    expect(readTrace(traceHeader)).to.deep.equal([]);
  });

  it('is refused with the line and the column of what is wrong', () => {
    const header = 'arrival,framework,duration,cpus,mem,priority\n';
    const wrong: [string, number, string | undefined, RegExp][] = [
      ['', 1, undefined, /lacks arrival, framework/],
      ['arrival,framework,duration,cpus\n', 1, undefined, /lacks mem;/],
      ['arrival,framework,duration,cpus,mem,mem\n', 1, '"mem"', /twice/],
      ['arrival,framework,duration,cpus,mem,memory\n', 1, '"memory"', /known are arrival, .*priority/],
      [`${header}1,web,2,1,1,0\n1,web,2,1\n`, 3, undefined, /has 4 columns, the first line has 6/],
      [`${header}-1,web,2,1,1,0\n`, 2, 'arrival', /got "-1", expected a decimal number from 0/],
      [`${header}1,,2,1,1,0\n`, 2, 'framework', /empty/],
      [`${header}1,web,2s,1,1,0\n`, 2, 'duration', /got "2s"/],
      [`${header}1,web,2,0x10,1,0\n`, 2, 'cpus', /got "0x10"/],
      [`${header}1,web,2,NaN,1,0\n`, 2, 'cpus', /got "NaN"/],
      [`${header}1,web,2,1,1e300,0\n`, 2, 'mem', /expected a decimal number from 0 to 1000000000000/],
      [`${header}1,web,2,1,,0\n`, 2, 'mem', /got ""/],
      [`${header}1,web,2,1,1,1.5\n`, 2, 'priority', /whole number/],
      [`${header}1,web,2,0.0004,0,0\n`, 2, 'cpus', /asks for nothing/],
      [`${header}1,"web,2,1,1,0\n`, 2, undefined, /not valid CSV/],
      [`${header}1,web"x,2,1,1,0\n`, 2, undefined, /not valid CSV/],
    ];
    for (const [text, line, column, message] of wrong) {
      const error = refusal(text);
      expect([error.file, error.line, error.column], text).to.deep.equal(['w.csv', line, column]);
      expect(error.message)
        .to.match(message)
        .and.match(/^w\.csv, line \d+/);
    }
  });

  it('is refused when a row never ends, before it fills the memory', async () => {
    const endless = function* (): Generator<string> {
      yield traceHeader;
      yield '1,"';
      for (let sent = 0; sent < 2000; sent++) yield 'x'.repeat(100_000);
    };
    const before = process.memoryUsage().rss;
    const error = await all(readTrace({ name: 'w.csv', chunks: endless() })).then(
      () => undefined,
      (refused: unknown) => refused,
    );
    expect(error).to.be.instanceOf(TraceError);
    expect(process.memoryUsage().rss - before).to.be.lessThan(80e6);
  });

  it('passes on why a source broke', async () => {
    const source = async function* (): AsyncGenerator<string> {
      yield traceHeader;
      throw new Error('the disk is gone');
    };
    const error = await all(readTrace({ name: 'w.csv', chunks: source() })).catch((broke: unknown) => broke);
    expect(error).to.be.instanceOf(Error).with.property('message', 'the disk is gone');
  });
});
