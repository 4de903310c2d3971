import { readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import {
  readScenario,
  readTrace,
  type Scenario,
  type ScenarioText,
  traceFile,
  tracesOf,
  type TraceTask,
  withTraces,
} from '@mezzo/lab';
import { messageOf } from '@mezzo/process';

export async function readScenarioText(path: string): Promise<ScenarioText> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new Error(`Cannot read scenario ${path}: ${reasonOf(error)}`, { cause: error });
  });
  return { source: path, text };
}

/** Reads a scenario with the traces that it replays, whose paths are relative to the scenario's folder. */
export async function parseScenario({ source, text }: ScenarioText): Promise<Scenario> {
  const scenario = readScenario(text, source);
  const traces = new Map<string, readonly TraceTask[]>();
  for (const trace of tracesOf(scenario)) traces.set(trace, await readTraceFile(resolve(dirname(source), trace)));
  return withTraces(scenario, traces);
}

async function readTraceFile(path: string): Promise<readonly TraceTask[]> {
  const tasks: TraceTask[] = [];
  try {
    for await (const task of readTrace(traceFile(path))) tasks.push(task);
  } catch (error) {
    if (!hasCode(error)) throw error;
    throw new Error(`Cannot read trace ${path}: ${reasonOf(error)}`, { cause: error });
  }
  return tasks;
}

function hasCode(error: unknown): error is Error & { readonly code: unknown } {
  return error instanceof Error && 'code' in error;
}

function reasonOf(error: unknown): string {
  if (hasCode(error) && error.code === 'ENOENT') return 'there is no such file';
  if (hasCode(error) && error.code === 'EISDIR') return 'it is a folder';
  return messageOf(error);
}
