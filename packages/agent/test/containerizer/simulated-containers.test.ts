import { type Child, Deferred, dispatch } from '@mezzo/process';
import { Simulation, type SimulationOptions } from '@mezzo/process/testing';
import { ContainerID } from '@mezzo/protocol';
import { expect } from 'chai';
import { PosixContainerizer } from '../../src/containerizer/posix-containerizer.ts';
import { WorkDirectory } from '../../src/work-directory.ts';

const containerId = ContainerID('c1');

async function start(world: Simulation) {
  const runtime = await world.start('agent-1');
  const containerizer = runtime.spawn(
    new PosixContainerizer({ workDirectory: new WorkDirectory('/work'), killOnStop: true }),
  );
  const command = { value: 'x', shell: true, arguments: [], environment: {} };
  const launch = () =>
    dispatch(containerizer, (p) => p.launch({ containerId, sandbox: '/work/sandbox', command, environment: {} }));
  return { runtime, containerizer, launch, children: world.machine('agent-1').children };
}

function endless(more: SimulationOptions = {}): Simulation {
  return new Simulation({ script: () => ({}), ...more });
}

describe('the POSIX containerizer, in moments that are hard to meet', () => {
  it('does not leave a child that starts while it ends', async () => {
    await using world = endless();
    const { runtime, containerizer, launch, children } = await start(world);
    const spawn = children.spawn.bind(children);
    children.spawn = (command) => {
      runtime.terminate(containerizer);
      const child = new Deferred<Child>();
      world.clock.timer(100, () => child.associate(spawn(command)));
      return child.future;
    };
    void launch();
    await world.advance('1s');
    expect(runtime.processes).to.deep.equal([]);
    expect(children.running).to.deep.equal([]);
  });

  it('kills a child that it cannot record, and says that the launch failed', async () => {
    await using world = new Simulation({
      script: (_, files) => {
        files.failWrites = 'ENOSPC';
        return {};
      },
    });
    const { launch, children } = await start(world);
    const launched = launch();
    await world.advance('1s');
    expect(launched.isFailed).to.equal(true);
    expect(String(launched.failure())).to.include('ENOSPC');
    expect(children.running).to.deep.equal([]);
  });

  it('kills a child that starts after it was to be killed', async () => {
    await using world = endless();
    const { containerizer, launch, children } = await start(world);
    void launch();
    void dispatch(containerizer, (p) => p.kill(containerId, 1000));
    const ended = dispatch(containerizer, (p) => p.waitFor(containerId));
    await world.advance('10ms');
    expect(ended.get()).to.deep.equal({ kind: 'signaled', signal: 'SIGTERM' });
    expect(children.running).to.deep.equal([]);
  });

  it('counts the grace period from the first kill', async () => {
    await using world = endless({ script: () => ({ stubborn: true }) });
    const { containerizer, launch, children } = await start(world);
    void launch();
    await world.advance('1s');
    void dispatch(containerizer, (p) => p.kill(containerId, 3000));
    await world.advance('2s');
    void dispatch(containerizer, (p) => p.kill(containerId, 3000));
    await world.advance('999ms');
    expect(children.running).to.have.length(1);
    await world.advance('1ms');
    expect(children.running).to.deep.equal([]);
  });

  it('does not signal a pid whose process has ended', async () => {
    await using world = new Simulation();
    const { containerizer, launch, children } = await start(world);
    void launch();
    await world.advance('5s');
    const signaled: number[] = [];
    children.signalGroup = (pid) => signaled.push(pid) > 0;
    void dispatch(containerizer, (p) => p.kill(containerId, 0));
    await world.advance('5s');
    expect(signaled).to.deep.equal([]);
  });
});
