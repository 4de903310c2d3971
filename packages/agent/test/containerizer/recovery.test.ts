import { dispatch, type ExitStatus, Future, Runtime } from '@mezzo/process';
import { Simulation, type SimulationOptions } from '@mezzo/process/testing';
import { ContainerID } from '@mezzo/protocol';
import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, readlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PosixContainerizer } from '../../src/containerizer/posix-containerizer.ts';
import { WorkDirectory } from '../../src/work-directory.ts';
import { gone, isAlive, lineIn, scratchFolder } from '../scratch.ts';

const [c1, c2, c3] = [ContainerID('c1'), ContainerID('c2'), ContainerID('c1.nested')];
const command = { value: 'x', shell: true, arguments: [], environment: {} };

async function begin(world: Simulation, known: readonly ContainerID[] = []) {
  const runtime = await world.start('agent-1');
  const folders = new WorkDirectory('/work');
  const containerizer = runtime.spawn(new PosixContainerizer({ workDirectory: folders, killOnStop: false }));
  const recovered = dispatch(containerizer, (p) => p.recover(known));
  await world.settle();
  const launch = (containerId: ContainerID) =>
    dispatch(containerizer, (p) => p.launch({ containerId, sandbox: '/work/sandbox', command, environment: {} }));
  const wait = (id: ContainerID): Future<ExitStatus> => dispatch(containerizer, (p) => p.waitFor(id));
  const { files, children } = world.machine('agent-1');
  return { runtime, containerizer, recovered, launch, wait, files, children };
}

/** Commands that take a time and record their status as their wrapper would. */
function recording(seconds: number | undefined, more: SimulationOptions = {}): Simulation {
  return new Simulation({
    script: ({ arguments: [, , , runFolder] }) => ({
      ...(seconds === undefined ? {} : { duration: `${seconds}s` }),
      finish: (files) => files.write(`${runFolder}/exit`, '7\n'),
    }),
    ...more,
  });
}

describe('the POSIX containerizer, after a crash of its node', () => {
  it('AGENT-14 adopts what still runs, and gives the status that it recorded when it ends', async () => {
    await using world = recording(60);
    void (await begin(world)).launch(c1);
    await world.advance('10s');
    world.crash('agent-1');
    const { wait, recovered, children } = await begin(world, [c1]);
    const ended = wait(c1);
    await world.advance('40s');
    expect(recovered.get()).to.equal(0);
    expect(children.running).to.have.length(1);
    expect(ended.isPending).to.equal(true);
    await world.advance('11s');
    expect(ended.get()).to.deep.equal({ kind: 'exited', code: 7 });
  });

  it('AGENT-14b gives the recorded status of what ended meanwhile, and takes what nobody saw for killed', async () => {
    await using world = recording(60);
    void (await begin(world)).launch(c1);
    await world.advance('10s');
    world.crash('agent-1');
    await world.advance('2mins');
    const { wait } = await begin(world, [c1, c2]);
    const ended = [wait(c1), wait(c2)];
    await world.settle();
    expect(ended.map((status) => status.get())).to.deep.equal([
      { kind: 'exited', code: 7 },
      { kind: 'signaled', signal: 'SIGKILL' },
    ]);
  });

  it('kills what it adopted: TERM first, KILL after the grace period', async () => {
    await using world = new Simulation({ script: () => ({ stubborn: true }) });
    void (await begin(world)).launch(c1);
    await world.advance('1s');
    world.crash('agent-1');
    const { containerizer, wait, children } = await begin(world, [c1]);
    const signals: string[] = [];
    const signal = children.signalGroup.bind(children);
    children.signalGroup = (pid, name) => {
      signals.push(name);
      return signal(pid, name);
    };
    void dispatch(containerizer, (p) => p.kill(c1, 3000));
    const ended = wait(c1);
    await world.advance('2s');
    expect(signals).to.deep.equal(['SIGTERM']);
    await world.advance('3s');
    expect(signals.slice(0, 2)).to.deep.equal(['SIGTERM', 'SIGKILL']);
    expect(ended.get()).to.deep.equal({ kind: 'signaled', signal: 'SIGKILL' });
    expect(children.running).to.deep.equal([]);
  });

  it('kills and forgets what nobody knows, and keeps what is nested in what is known', async () => {
    await using world = new Simulation({ script: () => ({}) });
    const before = await begin(world);
    for (const id of [c1, c2, c3]) void before.launch(id);
    await world.advance('1s');
    world.crash('agent-1');
    const { recovered, children, files, containerizer } = await begin(world, [c1]);
    await world.settle();
    expect(recovered.get()).to.equal(1);
    expect(children.running).to.have.length(2);
    expect(files.peek('/work/run/containers/c2/pid')).to.equal(undefined);
    void dispatch(containerizer, (p) => p.discard(c1));
    await world.advance('5s');
    expect(children.running).to.deep.equal([]);
    expect(files.peek('/work/run/containers/c1.nested/pid')).to.equal(undefined);
  });

  it('AGENT-14f signals nobody after a reboot, though pids are given again: nothing lives', async () => {
    await using world = new Simulation({ script: () => ({}) });
    void (await begin(world)).launch(c1);
    await world.advance('40s');
    world.losePower('agent-1');
    const machine = world.machine('agent-1');
    const stranger = machine.children.spawn({
      file: 'x',
      arguments: [],
      folder: '/',
      environment: {},
      stdout: '/dev/null',
      stderr: '/dev/null',
    });
    await world.settle();
    const record = JSON.parse(machine.files.peek('/work/run/containers/c1/pid') ?? '') as { startTime: number };
    machine.children.startTime = () => Future.ready(record.startTime);
    const { wait, containerizer, children } = await begin(world, [c1]);
    const ended = wait(c1);
    void dispatch(containerizer, (p) => p.kill(c1, 0));
    await world.advance('5s');
    expect(ended.get()).to.deep.equal({ kind: 'signaled', signal: 'SIGKILL' });
    expect(children.running).to.deep.equal([stranger.get().pid]);
  });

  it('signals no process that has the pid of an adopted one that has ended', async () => {
    await using world = recording(60);
    void (await begin(world)).launch(c1);
    await world.advance('10s');
    world.crash('agent-1');
    const { containerizer, children } = await begin(world, [c1]);
    const signaled: number[] = [];
    children.signalGroup = (pid) => signaled.push(pid) > 0;
    const startTime = children.startTime.bind(children);
    children.startTime = (pid) => startTime(pid).map((time) => (time === undefined ? time : time + 1));
    void dispatch(containerizer, (p) => p.kill(c1, 0));
    await world.advance('10s');
    expect(signaled).to.deep.equal([]);
  });
});

describe('the POSIX containerizer, after a kill -9 of its OS process', () => {
  it('AGENT-14 lets commands run on, and knows how each ended', async () => {
    await using scratch = await scratchFolder();
    const work = join(scratch.path, 'work');
    const lines = {
      ending: 'echo $$; exit 5',
      lasting: `echo $$; while [ ! -e '${scratch.path}/go' ]; do sleep 0.02; done; exit 6`,
      killed: 'echo $$; while :; do sleep 1; done',
      unknown: 'echo $$; while :; do sleep 1; done',
    };
    const program = fileURLToPath(new URL('containerizer-process.ts', import.meta.url));
    const node = ['--import', 'tsx', '--conditions=mezzo:source'];
    const former = spawn(process.execPath, [...node, program, work, JSON.stringify(lines)], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const ended = once(former, 'exit');
    const pids = new Map<string, number>();
    try {
      for (const id of Object.keys(lines)) pids.set(id, Number(await lineIn(join(work, 'sandboxes', id, 'stdout'))));
      former.kill('SIGKILL');
      await ended;
      await gone(pids.get('ending') ?? 0);

      await using runtime = await Runtime.start();
      const folders = new WorkDirectory(work);
      const containerizer = runtime.spawn(new PosixContainerizer({ workDirectory: folders, killOnStop: true }));
      const known = ['ending', 'lasting', 'killed'].map((id) => ContainerID(id));
      expect(await dispatch(containerizer, (p) => p.recover(known))).to.equal(1);
      await gone(pids.get('unknown') ?? 0);
      const waiting = known.map((id) => dispatch(containerizer, (p) => p.waitFor(id)));
      expect(await isAlive(pids.get('lasting') ?? 0)).to.equal(true);
      expect(await isAlive(pids.get('killed') ?? 0)).to.equal(true);
      await dispatch(containerizer, (p) => p.kill(ContainerID('killed'), 5000));
      await writeFile(join(scratch.path, 'go'), '');
      expect(await Promise.all(waiting)).to.deep.equal([
        { kind: 'exited', code: 5 },
        { kind: 'exited', code: 6 },
        { kind: 'signaled', signal: 'SIGTERM' },
      ]);
      for (const id of known) await dispatch(containerizer, (p) => p.remove(id));
      expect(await readdir(folders.containers)).to.deep.equal([]);
    } finally {
      former.kill('SIGKILL');
      for (const pid of pids.values()) if (await isAlive(pid)) process.kill(pid, 'SIGKILL');
    }
  });
});

describe('volumes of a container', () => {
  it('PV-03 are symbolic links in the sandbox, and what is written through them stays', async () => {
    await using scratch = await scratchFolder();
    await using runtime = await Runtime.start();
    const folders = new WorkDirectory(join(scratch.path, 'work'));
    const containerizer = runtime.spawn(new PosixContainerizer({ workDirectory: folders, killOnStop: true }));
    const hostPath = join(scratch.path, 'volume');
    await mkdir(hostPath);
    const run = async (name: string, value: string, containerPath: string) => {
      const sandbox = join(scratch.path, name);
      await mkdir(sandbox);
      const containerId = ContainerID(name);
      const volumes = [{ hostPath, containerPath, mode: 'RW' as const }];
      const config = { containerId, sandbox, command: { ...command, value }, environment: {}, volumes };
      await dispatch(containerizer, (p) => p.launch(config));
      return dispatch(containerizer, (p) => p.waitFor(containerId));
    };
    expect(await run('first', 'echo kept > data/file', 'data')).to.deep.equal({ kind: 'exited', code: 0 });
    expect(await run('second', 'exec /bin/cat "a b/-n/file"', 'a b/-n')).to.deep.include({ kind: 'exited' });
    expect(await readFile(join(scratch.path, 'second', 'stdout'), 'utf8')).to.equal('kept\n');
    expect(await readlink(join(scratch.path, 'first', 'data'))).to.equal(hostPath);
    for (const [index, path] of ['/abs', '../out', 'a/../../b', '', '.'].entries()) {
      const refused = await run(`refused-${index}`, 'true', path).then(
        () => 'launched',
        (error: unknown) => String(error),
      );
      expect(refused, path).to.include('expected a relative path');
    }
  });
});
