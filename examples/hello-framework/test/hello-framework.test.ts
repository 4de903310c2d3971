import { expect } from 'chai';
import { Simulation } from '@mezzo/process/testing';
import { FakeMaster } from '../../../packages/frameworks/test/scheduler/fake-master.ts';
import { runCommands } from '../src/hello-framework.ts';

describe('hello framework', () => {
  it('runs each command to its end, lost ones again, and then ends', async () => {
    await using world = new Simulation({ latency: [1, 5] });
    const master = FakeMaster.on(await world.start('master'));
    const runtime = await world.start('hello');
    const lines: string[] = [];
    const hello = runCommands(runtime, 'test', ['echo a', 'false', 'sleep 9'], (line) => void lines.push(line));
    await world.advance('1s');
    const launched = (): string[] =>
      master
        .calls('Accept')
        .flatMap(({ operations }) => operations)
        .flatMap((operation) => (operation.type === 'LAUNCH' ? operation.tasks : []))
        .map(({ taskId }) => taskId);
    const end = async (state: 'TASK_FINISHED' | 'TASK_FAILED' | 'TASK_LOST', message: string): Promise<void> => {
      const id = launched().at(ended++);
      if (id === undefined) throw new Error('nothing was launched');
      master.update(id as Parameters<typeof master.update>[0], state, { message });
      await world.advance('1s');
    };
    let ended = 0;
    master.offer('cpus:0.2;mem:1000');
    await world.advance('1s');
    expect(launched()).to.have.length(2);
    await end('TASK_LOST', 'Agent removed');
    await end('TASK_FAILED', 'Command exited with status 1');
    master.offer('cpus:4;mem:1000');
    await world.advance('1s');
    expect(launched()).to.have.length(4);
    await end('TASK_FINISHED', '');
    expect(master.calls('Teardown')).to.deep.equal([]);
    await end('TASK_FINISHED', '');
    expect(lines).to.deep.equal([
      'echo a: TASK_LOST Agent removed',
      'false: TASK_FAILED Command exited with status 1',
      'sleep 9: TASK_FINISHED',
      'echo a: TASK_FINISHED',
    ]);
    expect(master.calls('Teardown')).to.have.length(1);
    expect(hello.receiver).to.have.property('ended', true);
  });
});
