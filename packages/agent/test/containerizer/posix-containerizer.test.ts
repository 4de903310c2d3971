import { dispatch, type LocalPID, Runtime } from '@mezzo/process';
import { type CommandInfo, ContainerID } from '@mezzo/protocol';
import { expect } from 'chai';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PosixContainerizer } from '../../src/containerizer/posix-containerizer.ts';
import { wrapped } from '../../src/containerizer/wrapper.ts';
import { WorkDirectory } from '../../src/work-directory.ts';
import { eventually, gone, isAlive, lineIn, scratchFolder } from '../scratch.ts';

const containerId = ContainerID('container-1');

class Bench implements AsyncDisposable {
  readonly runtime: Runtime;
  readonly folders: WorkDirectory;
  readonly sandbox: string;
  readonly containerizer: LocalPID<PosixContainerizer>;
  readonly #scratch: AsyncDisposable;

  private constructor(runtime: Runtime, scratch: AsyncDisposable & { readonly path: string }, killOnStop: boolean) {
    this.runtime = runtime;
    this.#scratch = scratch;
    this.folders = new WorkDirectory(join(scratch.path, 'work'));
    this.sandbox = join(scratch.path, 'sandbox');
    this.containerizer = runtime.spawn(new PosixContainerizer({ workDirectory: this.folders, killOnStop }));
  }

  static async start({ killOnStop = true } = {}): Promise<Bench> {
    const scratch = await scratchFolder();
    const bench = new Bench(await Runtime.start(), scratch, killOnStop);
    await mkdir(bench.sandbox);
    return bench;
  }

  launch(
    command: Partial<CommandInfo> & { readonly value: string },
    environment: Record<string, string> = {},
    isCheckpointed = false,
  ) {
    const config = {
      isCheckpointed,
      containerId,
      sandbox: this.sandbox,
      command: { shell: true, arguments: [], environment: {}, ...command },
      environment: { PATH: '/usr/bin:/bin', ...environment },
    };
    return dispatch(this.containerizer, (p) => p.launch(config));
  }

  wait() {
    return dispatch(this.containerizer, (p) => p.waitFor(containerId));
  }

  kill(gracePeriod: number) {
    return dispatch(this.containerizer, (p) => p.kill(containerId, gracePeriod));
  }

  get folder(): string {
    return join(this.folders.containers, containerId);
  }

  read(name: string): Promise<string> {
    return readFile(join(this.sandbox, name), 'utf8');
  }

  async record(): Promise<{ readonly pid: number; readonly startTime: number; readonly bootId: string }> {
    return JSON.parse(await lineIn(join(this.folder, 'pid'))) as { pid: number; startTime: number; bootId: string };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.runtime.stop();
    await this.#scratch[Symbol.asyncDispose]();
  }
}

describe('the POSIX containerizer', () => {
  it('runs a shell line in the sandbox, with its output in files and its status recorded', async () => {
    await using bench = await Bench.start();
    await bench.launch({ value: 'pwd; echo "$WHO" >&2; touch made-here; exit 3' }, { WHO: 'me' });
    expect(await bench.wait()).to.deep.equal({ kind: 'exited', code: 3 });
    expect(await bench.read('stdout')).to.equal(`${bench.sandbox}\n`);
    expect(await bench.read('stderr')).to.equal('me\n');
    expect(await readdir(bench.sandbox)).to.include('made-here');
    expect(await readFile(join(bench.folder, 'exit'), 'utf8')).to.equal('3\n');
    expect(await readdir(bench.folder), 'no temporary file is left').to.have.members(['exit', 'pid']);
  });

  it('gives commands nothing of its own environment', async () => {
    await using bench = await Bench.start();
    process.env['MEZZO_TEST_SECRET'] = 'secret';
    try {
      await bench.launch({ value: '/usr/bin/env', shell: false });
      await bench.wait();
    } finally {
      delete process.env['MEZZO_TEST_SECRET'];
    }
    expect(await bench.read('stdout'))
      .to.include('PATH=/usr/bin:/bin')
      .and.not.include('secret');
  });

  it('executes a program with exactly the arguments given', async () => {
    await using bench = await Bench.start();
    const given = [
      'a b',
      "it's",
      '"quoted"',
      '$HOME `id` $(id)',
      'two\nlines',
      '',
      '*',
      '\\n',
      '; exit 9',
      '-n',
      'ü€😀',
    ];
    const program = 'for (const a of process.argv.slice(1)) console.log(JSON.stringify(a))';
    await bench.launch({ value: process.execPath, shell: false, arguments: ['node', '-e', program, '--', ...given] });
    expect(await bench.wait()).to.deep.equal({ kind: 'exited', code: 0 });
    const seen = (await bench.read('stdout')).trimEnd().split('\n');
    expect(seen.map((line) => JSON.parse(line) as string)).to.deep.equal(given);
  });

  it('executes the program of that name, never a builtin of the wrapper', async () => {
    await using bench = await Bench.start();
    await bench.launch({ value: 'exit', shell: false, arguments: ['exit', '5'] });
    expect(await bench.wait()).to.deep.equal({ kind: 'exited', code: 127 });
  });

  for (const command of [
    { value: 'no-such-command-here' },
    { value: '/no/such/program', shell: false, arguments: ['program'] },
  ]) {
    it(`reports 127 for a missing ${command.shell === false ? 'program' : 'shell command'} and says which`, async () => {
      await using bench = await Bench.start();
      await bench.launch(command);
      expect(await bench.wait()).to.deep.equal({ kind: 'exited', code: 127 });
      expect(await bench.read('stderr'))
        .to.include(command.value)
        .and.include('not found');
    });
  }

  it('fails to launch what cannot be executed at all, and keeps nothing of it', async () => {
    await using bench = await Bench.start();
    const launched = bench.launch({ value: 'a\0b' });
    const error = await launched.then(
      () => undefined,
      (cause: unknown) => cause,
    );
    expect(String(error)).to.include('null byte');
    expect(await readdir(bench.folders.containers)).to.deep.equal([]);
  });

  it('reports the signal that ended a command', async () => {
    await using bench = await Bench.start();
    await bench.launch({ value: 'kill -SEGV $$' });
    expect(await bench.wait()).to.deep.equal({ kind: 'signaled', signal: 'SIGSEGV' });
  });

  it('records the status of a command that TERM ended: the wrapper survives the TERM of its group', async () => {
    await using bench = await Bench.start();
    await bench.launch({ value: 'trap "echo bye; exit 7" TERM; echo ready; while :; do sleep 0.01; done' });
    await lineIn(join(bench.sandbox, 'stdout'));
    await bench.kill(60_000);
    expect(await bench.wait()).to.deep.equal({ kind: 'exited', code: 7 });
    expect(await bench.read('stdout')).to.equal('ready\nbye\n');
    expect(await readFile(join(bench.folder, 'exit'), 'utf8')).to.equal('7\n');
  });

  it('gives commands the default reaction to TERM, INT and HUP', async () => {
    await using bench = await Bench.start();
    await bench.launch({ value: 'grep -E "^Sig(Ign|Cgt|Blk)" /proc/self/status' });
    await bench.wait();
    const sets = [...(await bench.read('stdout')).matchAll(/^(Sig\w+):\s+([0-9a-f]+)$/gm)];
    expect(sets).to.have.length(3);
    const termIntHup = (1n << 14n) | (1n << 1n) | 1n;
    for (const [, name, mask] of sets) expect(BigInt(`0x${mask}`) & termIntHup, name).to.equal(0n);
  });

  it('kills after the grace period what ignores TERM', async () => {
    await using bench = await Bench.start();
    await bench.launch({ value: 'trap "" TERM; echo $$; while :; do sleep 0.01; done' });
    const pid = Number(await lineIn(join(bench.sandbox, 'stdout')));
    const begin = Date.now();
    await bench.kill(200);
    expect(await bench.wait()).to.deep.equal({ kind: 'signaled', signal: 'SIGKILL' });
    expect(Date.now() - begin).to.be.at.least(190);
    await gone(pid);
  });

  it('lets a later kill shorten the time that is left, not lengthen it', async () => {
    await using bench = await Bench.start();
    await bench.launch({ value: 'trap "" TERM; echo on; while :; do sleep 0.01; done' });
    await lineIn(join(bench.sandbox, 'stdout'));
    await bench.kill(600_000);
    await bench.kill(50);
    await bench.kill(600_000);
    expect(await bench.wait()).to.deep.equal({ kind: 'signaled', signal: 'SIGKILL' });
  });

  it('kills grandchildren with the command', async () => {
    await using bench = await Bench.start();
    await bench.launch({ value: "(trap '' TERM; echo $$; exec sleep 1000) & echo $! > inner; wait" });
    const inner = Number(await lineIn(join(bench.sandbox, 'inner')));
    await bench.kill(0);
    expect(await bench.wait()).to.deep.equal({ kind: 'signaled', signal: 'SIGKILL' });
    await gone(inner);
  });

  it('leaves nothing of the process group behind a command that ends by itself', async () => {
    await using bench = await Bench.start();
    await bench.launch({ value: "(trap '' TERM HUP; exec sleep 1000) & echo $! > inner" });
    expect(await bench.wait()).to.deep.equal({ kind: 'exited', code: 0 });
    await gone(Number(await lineIn(join(bench.sandbox, 'inner'))));
  });

  it('kills the rest of the group when the wrapper itself was killed', async () => {
    await using bench = await Bench.start();
    await bench.launch({ value: 'echo $$; exec sleep 1000' });
    const command = Number(await lineIn(join(bench.sandbox, 'stdout')));
    const { pid } = await bench.record();
    expect(pid).to.not.equal(command);
    process.kill(pid, 'SIGKILL');
    expect(await bench.wait()).to.deep.equal({ kind: 'signaled', signal: 'SIGKILL' });
    await gone(command);
  });

  it('knows its processes by pid, start time and boot id', async () => {
    await using bench = await Bench.start();
    await bench.launch({ value: 'sleep 1000' });
    const record = await bench.record();
    expect(record.bootId).to.equal((await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim());
    const stat = await readFile(`/proc/${record.pid}/stat`, 'utf8');
    expect(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]).to.equal(String(record.startTime));
  });

  it('costs one shell and the command, no Node process', async () => {
    await using bench = await Bench.start();
    await bench.launch({ value: 'sleep', shell: false, arguments: ['sleep', '1000'] });
    const { pid } = await bench.record();
    const group = await eventually('the command', async () => {
      const members = await membersOf(pid);
      return members.some(({ name }) => name === 'sleep') ? members : undefined;
    });
    expect(group.map(({ name }) => name)).to.have.members(['sh', 'sleep']);
  });

  it('kills what runs when it ends, if it is to', async () => {
    await using bench = await Bench.start();
    await bench.launch({ value: 'echo $$; sleep 1000' });
    const pid = Number(await lineIn(join(bench.sandbox, 'stdout')));
    bench.runtime.terminate(bench.containerizer);
    await gone(pid);
  });

  it('kills what no later one would know when it ends', async () => {
    await using bench = await Bench.start({ killOnStop: false });
    await bench.launch({ value: 'echo $$; sleep 1000' });
    const pid = Number(await lineIn(join(bench.sandbox, 'stdout')));
    bench.runtime.terminate(bench.containerizer);
    await gone(pid);
  });

  it('lets a command that a later one would know run on when it ends; one that does not kills it', async () => {
    await using bench = await Bench.start({ killOnStop: false });
    await bench.launch({ value: 'echo $$; sleep 1000' }, {}, true);
    const pid = Number(await lineIn(join(bench.sandbox, 'stdout')));
    bench.runtime.terminate(bench.containerizer);
    await bench.runtime.wait(bench.containerizer);
    expect(await isAlive(pid)).to.equal(true);
    const successor = bench.runtime.spawn(new PosixContainerizer({ workDirectory: bench.folders, killOnStop: true }));
    expect(await dispatch(successor, (p) => p.recover())).to.equal(1);
    await gone(pid);
    expect(await readdir(bench.folders.containers)).to.deep.equal([]);
  });

  it('touches no process whose start time or boot id is another one, and survives garbage in records', async () => {
    await using bench = await Bench.start();
    const bystander = spawn('/bin/sleep', ['1000'], { detached: true, stdio: 'ignore' });
    await once(bystander, 'spawn');
    try {
      const pid = bystander.pid ?? 0;
      const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
      const startTime = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]);
      const { bootId } = bench.runtime.children;
      const records = {
        reused: JSON.stringify({ pid, startTime: startTime - 1, bootId }),
        rebooted: JSON.stringify({ pid, startTime, bootId: 'another-boot' }),
        group0: JSON.stringify({ pid: 0, startTime, bootId }),
        negative: JSON.stringify({ pid: -pid, startTime, bootId }),
        cut: '{"pid":12',
        empty: '',
      };
      for (const [name, content] of Object.entries(records)) {
        await mkdir(join(bench.folders.containers, name), { recursive: true });
        await writeFile(join(bench.folders.containers, name, 'pid'), content);
      }
      await mkdir(join(bench.folders.containers, 'without'));
      expect(await dispatch(bench.containerizer, (p) => p.recover())).to.equal(0);
      expect(await isAlive(pid)).to.equal(true);
      expect(await readdir(bench.folders.containers)).to.deep.equal([]);
    } finally {
      bystander.kill('SIGKILL');
    }
  });
});

describe('the wrapper', () => {
  for (const shell of [['dash'], ['bash'], ['bash', '--posix']]) {
    it(`names itself before the command starts, and records the status by rename, in ${shell.join(' ')}`, async () => {
      await using scratch = await scratchFolder();
      const [file = '', ...options] = shell;
      const { arguments: given } = wrapped(scratch.path, 'boot-1', ['/bin/sh', '-c', `cat pid; exit 130`]);
      const child = spawn(file, [...options, ...given], {
        cwd: scratch.path,
        detached: true,
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      let output = '';
      child.stdout.on('data', (data: Buffer) => (output += data.toString()));
      await once(child, 'close');
      expect(JSON.parse(output)).to.include({ pid: child.pid, bootId: 'boot-1' });
      expect(await readFile(join(scratch.path, 'exit'), 'utf8')).to.equal('130\n');
    });
  }

  it("exits with the command's status when it cannot record it", async () => {
    await using scratch = await scratchFolder();
    await mkdir(join(scratch.path, 'exit.new'));
    const { file, arguments: given } = wrapped(scratch.path, 'boot-1', ['/bin/sh', '-c', 'exit 5']);
    const child = spawn(file, given, { detached: true, stdio: 'ignore' });
    expect((await once(child, 'exit'))[0]).to.equal(5);
  });
});

async function membersOf(group: number): Promise<{ readonly pid: number; readonly name: string }[]> {
  const members: { pid: number; name: string }[] = [];
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const stat = await readFile(`/proc/${entry}/stat`, 'utf8').catch(() => '');
    const name = stat.slice(stat.indexOf('(') + 1, stat.lastIndexOf(')'));
    if (stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2] === String(group))
      members.push({ pid: Number(entry), name });
  }
  return members;
}
