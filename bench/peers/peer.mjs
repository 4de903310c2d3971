import { bestRate, print, sizes } from '../measure.mjs';

/** Runs the case that the command line names, so often as `counts` says, and prints its operations per second. */
export async function measure(cases, counts) {
  const name = process.argv[2];
  const run = cases[name];
  if (run === undefined)
    throw new Error(`There is no case '${name}': expected one of ${Object.keys(cases).join(', ')}`);
  print({ value: await bestRate(name, (count) => run(count, sizes.volley), counts[name]) });
  process.exit(0);
}
