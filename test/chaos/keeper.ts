/**
 * A framework that keeps tasks running: `keeper.ts NATS_URLS JOURNAL LAUNCHES TASKS SHORT_TASKS
 * LINK_TIMEOUT`. All that it must not
 * forget is in its journal: killed and started again it is the same framework with the same tasks.
 */
import { appendFileSync, existsSync } from 'node:fs';
import { Basket, shellTask, startScheduler } from '@mezzo/frameworks';
import { dispatch, Runtime } from '@mezzo/process';
import { nats } from '@mezzo/process/nats';
import { AgentID, FrameworkID, TaskID } from '@mezzo/protocol';
import { type Entry, isEnd, isShort, readJournal } from './journal.ts';

const [servers = '', journal = '', launches = '', wantedTasks = '', wantedShort = '', linkTimeout = ''] =
  process.argv.slice(2);

/** The state that was told last; empty before the first. */
const open = new Map<string, { state: string; readonly agent: string }>();
let number = 0;
let frameworkId: string | undefined;

function learn(entry: Entry): void {
  if (entry.kind === 'subscribed') ({ frameworkId } = entry);
  if (entry.kind === 'launch') {
    number = Math.max(number, Number(entry.id.slice(1)) + 1);
    open.set(entry.id, { state: '', agent: entry.agent });
  }
  if (entry.kind !== 'update') return;
  const task = open.get(entry.id);
  if (task === undefined) return;
  task.state = entry.state;
  if (isEnd(entry.state)) open.delete(entry.id);
}

/** In the journal before it is done: what was not sent is asked for, and never launched again under its id. */
function write(entry: Entry): void {
  appendFileSync(journal, `${JSON.stringify(entry)}\n`);
  learn(entry);
}

function missing(short: boolean): number {
  const there = [...open.keys()].filter((id) => isShort(id) === short).length;
  return Number(short ? wantedShort : wantedTasks) - there;
}

if (existsSync(journal)) for (const entry of readJournal(journal)) learn(entry);
process.stdin.on('end', () => process.exit(0)).resume();
// The framework is done, and so are its tasks.
process.on('SIGTERM', () => void dispatch(scheduler, (driver) => driver.teardown()));

const runtime = await Runtime.start({
  name: 'keeper',
  transport: nats({ servers }),
  linkTimeout: Number(linkTimeout),
});
const scheduler = startScheduler(runtime, {
  cluster: 'mezzo',
  framework: {
    name: 'keeper',
    capabilities: ['PARTITION_AWARE'],
    failoverTimeout: '1hrs',
    checkpoint: true,
    ...(frameworkId === undefined ? {} : { id: FrameworkID(frameworkId) }),
  },
  scheduler: {
    subscribed(given, { frameworkId: id, masterUrl }) {
      write({ at: Date.now(), kind: 'subscribed', frameworkId: id, master: masterUrl });
      // The driver knows the tasks of this life only.
      given.reconcile([...open].map(([task, { agent }]) => ({ taskId: TaskID(task), agentId: AgentID(agent) })));
    },
    disconnected() {
      write({ at: Date.now(), kind: 'disconnected' });
    },
    error(_given, message) {
      write({ at: Date.now(), kind: 'error', message });
    },
    offers(given, offers) {
      write({ at: Date.now(), kind: 'offers' });
      for (const offer of offers) {
        const basket = new Basket(offer);
        const tasks = [];
        // Not all on the first agent that is offered.
        for (const [short, most] of [
          [true, 2],
          [false, Math.ceil(Number(wantedTasks) / 5)],
        ] as const) {
          for (let count = Math.min(missing(short), most); count > 0; count--) {
            const resources = basket.take('cpus:0.1;mem:8');
            if (resources === undefined) break;
            const id = `${short ? 's' : 't'}${number}`;
            write({ at: Date.now(), kind: 'launch', id, agent: offer.agentId });
            // One short line appended is never mixed with another's. Nothing outlives the run for long.
            const command = `echo ${id} $$ >> '${launches}'; exec sleep ${short ? 2 : 3600}`;
            tasks.push(shellTask(offer, { id, command, resources }));
          }
        }
        given.accept(offer, tasks, { refuseSeconds: 0.2 });
      }
    },
    update(_given, { taskId, state, reason, message }) {
      write({ at: Date.now(), kind: 'update', id: taskId, state, why: `${reason ?? ''} ${message ?? ''}`.trim() });
    },
  },
});
await runtime.wait(scheduler);
await runtime.stop();
process.exit(0);
