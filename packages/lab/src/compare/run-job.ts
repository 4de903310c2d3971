import { dirname, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

import { runScenario } from '../run/run-scenario.ts';
import { readScenario } from '../scenario/read-scenario.ts';
import { tracesOf, withTraces } from '../scenario/replay.ts';
import { readTrace, traceFile, type TraceTask } from '../traces/index.ts';
import { type Metrics, metricsOf } from './metrics.ts';
import type { Job } from './plan.ts';

/** What a worker thread does: reads a scenario and the traces beside it, runs it, and gives back its figures alone. */
export async function runJob({ scenario: { source, text }, allocator, sorter, seed }: Job): Promise<Metrics> {
  const scenario = readScenario(text, source);
  const traces = new Map<string, readonly TraceTask[]>();
  for (const trace of tracesOf(scenario)) {
    const tasks: TraceTask[] = [];
    for await (const task of readTrace(traceFile(resolve(dirname(source), trace)))) tasks.push(task);
    traces.set(trace, tasks);
  }
  const [file, directory] = [pathToFileURL(source), pathToFileURL('./')];
  return metricsOf(await runScenario(withTraces(scenario, traces), { seed, allocator, sorter, file, directory }));
}
