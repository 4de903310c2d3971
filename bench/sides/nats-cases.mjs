import { median, nanoseconds, print } from '../measure.mjs';

/** What both sides of a NATS case share: how much they send, and what. */
export const cases = {
  'oneway.16': { count: 1_000_000, make: always(16) },
  'oneway.100': { count: 1_000_000, make: always(100) },
  'oneway.1024': { count: 300_000, make: always(1024) },
  typed: { count: 300_000, make: (index) => order(index) },
  'oneway.loaded': { count: 8000 },
  'ask.sequential': { count: 5000, inflight: 1 },
  'ask.inflight100': { count: 50_000, inflight: 100 },
};

/** Messages sent before the loop lets the socket write. */
export const volley = 1000;

/** One body for all messages: what is measured is sending, not making. */
function always(size) {
  const body = new Uint8Array(size).fill(7);
  return () => body;
}

function order(index) {
  return {
    id: `order-${index}`,
    customer: 'customer-4711',
    created: 1_700_000_000_000 + index,
    amount: 1234.5,
    currency: 'EUR',
    express: index % 2 === 0,
    items: 3,
    weight: 0.75,
    country: 'Greece',
    note: 'leave it with the neighbours',
  };
}

const fields = Object.entries(order(0)).map(([name, value]) => [name, typeof value]);

/** Checks all ten fields. */
export function isOrder(value) {
  if (typeof value !== 'object' || value === null) return false;
  for (const [name, type] of fields) if (typeof value[name] !== type) return false;
  return true;
}

const runs = 4;

/** Prints operations per second: one run to warm up, then the best of three. */
export async function printRate(count, run) {
  const measured = [];
  const before = process.cpuUsage();
  for (let attempt = 0; attempt < runs; attempt++) {
    const start = nanoseconds();
    await run(count);
    if (attempt > 0) measured.push(count / ((nanoseconds() - start) / 1e9));
  }
  print({ value: Math.max(...measured), cpu: microseconds(before), operations: count * runs });
}

/** Prints the median time of one operation in microseconds, one at a time, after a run to warm up. */
export async function printRoundTrip(count, one) {
  const before = process.cpuUsage();
  const times = new Float64Array(count);
  for (let run = 0; run < 2; run++) {
    for (let index = 0; index < count; index++) {
      const start = nanoseconds();
      await one();
      times[index] = (nanoseconds() - start) / 1000;
    }
  }
  print({ value: median(times), cpu: microseconds(before), operations: count * 2 });
}

/** Of a receiver: tells when it is asked to end what processor time it took since now. */
export function ready() {
  const before = process.cpuUsage();
  process.once('SIGTERM', () => {
    process.stdout.write(`${JSON.stringify({ cpu: microseconds(before) })}\n`, () => process.exit(0));
  });
  process.stdout.write('ready\n');
}

export function microseconds(before) {
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

/** Runs `one` so many times, `inflight` of them at once. */
export async function concurrently(count, inflight, one) {
  let left = count;
  const worker = async () => {
    while (left-- > 0) await one();
  };
  await Promise.all(Array.from({ length: inflight }, worker));
}

/** Calls `one` so many times, a few at each tick of a 1 ms timer. */
export async function paced(count, one) {
  let left = count;
  await new Promise((resolve) => {
    const timer = setInterval(() => {
      for (let burst = 0; burst < 4 && left > 0; burst++, left--) one();
      if (left > 0) return;
      clearInterval(timer);
      resolve();
    }, 1);
  });
}

export const hop = () => new Promise((resolve) => setImmediate(resolve));
