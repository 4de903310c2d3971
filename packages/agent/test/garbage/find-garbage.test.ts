import { Simulation } from '@mezzo/process/testing';
import { AgentID, ContainerID, ExecutorID, FrameworkID, type FrameworkInfo } from '@mezzo/protocol';
import { expect } from 'chai';
import { findGarbage } from '../../src/garbage/find-garbage.ts';
import { Checkpoint } from '../../src/recovery/checkpoint.ts';
import { recoverState } from '../../src/recovery/recover-state.ts';
import { WorkDirectory } from '../../src/work-directory.ts';

const folders = new WorkDirectory('/work');
const agentId = AgentID('a1');
const framework: FrameworkInfo = { name: '', roles: ['*'], failoverTimeout: 0, checkpoint: true, capabilities: [] };

function runOf(name: string) {
  const [frameworkName = '', executorName = '', containerName = ''] = name.split('/');
  const executorId = ExecutorID(executorName);
  return { agentId, frameworkId: FrameworkID(frameworkName), executorId, containerId: ContainerID(containerName) };
}

describe('what is needed no more in a work directory', () => {
  it('AGENT-14c AGENT-15 is what has ended, strange sandboxes, and all of other agents; nothing else', async () => {
    await using world = new Simulation();
    const { files } = await world.start('agent-1');
    const { disk } = world.machine('agent-1');
    const checkpoint = new Checkpoint(files, folders);
    void checkpoint.agent(agentId, { hostname: 'h', resources: [], attributes: {}, url: '' }, 'c');
    const ends: Record<string, number | undefined> = {
      'live/live/old': 10,
      'live/live/new': undefined,
      'live/ended/one': 20,
      'live/ended/two': 30,
      'ended/e/one': 40,
    };
    for (const [name, endedAt] of Object.entries(ends)) {
      const run = runOf(name);
      void checkpoint.framework(agentId, run.frameworkId, framework);
      void checkpoint.executor(run, { executorId: run.executorId, type: 'DEFAULT', resources: [] }, false);
      void checkpoint.run(run);
      if (endedAt !== undefined) void checkpoint.ended(run, endedAt);
      disk.createFolder(folders.sandbox(run));
    }
    for (const name of ['live/live/strange', 'live/strange/c', 'strange/e/c'])
      disk.createFolder(folders.sandbox(runOf(name)));
    disk.createFolder('/work/slaves/a0/frameworks');
    disk.createFolder('/work/meta/slaves/a2');
    await world.settle();
    const found = recoverState(files, folders, { cluster: 'c' }).andThen((state) =>
      findGarbage(files, folders, state, 99),
    );
    await world.settle();
    const all = found.get();
    const inBoth = (path: string, since: number) => [`${since} /slaves/${path}`, `${since} /meta/slaves/${path}`];
    expect(all.map(({ path, since }) => `${since} ${path.slice('/work'.length)}`)).to.have.members([
      ...inBoth('a1/frameworks/live/executors/live/runs/old', 10),
      ...inBoth('a1/frameworks/live/executors/ended', 30),
      ...inBoth('a1/frameworks/ended', 40),
      '99 /slaves/a1/frameworks/live/executors/live/runs/strange',
      '99 /slaves/a1/frameworks/live/executors/strange',
      '99 /slaves/a1/frameworks/strange',
      ...inBoth('a0', 99),
      ...inBoth('a2', 99),
    ]);
  });

  it('is nothing in a new work directory', async () => {
    await using world = new Simulation();
    const { files } = await world.start('agent-1');
    const found = findGarbage(files, folders, { agent: undefined }, 0);
    await world.settle();
    expect(found.get()).to.deep.equal([]);
  });
});
