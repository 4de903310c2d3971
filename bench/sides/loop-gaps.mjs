// node loop-gaps.mjs busy|idle prints the gaps between the ticks of a 1 ms timer in milliseconds.
import { message, Process, Runtime } from '@mezzo/process';
import { nanoseconds, print, quantile } from '../measure.mjs';

const load = process.argv[2];
const pairs = 100;
const ticks = 3000;

const Ping = message('ping');
let served = 0;

/** Answers without end. */
class Busy extends Process {
  initialize() {
    this.install(Ping, (_body, from) => {
      served++;
      this.send(from, Ping);
    });
  }
}

const runtime = await Runtime.start();
if (load === 'busy') {
  for (let pair = 0; pair < pairs; pair++) {
    const to = runtime.spawn(new Busy());
    runtime.dispatch(runtime.spawn(new Busy()), (busy) => void busy.send(to, Ping));
  }
}

const gaps = [];
await new Promise((resolve) => {
  let last = 0;
  const timer = setInterval(() => {
    const now = nanoseconds();
    // The first ticks fall into the compilation of everything.
    if (last > 0) gaps.push((now - last) / 1e6);
    last = now;
    if (gaps.length < ticks + 200) return;
    clearInterval(timer);
    resolve();
  }, 1);
});
if (load === 'busy' && served < ticks) throw new Error(`the processes were not busy: ${served} messages`);
const warm = gaps.slice(-ticks);
print({ p50: quantile(warm, 0.5), p99: quantile(warm, 0.99), max: quantile(warm, 1) });
process.exit(0);
