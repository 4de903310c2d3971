import { readFileSync } from 'node:fs';

// Usage: node scripts/test-totals.mjs FILE
// Prints the counts that scripts/mocha-reporter.mjs left in FILE as one line, `N passed, N failed, N skipped`, and
// fails unless every test ran and passed.

const [, , file] = process.argv;
let totals;
try {
  totals = JSON.parse(readFileSync(file, 'utf8'));
} catch (error) {
  process.stderr.write(`The test run left no report: it ended before mocha did (${error.message})\n`);
  process.exit(1);
}
const { passed, failed, skipped } = totals;
if (skipped > 0) process.stderr.write('Nothing may be skipped here: the reasons are above.\n');
if (passed + failed + skipped === 0) process.stderr.write('No test ran.\n');
process.stdout.write(`${passed} passed, ${failed} failed, ${skipped} skipped\n`);
process.exitCode = passed > 0 && failed === 0 && skipped === 0 ? 0 : 1;
