import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import { expect } from 'chai';

const program = fileURLToPath(new URL('leaks/heap.ts', import.meta.url));
/** Bytes by which the heap may differ from where it began. */
const tolerance = 2 * 1024 * 1024;

describe('a runtime that has done its work', () => {
  it('keeps nothing: of millions of messages, futures, processes and asks, nor of links, timers and streams', async () => {
    // In an OS process of its own: the heap of the tests is in motion.
    const child = fork(program, { execArgv: ['--expose-gc', '--import', 'tsx', '--conditions=mezzo:source'] });
    let kept: Record<string, number> = {};
    child.on('message', (told) => (kept = told as Record<string, number>));
    const [code] = (await once(child, 'exit')) as [number | null];
    expect(code).to.equal(0);
    expect(Object.keys(kept)).to.include.members(['messages', 'futures', 'spawns and exits', 'asks', 'all together']);
    expect(Object.entries(kept).filter(([, bytes]) => bytes > tolerance)).to.deep.equal([]);
  }).timeout(120_000);
});
