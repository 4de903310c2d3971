import { expect } from 'chai';
import { SmallCluster } from '../src/cluster.ts';
import { examples } from '../src/examples.ts';

async function linesOf(name: string): Promise<readonly string[]> {
  await using small = await SmallCluster.start('host-1', 'host-2');
  const lines: string[] = [];
  await examples.get(name)?.(small, (line) => void lines.push(line));
  return lines;
}

describe('the examples of operations, with real commands', () => {
  it('a framework reserves, uses what is reserved, and gives it back', async () => {
    const lines = await linesOf('reservations');
    expect(lines).to.have.members([
      'keep: OPERATION_FINISHED',
      'on-my-cpu: TASK_FINISHED',
      'offered what is reserved',
      'give-back: OPERATION_FINISHED',
    ]);
    expect(lines.at(-1)).to.equal('give-back: OPERATION_FINISHED');
  });

  it('a second task reads what the first left on a persistent volume', async () => {
    const lines = await linesOf('persistent-volume');
    expect(lines).to.include("reader: TASK_FINISHED read 'hello'");
    expect(lines.filter((line) => line.includes('OPERATION_FINISHED'))).to.have.length(3);
    expect(lines.join('\n')).to.not.match(/FAILED|ERROR|DROPPED/);
  });

  it('a quota holds what is guaranteed free, and the greedy to its limit', async () => {
    expect(await linesOf('quota')).to.deep.equal(['greedy runs 2 tasks, and guaranteed runs too']);
  });

  it('a framework leaves a machine that is to be taken down', async () => {
    const lines = await linesOf('maintenance');
    const left = /^asked to leave (host-[12])$/.exec(lines.find((line) => line.startsWith('asked')) ?? '')?.[1];
    expect(lines.at(-1)).to.equal(`${left ?? ''} is down for maintenance`);
    expect(lines).to.include.members(['service-1: TASK_KILLED', 'service-2: TASK_RUNNING']);
  });

  it('the next scheduler of a framework hears how the tasks of the one before end', async () => {
    expect(await linesOf('failover')).to.include.members([
      'first: long TASK_RUNNING',
      'first: gone',
      'second: long TASK_FINISHED',
    ]);
  });
});
