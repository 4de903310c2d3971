import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const files = [
  ...['agents', 'agents/operator-decisions', 'agents/recovery', 'agents/report'],
  ...['frameworks', 'offers', 'offer-cycle', 'accounting', 'tasks', 'tasks/executors', 'tasks/transitions'],
  ...['operations/framework-operations', 'operations/operator-operations', 'maintenance/maintenance', 'http/endpoints'],
];

describe("the master's tests", function () {
  this.timeout(120_000);

  it('pass with the allocator in a runtime of its own, and the codec between them', () => {
    const { stdout, status } = spawnSync(
      process.execPath,
      [
        'node_modules/mocha/bin/mocha.js',
        '--reporter',
        'json',
        ...files.map((file) => `packages/master/test/${file}.test.ts`),
      ],
      { cwd: root, encoding: 'utf8', env: { ...process.env, MEZZO_EXPLODED: '1' }, maxBuffer: 2 ** 26 },
    );
    const report = JSON.parse(stdout.slice(stdout.indexOf('{'))) as {
      readonly stats: { readonly passes: number; readonly failures: number };
      readonly failures: readonly { readonly fullTitle: string; readonly err: { readonly message?: string } }[];
    };
    expect(report.failures.map(({ fullTitle, err }) => `${fullTitle}: ${err.message ?? ''}`)).to.deep.equal([]);
    expect(report.stats.passes).to.be.greaterThan(100);
    expect(status).to.equal(0);
  });
});
