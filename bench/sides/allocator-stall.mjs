// node allocator-stall.mjs here|worker AGENTS FRAMEWORKS prints the longest gaps between the ticks of a 1 ms timer in the
// master's event loop while the allocator makes a full run and a filtered run, and how long these runs take.
import { nanoseconds, print } from '../measure.mjs';
import { Cluster } from './allocator-cluster.mjs';

const [place, ...sizes] = process.argv.slice(2);
const [agents, frameworks] = sizes.map(Number);

/** The longest gap in milliseconds while `run` is under way, and what that gives. */
async function stalled(run) {
  await pause(50);
  let last = nanoseconds();
  let longest = 0;
  const tick = () => {
    const now = nanoseconds();
    longest = Math.max(longest, (now - last) / 1e6);
    last = now;
  };
  const timer = setInterval(tick, 1);
  await pause(20);
  longest = 0;
  const took = await run();
  await pause(20);
  clearInterval(timer);
  return [longest, took];
}

function pause(milliseconds) {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

async function full() {
  const cluster = await Cluster.start({ worker: place === 'worker' });
  await cluster.untilOffered(agents, () => {
    cluster.addFrameworks(frameworks);
    cluster.addAgents(agents);
  });
  let result;
  // The first is for the compiler. Of the others the best: what else the machine does can only make gaps longer.
  for (let time = 0; time < 4; time++) {
    await cluster.quiet();
    cluster.recover(cluster.take(), false);
    await cluster.served();
    globalThis.gc();
    const measured = await stalled(() => cluster.run(agents));
    if (time > 0 && (result === undefined || measured[0] < result[0])) result = measured;
  }
  await cluster.stop();
  return result;
}

async function filtered() {
  const cluster = await Cluster.start({ worker: place === 'worker' });
  cluster.addAgents(agents);
  await cluster.served();
  await cluster.declineAll(frameworks);
  globalThis.gc();
  const result = await stalled(() => cluster.run(0, () => cluster.activateAll()));
  await cluster.stop();
  return result;
}

const [fullStall, fullRun] = await full();
const [filteredStall, filteredRun] = await filtered();
print({ full: fullStall, fullRun, filtered: filteredStall, filteredRun });
process.exit(0);
