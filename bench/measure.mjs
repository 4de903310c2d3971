/** How much of each case one measurement does. */
export const sizes = {
  volley: 500,
  oneway: 5_000_000,
  pingpong: 3_000_000,
  ask: 200_000,
  spawn: 100_000,
  idle: 100_000,
};

/**
 * Operations per second: one run to warm up, then the best of five, because whatever else the machine does can only slow a
 * run down. Throws if a run lost or doubled anything.
 */
export async function bestRate(name, run, count = sizes[name]) {
  const rates = [];
  for (let attempt = 0; attempt < 6; attempt++) {
    const start = process.hrtime.bigint();
    const done = await run(count);
    const seconds = Number(process.hrtime.bigint() - start) / 1e9;
    if (done !== count) throw new Error(`${name}: ${done} of ${count} arrived`);
    if (attempt > 0) rates.push(count / seconds);
  }
  return Math.max(...rates);
}

/** Heap bytes that each of many idle processes keeps, after each has served a message. Needs --expose-gc. */
export async function bytesEach(make) {
  await arrived(await make(1000), 1000);
  const before = heap();
  const made = await make(sizes.idle);
  await arrived(made, sizes.idle);
  return (heap() - before) / sizes.idle;
}

async function arrived(made, count) {
  const deadline = Date.now() + 10_000;
  while (made.seen() < count && Date.now() < deadline) await new Promise((resolve) => setImmediate(resolve));
  if (made.seen() !== count) throw new Error(`bytes: ${made.seen()} of ${count} arrived`);
}

export function median(values) {
  return quantile(values, 0.5);
}

/** The value below which this share of the values lies; between two of them, the mean. */
export function quantile(values, share) {
  const sorted = Float64Array.from(values).sort();
  const at = share * (sorted.length - 1);
  return (sorted[Math.floor(at)] + sorted[Math.ceil(at)]) / 2;
}

/** Nanoseconds of a clock that all processes of the machine share. */
export function nanoseconds() {
  return Number(process.hrtime.bigint());
}

/** What the parent process reads. A side with one figure calls it `value`. */
export function print(result) {
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

/** Bytes in use after everything else was collected. Needs --expose-gc. */
export function heap() {
  for (let pass = 0; pass < 4; pass++) globalThis.gc();
  return process.memoryUsage().heapUsed;
}
