import { side } from '../subprocess.mjs';

function run(work, parameters, cases) {
  return {
    ours: () => side('sorter.mjs', [work, ...parameters.map(String)]),
    cases: cases.map((one) => ({ unit: 'ms', lowerIsBetter: true, ...one })),
  };
}

const parts = ['add', 'allocate', 'full', 'again', 'unallocate', 'remove'];

/** Sorters alone, in a cluster of 10,000 agents. */
export const sorter = {
  name: 'sorter',
  runs: [
    run('change', [10_000], [{ name: 'sorter.change.10000', quoted: '2.5', target: { of: 'ours', atMost: 0.1 } }]),
    run('change', [1000], [{ name: 'sorter.change.1000' }]),
    run('totals', [1000], [{ name: 'sorter.totals.1000' }]),
    ...[50, 1000].map((clients) =>
      run(
        'full',
        [10_000, clients],
        parts.map((figure) => ({ name: `sorter.full.${clients}.${figure}`, figure })),
      ),
    ),
    // About a thousand leaves each.
    ...[
      [3, 32],
      [7, 3],
      [10, 2],
    ].map(([height, branching]) =>
      run(
        'hierarchy',
        [height, branching],
        parts.map((figure) => ({ name: `sorter.hierarchy.${height}x${branching}.${figure}`, figure })),
      ),
    ),
    run(
      'random',
      [10_000],
      [
        { name: 'sorter.random.10000.first', figure: 'some' },
        { name: 'sorter.random.10000.all', figure: 'all' },
      ],
    ),
  ],
};
