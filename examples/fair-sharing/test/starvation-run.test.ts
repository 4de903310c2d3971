import { expect } from 'chai';
import { reportStarvation } from '../src/reports.ts';
import { runStarvation } from '../src/starvation-run.ts';
import { page, quoted } from './page.ts';

describe('a framework that needs whole agents, among many small tasks', function () {
  this.timeout(60_000);
  /** An hour. */
  const patience = 3600;
  /** Other than the documented one. */
  const seed = 2;

  it('waits for ever without a quota, though its share is the smallest', async () => {
    expect((await runStarvation({ seed, quota: false, patience })).served).to.equal(undefined);
  });

  it('is served within half of that time with a guarantee of an agent', async () => {
    const { served, small } = await runStarvation({ seed, quota: true, patience });
    expect(served).to.be.within(1, patience / 2);
    // The other agent is theirs.
    expect(small).to.be.within(1, 8);
  });

  it('is documented with these numbers', async () => {
    expect(page).to.include(quoted(await reportStarvation()));
  });
});
