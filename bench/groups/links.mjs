import { side } from '../subprocess.mjs';

const few = 1000;

/** Idle processes that one other is linked to: what the end of one costs must not depend on how many there are. */
export const links = {
  name: 'links',
  cases: [
    { work: 'exit', count: 10_000 },
    { work: 'exit', count: 100_000 },
    { work: 'settle', count: 100_000 },
    { work: 'end', count: 100_000 },
  ].map(({ work, count }) => ({
    name: `links.${work}.${count}`,
    unit: 'ns each',
    referenceName: `the same with ${few.toLocaleString('en-US')} links`,
    lowerIsBetter: true,
    ours: () => side('links.mjs', [work, String(count)]),
    reference: () => side('links.mjs', [work, String(few)]),
  })),
  async open() {
    return { async close() {} };
  },
};
