import { writeFileSync } from 'node:fs';

import Mocha from 'mocha';

const { EVENT_RUN_END, EVENT_TEST_PENDING } = Mocha.Runner.constants;

/** Where test/support/skip.ts leaves the reason, on the test or on the suite whose before hook found it. */
const REASON = Symbol.for('mezzo.skipReason');

/**
 * The spec report, then every skipped test with the reason. MEZZO_TEST_TOTALS names a file to leave the counts in, as
 * JSON, for scripts/test-totals.mjs.
 */
export default class MezzoReporter extends Mocha.reporters.Spec {
  constructor(runner, options) {
    super(runner, options);
    const skipped = [];
    runner.on(EVENT_TEST_PENDING, (test) => {
      skipped.push({ title: test.fullTitle(), reason: reasonOf(test) });
    });
    // The base class has registered its summary before: this comes below it.
    runner.once(EVENT_RUN_END, () => {
      printSkipped(skipped);
      const file = process.env.MEZZO_TEST_TOTALS;
      if (file) {
        const { passes, failures } = runner.stats;
        const totals = { passed: passes, failed: failures, skipped: skipped.length };
        writeFileSync(file, `${JSON.stringify(totals)}\n`);
      }
    });
  }
}

function reasonOf(test) {
  for (let place = test; place; place = place.parent) {
    if (place[REASON]) return place[REASON];
  }
  return 'no reason given';
}

/** By reason, since one missing tool skips many tests. */
function printSkipped(skipped) {
  if (skipped.length === 0) return;
  const log = Mocha.reporters.Base.consoleLog;
  log(`  ${skipped.length} skipped:`);
  for (const reason of new Set(skipped.map((test) => test.reason))) {
    const titles = skipped.filter((test) => test.reason === reason).map(({ title }) => title);
    log(`\n  - ${reason} (${titles.length})`);
    for (const title of titles) log(`      ${title}`);
  }
  log('');
}
