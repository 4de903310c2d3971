import { cases } from './cases.ts';

/** Bytes in use once nothing that is not needed is left. */
async function heap(): Promise<number> {
  for (let pass = 0; pass < 4; pass++) {
    await new Promise((resolve) => void setTimeout(resolve, 5));
    globalThis.gc?.();
  }
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const all = await cases();
// Code that is compiled and tables that have found their size are not what is looked for.
for (const { run, count } of all) await run(Math.min(count / 10, 20_000));
const beginning = await heap();
let before = beginning;
const kept: Record<string, number> = {};
for (const { what, count, run } of all) {
  const start = performance.now();
  await run(count);
  const after = await heap();
  kept[what] = after - before;
  before = after;
  if (process.env['TIMES'] !== undefined) console.error(what, Math.round(performance.now() - start), 'ms', kept[what]);
}
process.send?.({ ...kept, 'all together': before - beginning });
process.disconnect?.();
process.exit();
