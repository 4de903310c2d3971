import type { Cell } from '../cell.ts';
import { Process } from '../process.ts';
import { json } from '../route.ts';

/** Waiting events shown of one process: a full mailbox must not make an answer of megabytes. */
const shown = 1000;

/** `/__processes__`: who lives here and what waits in the mailboxes. It asks nobody, so a busy process cannot hang it. */
export class ProcessesProcess extends Process {
  constructor() {
    super('__processes__');
  }

  protected override initialize(): void {
    this.route('/', () => {
      const { runtime } = this;
      return json(runtime.processes.map((id) => describe(id, runtime.cell(id))));
    });
  }
}

function describe(id: string, cell: Cell | undefined): object {
  const events: object[] = [];
  for (const event of cell?.events() ?? []) {
    if (events.length === shown) break;
    const name = event.name === '' ? undefined : event.name;
    events.push({ type: event.kind.toUpperCase(), name, from: event.from?.toString() });
  }
  return { id, events };
}
