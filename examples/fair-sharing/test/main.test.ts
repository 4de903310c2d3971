import { expect } from 'chai';
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { reportProperties } from '../src/reports.ts';

const main = fileURLToPath(new URL('../src/main.ts', import.meta.url));

function run(...names: string[]): { readonly stdout: string; readonly stderr: string; readonly status: number | null } {
  const options = ['--import', 'tsx', '--conditions', 'mezzo:source', main, ...names];
  return spawnSync(process.execPath, options, { encoding: 'utf8' });
}

describe('the program', () => {
  it('prints the reports it is asked for', () => {
    expect(run('properties', 'properties').stdout).to.equal(`${reportProperties()}\n\n${reportProperties()}\n`);
  });

  it('names the reports it has', () => {
    const { stderr, status } = run('nonsense');
    expect(stderr).to.equal(
      "No report 'nonsense': expected any of policies, properties, delays, filters, starvation\n",
    );
    expect(status).to.equal(1);
  });
});
