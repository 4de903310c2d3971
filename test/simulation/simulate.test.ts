import { spawnSync } from 'node:child_process';
import { expect } from 'chai';
import { root } from '../support/command.ts';

function simulate(...options: readonly string[]): { readonly status: number | null; readonly text: string } {
  const command = ['--import', 'tsx', '--conditions=mezzo:source', 'test/simulation/simulate.ts', ...options];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { cwd: root, encoding: 'utf8' });
  return { status, text: stdout + stderr };
}

describe('npm run simulate', function () {
  this.timeout(180_000);

  it('exits 0 when all seeds hold, and tells what they took', () => {
    const { status, text } = simulate('--seeds', '1..2');
    expect(text)
      .to.match(/2 of 2 seeds hold/)
      .and.match(/core-seconds/);
    expect(status).to.equal(0);
  });

  it('names a seed that fails, with the commands that replay it, and they do', () => {
    const { status, text } = simulate('--replay', '1', '--plant', 'reused-id');
    expect(status).to.equal(1);
    expect(text)
      .to.match(/Seed 1 fails: Task .* was launched twice/)
      .and.include('sequenceDiagram');
    expect(text).to.include('npm run simulate -- --replay 1 --plant reused-id');
    const parts = /npm run simulate -- --replay '([^']+)' --plant reused-id/.exec(text)?.[1] ?? '';
    const again = simulate('--replay', parts, '--plant', 'reused-id');
    expect(again.status).to.equal(1);
    expect(again.text).to.match(/was launched twice/);
    expect(simulate('--replay', parts).status, 'without the bug').to.equal(0);
  });

  it('refuses what makes no sense, and says what would', () => {
    expect(simulate('--seeds', '5..1')).to.deep.include({ status: 2 });
    const { status, text } = simulate('--plant', 'weeds');
    expect(status).to.equal(2);
    expect(text).to.include('skipped-ack').and.include('Usage:');
  });
});
