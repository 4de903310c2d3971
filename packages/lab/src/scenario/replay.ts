import type { TraceTask } from '../traces/index.ts';
import type { Scenario } from './scenario.ts';

/** The files that a scenario's recorded frameworks take their tasks from, as the scenario names them. */
export function tracesOf({ frameworks }: Scenario): readonly string[] {
  return [...new Set(frameworks.flatMap((group) => (group.kind === 'recorded' ? (group.trace ?? []) : [])))];
}

/**
 * The scenario with the tasks of its traces in it; `runScenario` needs them there.
 *
 * @param traces tasks by the file's name in the scenario
 * @throws Error for a trace that is not there, or has no task of the framework that is asked for
 */
export function withTraces(scenario: Scenario, traces: ReadonlyMap<string, readonly TraceTask[]>): Scenario {
  const byFramework = new Map<string, Map<string, TraceTask[]>>();
  for (const [trace, tasks] of traces) {
    const groups = new Map<string, TraceTask[]>();
    for (const task of tasks) {
      const group = groups.get(task.framework);
      if (group === undefined) groups.set(task.framework, [task]);
      else group.push(task);
    }
    byFramework.set(trace, groups);
  }
  const frameworks = scenario.frameworks.map((group) => {
    if (group.kind !== 'recorded' || group.trace === undefined) return group;
    const { trace, only, ...rest } = group;
    const tasks = only === undefined ? traces.get(trace) : byFramework.get(trace)?.get(only);
    if (tasks === undefined) {
      const what = traces.has(trace) ? `has no task of a framework '${only ?? ''}'` : 'was not read';
      throw new Error(`Framework '${group.name}' replays trace '${trace}', which ${what}`);
    }
    return { ...rest, tasks: tasks.map((task) => ({ ...task, resources: textOf(task) })) };
  });
  return { ...scenario, frameworks };
}

function textOf({ resources }: TraceTask): string {
  return Object.entries(resources)
    .map(([name, amount]) => `${name}:${amount}`)
    .join(';');
}
