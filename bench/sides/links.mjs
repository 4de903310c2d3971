// node links.mjs COUNT PART prints the nanoseconds that each of PART processes takes while COUNT in all are linked to:
// to be spawned, initialized and linked to (settle), and to end with those of the part (end).
import { Process, Runtime } from '@mezzo/process';
import { nanoseconds, print } from '../measure.mjs';

const [count, part] = process.argv.slice(2).map(Number);
/** However many there are at a time, so many are made and ended in all, so that both sides are equally warm. */
const total = 200_000;

class Idle extends Process {}

class Watcher extends Process {
  exits = 0;
  watch(pids) {
    for (const pid of pids) this.link(pid);
  }
  exited() {
    this.exits++;
    if (this.exits === this.expected) this.heardAll();
  }
  heard(expected) {
    this.exits = 0;
    this.expected = expected;
    return new Promise((resolve) => (this.heardAll = resolve));
  }
}

const runtime = await Runtime.start();
const watcher = new Watcher();
const watching = runtime.spawn(watcher);

/** So many more processes that the watcher is linked to, all of them initialized. */
async function linked(howMany) {
  if (howMany === 0) return [];
  const pids = Array.from({ length: howMany }, () => runtime.spawn(new Idle()));
  await runtime.dispatch(watching, (process) => process.watch(pids));
  // The last to be spawned answers last.
  await runtime.dispatch(pids.at(-1), () => undefined);
  return pids;
}

async function end(pids) {
  if (pids.length === 0) return;
  const heard = watcher.heard(pids.length);
  for (const pid of pids) runtime.terminate(pid);
  await heard;
  if (watcher.exits !== pids.length) throw new Error(`${watcher.exits} of ${pids.length} exits were heard`);
}

const spent = { settle: 0, end: 0 };
const others = await linked(count - part);
let measured = 0;
for (let made = 0; made < total; made += part) {
  const start = nanoseconds();
  const pids = await linked(part);
  const settled = nanoseconds();
  await end(pids);
  const ended = nanoseconds();
  // The first half is for the compiler.
  if (made < total / 2) continue;
  measured += part;
  spent.settle += settled - start;
  spent.end += ended - settled;
}
await end(others);
print({ settle: spent.settle / measured, end: spent.end / measured });
await runtime.stop();
