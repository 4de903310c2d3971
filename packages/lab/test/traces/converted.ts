import { expect } from 'chai';

import type { Spill } from '../../src/traces/arrival-order.ts';
import {
  type ConversionOptions,
  type Converted,
  convertTrace,
  readTrace,
  type TraceTask,
} from '../../src/traces/index.ts';

type Given = Omit<ConversionOptions, 'tasks' | 'machines'> & { tasks: string; machines?: string };

export async function converted(given: Given): Promise<Converted & { csv: string; tasks: TraceTask[] }> {
  const { tasks, machines, ...options } = given;
  const file = (name: string, text: string): ConversionOptions['tasks'] => [{ name, chunks: [text] }];
  let csv = '';
  const result = await convertTrace(
    {
      ...options,
      tasks: file('tasks.csv', tasks),
      ...(machines === undefined ? {} : { machines: file('machines.csv', machines) }),
    },
    (text) => void (csv += text),
  );
  return { ...result, csv, tasks: readTrace(csv) };
}

/** Runs kept in memory. */
export const memorySpill = (): Spill & { runs: number } => ({
  runs: 0,
  async write(lines) {
    const kept = [...lines].map((line) => line.trimEnd());
    this.runs++;
    return {
      async *lines() {
        yield* kept;
      },
    };
  },
});

/** Amount times seconds, of each resource. */
export function resourceSeconds(tasks: readonly TraceTask[]): Record<string, number> {
  const sums: Record<string, number> = {};
  for (const { resources, duration } of tasks) {
    for (const [name, amount] of Object.entries(resources)) {
      sums[name] = (sums[name] ?? 0) + (amount * duration) / 1000;
    }
  }
  return sums;
}

export function expectClose(found: Record<string, number>, expected: Record<string, number>): void {
  expect(Object.keys(found).sort()).to.deep.equal(Object.keys(expected).sort());
  for (const [name, sum] of Object.entries(expected)) expect(found[name]).to.be.closeTo(sum, Math.abs(sum) * 1e-9);
}

export const second = 1_000_000;
export const origin = 600 * second;

export interface Event {
  readonly time: number;
  readonly type: number;
  readonly job: number;
  readonly index: number;
}
export const line = ({ time, type, job, index }: Event, user = 'u', priority = 0, request = '0.5,0.25,0'): string =>
  `${time},,${job},${index},,${type},${user},1,${priority},${request},0\n`;
