import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { locateNatsServer } from '@mezzo/cli';
import { expect } from 'chai';
import { eventually, run, start } from '../support/command.ts';
import { skipBecause } from '../support/skip.ts';

const mezzo = 'packages/cli/dist/mezzo.js';
// Relative to the working directory, which is the checkout.
const fixtures = './test/command-line/fixtures';
const limit = 60_000;

for (const embedded of [false, true]) {
  describe(`mezzo cluster ${embedded ? '--embedded' : 'with members over NATS'}`, function () {
    this.timeout(2 * limit);
    let temporary: string;
    beforeEach(async function () {
      if (!embedded && locateNatsServer() === undefined) skipBecause(this, 'no nats-server can be had');
      temporary = await mkdtemp(join(tmpdir(), 'mezzo-chosen-'));
    });
    afterEach(() => rm(temporary, { recursive: true, force: true }));

    const given = (...choice: readonly string[]): readonly string[] => [
      ...['cluster', '--agents', '2', '--port', '0', ...(embedded ? ['--embedded'] : [])],
      ...choice,
    ];

    it('runs the allocator and the sorters that are named by relative paths', async () => {
      const choice = [
        '--allocator',
        `${fixtures}/telling-allocator.mjs`,
        '--role-sorter',
        `${fixtures}/first-come-sorter.mjs`,
      ];
      const running = start(mezzo, given(...choice, '--framework-sorter', `${fixtures}/last-come-sorter.mjs`), {
        NATS_URL: '',
        TMPDIR: temporary,
      });
      const said = (): string => running.stdout() + running.stderr();
      try {
        const url = await eventually(() => /web page {2}(http:\S+)/.exec(running.stderr())?.[1], limit, said);
        let told: unknown;
        // An allocator that nobody runs answers 404, and one that is not in use never hears of agents.
        await eventually(
          async () => {
            const answer = await fetch(`${url}/allocator/told`);
            told = answer.ok ? await answer.json() : answer.status;
            return typeof told === 'object' && told !== null && 'agents' in told && told.agents === 2;
          },
          limit,
          () => `${JSON.stringify(told)}\n${said()}`,
        );
        expect(told).to.include({ roleSorter: 'firstCome', frameworkSorter: 'lastCome' });
      } finally {
        running.child.kill('SIGINT');
        await running.finished;
      }
    });

    const refusal = async (...choice: readonly string[]): Promise<string> => {
      const { code, stdout, stderr } = await run(mezzo, given(...choice), {
        environment: { NATS_URL: '', TMPDIR: temporary },
        limit,
      });
      expect({ code, stdout }, stderr).to.deep.equal({ code: 1, stdout: '' });
      // Nothing of it is left, and what went wrong is the last line.
      expect(await readdir(temporary)).to.deep.equal([]);
      return stderr.trimEnd().split('\n').at(-1) ?? '';
    };

    it('says in one line which module is not there, and what can be given', async () => {
      expect(await refusal('--allocator', './no-such.mjs'))
        .to.match(/^mezzo: .*--allocator '\.\/no-such\.mjs' cannot be loaded: there is no file \/.*\/no-such\.mjs/)
        .and.include('hierarchical');
      expect(await refusal('--role-sorter', './no-such.mjs'))
        .to.include(`--role-sorter './no-such.mjs'`)
        .and.include('drf');
    });

    it('says in one line that a module makes no allocator, or no sorter', async () => {
      expect(await refusal('--allocator', `${fixtures}/first-come-sorter.mjs`)).to.match(
        /first-come-sorter\.mjs' made an object, not a Process/,
      );
      expect(await refusal('--framework-sorter', `${fixtures}/telling-allocator.mjs`)).to.match(
        /^mezzo: .*telling-allocator\.mjs/,
      );
    });
  });
}
