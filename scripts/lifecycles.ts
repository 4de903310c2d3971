import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { toMermaid } from '@mezzo/process/xstate';
import {
  agentAtMasterMachine,
  agentMachine,
  frameworkMachine,
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
    ['A framework', 'packages/protocol/src/lifecycle/framework.ts', toMermaid(frameworkMachine)],
    [
      'An agent, as the master sees it',
      'packages/protocol/src/lifecycle/agent-at-master.ts',
      toMermaid(agentAtMasterMachine),
    ],
    ['An agent, as it sees itself', 'packages/protocol/src/lifecycle/agent.ts', toMermaid(agentMachine)],
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
