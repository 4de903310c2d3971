import { side } from '../subprocess.mjs';

const few = 1000;
/** A cost that grew with the links would be 10 or 100 times that of few; the rest is collecting garbage, and the caches. */
const target = { of: 'ratio', atMost: 5 };

/** Idle processes that one other is linked to: what the end of one costs must not depend on how many there are. */
export const links = {
  name: 'links',
  runs: [
    run(10_000, few / 2, few / 2, [{ name: 'links.exit.10000', figure: 'end', target }]),
    run(100_000, few / 2, few / 2, [{ name: 'links.exit.100000', figure: 'end', target }]),
    run(100_000, 100_000, few, [
      { name: 'links.settle.100000', figure: 'settle' },
      { name: 'links.end.100000', figure: 'end', target },
    ]),
  ],
};

/** So many links at a time, of which a part is made and ended again and again; beside it, a part of few. */
function run(count, part, partOfFew, cases) {
  return {
    ours: () => side('links.mjs', [String(count), String(part)]),
    reference: () => side('links.mjs', [String(few), String(partOfFew)]),
    cases: cases.map((one) => ({
      ...one,
      unit: 'ns each',
      lowerIsBetter: true,
      referenceName: 'the same with 1,000 links',
    })),
  };
}
