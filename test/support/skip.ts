/** Where a suite or test keeps why it was skipped; scripts/mocha-reporter.mjs prints it. */
const REASON = Symbol.for('mezzo.skipReason');

/** Whether a missing tool is a failure and not a reason to skip. */
export function everythingIsRequired(environment: NodeJS.ProcessEnv = process.env): boolean {
  return Boolean(environment['CI']) || environment['MEZZO_REQUIRE_ALL'] === '1';
}

/**
 * Skips the test or, called from a hook, the suite of this mocha context, and has the reporter tell why. Under CI, or
 * with MEZZO_REQUIRE_ALL=1, throws instead: there everything is provisioned, and a skip would hide a fault.
 */
export function skipBecause(context: Mocha.Context, reason: string): never {
  if (everythingIsRequired()) throw new Error(`cannot run this test: ${reason}`);
  const skipped = skippedBy(context);
  if (skipped !== undefined) Reflect.set(skipped, REASON, reason);
  return context.skip();
}

/** A before hook's skip is its suite's, a beforeEach hook's that of the test it ran for. */
function skippedBy(context: Mocha.Context): object | undefined {
  const runnable = context.test;
  // Mocha sets `currentTest` in a before hook too, to the suite's first test: only the title tells the hooks apart.
  if (runnable?.title.startsWith('"before all" hook')) return runnable.parent;
  return context.currentTest ?? runnable;
}
