import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { expect } from 'chai';

import type { Cost } from './link-costs/exits.ts';

const program = fileURLToPath(new URL('link-costs/measure.ts', import.meta.url));

interface Measured {
  readonly what: string;
  /** With 1,000 linked processes, and with 100,000. */
  readonly costs: readonly [Cost, Cost];
}

describe('processes linked to one process, and it to them', () => {
  it('are told of each exit once, by work that does not depend on how many they are', async () => {
    // What is compiled before the count begins would not be counted: it needs an OS process of its own.
    const child = fork(program, { execArgv: ['--import', 'tsx', '--conditions=mezzo:source'] });
    let measured: readonly Measured[] = [];
    child.on('message', (told) => (measured = told as readonly Measured[]));
    const [code] = (await once(child, 'exit')) as [number | null];
    expect(code).to.equal(0);
    expect(measured).to.have.length(6);
    for (const { what, costs } of measured) {
      const [few, many] = costs;
      expect([few.heard, many.heard], what).to.deep.equal([1, 1]);
      // The engine itself counts a fifth more or less, as it optimizes.
      expect(few.work, what).to.be.greaterThan(20);
      expect(many.work / few.work, what).to.be.within(0.6, 1.3);
    }
  }).timeout(120_000);
});
