import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Child, type Command, nodePlatform } from '@mezzo/process';

describe('nodeChildren', () => {
  const { children } = nodePlatform();
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mezzo-children-'));
  });

  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  const shell = (script: string, changes: Partial<Command> = {}): Command => ({
    file: '/bin/sh',
    arguments: ['-c', script],
    folder,
    environment: { WORD: 'value' },
    stdout: join(folder, 'stdout'),
    stderr: join(folder, 'stderr'),
    ...changes,
  });

  const output = (name = 'stdout'): Promise<string> => readFile(join(folder, name), 'utf8');

  const eventually = async (condition: () => Promise<boolean>): Promise<void> => {
    const deadline = Date.now() + 10_000;
    while (!(await condition())) {
      if (Date.now() > deadline) throw new Error('it did not happen within 10 s');
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };

  const started = async (script: string): Promise<Child> => {
    const child = await children.spawn(shell(`${script}`));
    await eventually(async () => (await output()).includes('started'));
    return child;
  };

  it('runs a command in its folder with its environment alone, and appends its output to files', async () => {
    for (const code of [0, 3]) {
      const child = await children.spawn(shell(`pwd -P; echo "$WORD $HOME"; echo oops >&2; exit ${code}`));
      expect(await child.exited).to.deep.equal({ kind: 'exited', code });
    }
    const lines = (await output()).split('\n');
    expect(lines.slice(0, 2)).to.deep.equal(lines.slice(2, 4));
    expect(lines[1]).to.equal('value ');
    expect(await output('stderr')).to.equal('oops\noops\n');
  });

  it('signals the whole process group, and tells that it is gone', async () => {
    const child = await started('sleep 600 & echo started $!; wait');
    const inner = Number((await output()).trim().split(' ')[1]);
    expect(await children.startTime(inner)).to.be.a('number');
    expect(children.signalGroup(child.pid, 'SIGKILL')).to.equal(true);
    expect(await child.exited).to.deep.equal({ kind: 'signaled', signal: 'SIGKILL' });
    await eventually(async () => (await processState(inner)) !== 'alive');
    await eventually(() => Promise.resolve(!children.signalGroup(child.pid, 'SIGTERM')));
  });

  it('names a living child by pid and start time', async () => {
    const child = await started('echo started; exec sleep 600');
    expect(child.startTime).to.be.greaterThan(0);
    expect(await children.startTime(child.pid)).to.equal(child.startTime);
    children.signalGroup(child.pid, 'SIGTERM');
    expect(await child.exited).to.deep.equal({ kind: 'signaled', signal: 'SIGTERM' });
    expect(await children.startTime(child.pid)).to.equal(undefined);
    expect(children.bootId).to.match(/^[0-9a-f-]{36}$/);
  });

  it('fails to start what is not there, naming it', async () => {
    for (const command of [shell('', { file: '/no/such/file' }), shell('true', { folder: '/no/such/folder' })]) {
      const spawned = children.spawn(command);
      await new Promise<void>((resolve) => void spawned.onAny(() => resolve()));
      expect(spawned.failure()).to.have.property('code', 'ENOENT');
    }
    const spawned = children.spawn(shell('true', { stdout: '/no/such/folder/stdout' }));
    await new Promise<void>((resolve) => void spawned.onAny(() => resolve()));
    expect(spawned.failure()).to.have.property('message').that.includes('/no/such/folder/stdout');
  });
});

/** A killed grandchild may stay a zombie where nobody reaps orphans. */
async function processState(pid: number): Promise<'alive' | 'gone'> {
  try {
    const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z') ? 'gone' : 'alive';
  } catch {
    return 'gone';
  }
}
