import { Document } from 'yaml';

import type { MachineEvent, MachinePark, Scale } from './conversion.ts';

interface Converted {
  readonly name: string;
  readonly format: string;
  readonly park: MachinePark;
  /** By framework. */
  readonly roles: ReadonlyMap<string, string>;
  /** Milliseconds at which the last task would end if none ever waited. */
  readonly end: number;
  readonly scale: Scale;
}

/** The scenario that replays a converted trace, in YAML: the machines as groups of agents, each framework with its tasks. */
export function traceScenario({ name, format, park, roles, end, scale }: Converted): string {
  const trace = `${name}.csv`;
  const document = new Document({
    name,
    // Room for what waits at the end; a whole number of minutes, at least one.
    duration: `${Math.max(1, Math.ceil((end * 1.1) / 60_000))}m`,
    agents: park.groups,
    frameworks: [...roles]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([framework, role]) => ({ name: framework, kind: 'recorded', role, trace, only: framework })),
    ...(park.events.length === 0 ? {} : { events: park.events.map(scenarioEvent) }),
  });
  const { cpus, mem, disk } = scale;
  document.commentBefore = [
    ` Converted from a trace of the format ${format}; ${trace} has its tasks.`,
    ` What its normalised 1.0 stands for here: ${cpus} cpus, ${mem} MB of memory, ${disk} MB of disk.`,
  ].join('\n');
  return document.toString({ lineWidth: 0 });
}

function scenarioEvent(event: MachineEvent): object {
  const at = `${event.at}ms`;
  if ('add' in event) return { at, add: event.add };
  return 'lose' in event ? { at, lose: { agents: event.lose } } : { at, back: { agents: event.back } };
}
