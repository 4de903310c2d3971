import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { toMermaid } from '@mezzo/process/xstate';
import {
  agentAtMasterMachine,
  agentMachine,
  executorMachine,
  frameworkMachine,
  inverseOfferMachine,
  machineMachine,
  offerMachine,
  operationMachine,
  schedulingMachine,
  taskAtAgentMachine,
  taskAtMasterMachine,
} from '@mezzo/protocol';

/** The page of diagrams, drawn from the machines that the code runs on. */
export function lifecyclesPage(): string {
  const sections = [
    [
      'A task, as the master sees it',
      'packages/protocol/src/lifecycle/task-at-master.ts',
      toMermaid(taskAtMasterMachine),
    ],
    ['A task, as its agent sees it', 'packages/protocol/src/lifecycle/task-at-agent.ts', toMermaid(taskAtAgentMachine)],
    ['An executor, as its agent sees it', 'packages/protocol/src/lifecycle/executor.ts', toMermaid(executorMachine)],
    ['A framework', 'packages/protocol/src/lifecycle/framework.ts', toMermaid(frameworkMachine)],
    [
      'An agent, as the master sees it',
      'packages/protocol/src/lifecycle/agent-at-master.ts',
      toMermaid(agentAtMasterMachine),
    ],
    [
      'Whether an agent is offered, as operators decide it',
      'packages/protocol/src/lifecycle/scheduling.ts',
      toMermaid(schedulingMachine),
    ],
    ['An agent, as it sees itself', 'packages/protocol/src/lifecycle/agent.ts', toMermaid(agentMachine)],
    ['An offer', 'packages/protocol/src/lifecycle/offer.ts', toMermaid(offerMachine)],
    ['An inverse offer', 'packages/protocol/src/lifecycle/inverse-offer.ts', toMermaid(inverseOfferMachine)],
    [
      'An operation, as the master sees it',
      'packages/protocol/src/lifecycle/operation.ts',
      toMermaid(operationMachine),
    ],
    ['A machine in maintenance', 'packages/protocol/src/lifecycle/machine.ts', toMermaid(machineMachine)],
  ] as const;
  return [
    '# Lifecycles',
    '',
    'Drawn from the machines by `npm run docs:lifecycles`; a test holds this page equal to them.',
    ...sections.flatMap(([title, file, diagram]) => [
      '',
      `## ${title}`,
      '',
      `[${file.split('/').at(-1)}](../${file})`,
      '',
      '```mermaid',
      diagram.trimEnd(),
      '```',
    ]),
    '',
  ].join('\n');
}

export const lifecyclesFile = fileURLToPath(new URL('../docs/lifecycles.md', import.meta.url));

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(lifecyclesFile, lifecyclesPage());
