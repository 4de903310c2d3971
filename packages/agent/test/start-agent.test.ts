import { dispatch, Network, nodePlatform, Runtime } from '@mezzo/process';
import { expect } from 'chai';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AgentError, startAgent } from '@mezzo/agent';
import { agentVersion } from '../src/version.ts';
import { FakeMaster, taskOf } from './fake-master.ts';
import { eventually, gone, lineIn, scratchFolder } from './scratch.ts';

async function failureOf(promise: PromiseLike<unknown>): Promise<unknown> {
  return promise.then(
    () => undefined,
    (error: unknown) => error,
  );
}

describe('starting an agent', () => {
  it('refuses an unwritable work directory in one line that names it, and spawns nothing', async () => {
    await using scratch = await scratchFolder();
    await using runtime = await Runtime.start();
    // Root may write everywhere, but not below a file.
    const workDirectory = join(scratch.path, 'file', 'work');
    await writeFile(join(scratch.path, 'file'), '');
    const error = await failureOf(startAgent(runtime, { cluster: 'test', workDirectory, resources: 'cpus:1' }));
    expect(error).to.be.instanceOf(AgentError).and.include({ code: 'WORK_DIRECTORY_UNWRITABLE' });
    expect(String(error)).to.include(workDirectory).and.include('ENOTDIR').and.not.include('\n');
    expect(runtime.processes).to.deep.equal([]);
  });

  it('refuses a work directory in which files cannot be written', async () => {
    await using scratch = await scratchFolder();
    await using runtime = await Runtime.start();
    await mkdir(join(scratch.path, 'slaves'), { recursive: true });
    await writeFile(join(scratch.path, 'run'), '');
    const error = await failureOf(
      startAgent(runtime, { cluster: 'test', workDirectory: scratch.path, resources: 'cpus:1' }),
    );
    expect(error).to.include({ code: 'WORK_DIRECTORY_UNWRITABLE' });
  });

  for (const workDirectory of ['relative/path', '', '/a/../b']) {
    it(`refuses the work directory '${workDirectory}'`, async () => {
      await using runtime = await Runtime.start();
      const error = await failureOf(startAgent(runtime, { cluster: 'test', workDirectory, resources: 'cpus:1' }));
      expect(error).to.include({ code: 'WORK_DIRECTORY_INVALID' });
      expect(String(error)).to.include('expected an absolute path');
    });
  }

  it('refuses resources that do not parse', async () => {
    await using runtime = await Runtime.start();
    const error = await failureOf(
      startAgent(runtime, { cluster: 'test', workDirectory: '/tmp/x', resources: 'cpus=4' }),
    );
    expect(String(error)).to.include('Cannot parse resources');
  });

  it('refuses a work directory that another agent uses, until that one has ended', async () => {
    await using scratch = await scratchFolder();
    const options = { cluster: 'test', workDirectory: scratch.path, resources: 'cpus:1' };
    await using first = await Runtime.start({ name: 'first' });
    await using second = await Runtime.start({ name: 'second' });
    const agent = await startAgent(first, options);
    const refused = await failureOf(startAgent(second, options));
    expect(refused).to.include({ name: 'RecoveryError', code: 'WORK_DIRECTORY_IN_USE' });
    expect(String(refused)).to.include(scratch.path).and.include(String(process.pid)).and.not.include('\n');
    expect(second.processes).to.deep.equal([]);
    first.terminate(agent);
    await eventually('the lock', () =>
      startAgent(second, options).then(
        () => true,
        () => undefined,
      ),
    );
  });

  it('refuses a work directory of an agent of another cluster', async () => {
    await using scratch = await scratchFolder();
    const agent = { id: 'a1', hostname: 'h', resources: [], attributes: {}, url: '' };
    const folder = join(scratch.path, 'meta', 'slaves');
    await mkdir(join(folder, 'a1'), { recursive: true });
    await writeFile(join(folder, 'latest'), JSON.stringify({ version: 1, content: { agentId: 'a1' } }));
    await writeFile(
      join(folder, 'a1', 'slave.info'),
      JSON.stringify({ version: 1, content: { cluster: 'theirs', agent } }),
    );
    await using runtime = await Runtime.start();
    const refused = await failureOf(
      startAgent(runtime, { cluster: 'ours', workDirectory: scratch.path, resources: 'cpus:1' }),
    );
    expect(refused).to.include({ code: 'OTHER_CLUSTER' });
    expect(String(refused)).to.include("'theirs'").and.include("'ours'");
  });

  it('says the version of its package', async () => {
    const manifest = JSON.parse(await readFile(new URL('../package.json', import.meta.url), 'utf8')) as {
      version: string;
    };
    expect(agentVersion).to.equal(manifest.version);
  });
});

describe('an agent on a real machine', () => {
  it('runs shell commands in sandboxes, sends their results, and kills what it is told to', async () => {
    await using scratch = await scratchFolder();
    const network = new Network({ clock: nodePlatform().clock });
    await using masterNode = await Runtime.start({ name: 'master', transport: network.transport() });
    const master = new FakeMaster();
    masterNode.spawn(master);
    await using runtime = await Runtime.start({ name: 'agent-1', transport: network.transport() });
    const agent = await startAgent(runtime, {
      cluster: 'test',
      workDirectory: scratch.path,
      resources: 'cpus:4',
      registrationBackoffFactor: '10ms',
    });
    await eventually('registration', () => (master.registrations.length > 0 ? true : undefined));

    master.run(taskOf('words', 'printf "the\\nof\\nthe\\n" | sort | uniq -c > status.data; echo done'));
    master.run(taskOf('missing', 'no-such-command-here'));
    master.run(taskOf('endless', 'echo $$; echo "$MESOS_TASK_ID" >&2; sleep 1000'));
    const finished = await eventually('TASK_FINISHED', () =>
      master.states('words').includes('TASK_FINISHED') ? master.last('words') : undefined,
    );
    expect(Buffer.from(finished.status.data ?? []).toString()).to.match(/^\s+1 of\n\s+2 the\n$/);
    await eventually('TASK_FAILED', () => (master.states('missing').includes('TASK_FAILED') ? true : undefined));
    expect(master.last('missing')?.status.message).to.equal('Command exited with status 127');

    const state = JSON.parse(String((await runtime.http({ path: '/state' })).body as string)) as {
      frameworks: { executors: { id: string; directory: string }[] }[];
    };
    const directory = state.frameworks[0]?.executors.find(({ id }) => id === 'endless')?.directory ?? '';
    const pid = Number(await lineIn(join(directory, 'stdout')));
    expect(await lineIn(join(directory, 'stderr'))).to.equal('endless');
    expect(directory.startsWith(`${scratch.path}/slaves/`)).to.equal(true);
    await eventually('TASK_RUNNING', () => (master.states('endless').includes('TASK_RUNNING') ? true : undefined));
    master.kill('endless');
    await eventually('TASK_KILLED', () => (master.states('endless').includes('TASK_KILLED') ? true : undefined));
    await gone(pid);

    await dispatch(agent, (p) => p.shutdown());
    await eventually('unregistration', () => (master.unregistered.length > 0 ? true : undefined));
    const containers = join(scratch.path, 'run', 'containers');
    await eventually('no container', async () => ((await readdir(containers)).length === 0 ? true : undefined));
  });
});
