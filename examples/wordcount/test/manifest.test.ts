import { expect } from 'chai';
import { mkdir, symlink } from 'node:fs/promises';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { listTextFiles } from '@mezzo/example-wordcount';
import { nastyFiles, writeNastyFiles } from './nasty-files.ts';
import { TemporaryFolder } from './temporary-folder.ts';

describe('listTextFiles', () => {
  async function names(folder: TemporaryFolder, ...exclude: string[]): Promise<string[]> {
    const { files } = await listTextFiles(folder.path, { exclude });
    return files.map(({ path }) => path.toString('latin1').slice(folder.path.length + 1));
  }

  it('lists files of any name in the order of their bytes, with their sizes', async () => {
    await using folder = await TemporaryFolder.create();
    await writeNastyFiles(folder);
    const { files, bytes, leftOut } = await listTextFiles(folder.path);
    const expected = nastyFiles.map(([name, content]) => ({
      name: Buffer.from(name),
      size: Buffer.byteLength(content),
    }));
    expected.sort((a, b) => Buffer.compare(a.name, b.name));
    const prefix = Buffer.byteLength(folder.path) + 1;
    expect(files.map(({ path, size }) => ({ name: path.subarray(prefix).toString('hex'), size }))).to.deep.equal(
      expected.map(({ name, size }) => ({ name: name.toString('hex'), size })),
    );
    expect(bytes).to.equal(expected.reduce((sum, { size }) => sum + size, 0));
    expect(leftOut).to.deep.equal({ binary: 0, unreadable: 0 });
  });

  it('leaves out files with a NUL among their first 8192 bytes, and only those', async () => {
    await using folder = await TemporaryFolder.create();
    await folder.write('first', '\0');
    await folder.write('last-sniffed', `${'a'.repeat(8191)}\0`);
    await folder.write('after', `${'a'.repeat(8192)}\0`);
    expect(await names(folder)).to.deep.equal(['after']);
    expect((await listTextFiles(folder.path)).leftOut.binary).to.equal(2);
  });

  it('follows no symbolic links, not even to files', async () => {
    await using folder = await TemporaryFolder.create();
    await folder.write('real/file', 'text');
    await symlink('file', join(folder.path, 'real/link'));
    await symlink('real', join(folder.path, 'folder-link'));
    await symlink('..', join(folder.path, 'real/loop'));
    expect(await names(folder)).to.deep.equal(['real/file']);
  });

  it('leaves out pipes without waiting for a writer', async () => {
    await using folder = await TemporaryFolder.create();
    await folder.write('file', 'text');
    execFileSync('mkfifo', [join(folder.path, 'pipe')]);
    expect(await names(folder)).to.deep.equal(['file']);
  });

  it('leaves out excluded folders, also when named through a link, but not others that begin alike', async () => {
    await using folder = await TemporaryFolder.create();
    await folder.write('work/file', 'text');
    await folder.write('work-too/file', 'text');
    await folder.write('deep/work/file', 'text');
    await folder.write('linked/file', 'text');
    await symlink('linked', join(folder.path, 'link'));
    const excluded = ['work', 'link', 'missing'].map((name) => join(folder.path, name));
    expect(await names(folder, ...excluded)).to.deep.equal(['deep/work/file', 'work-too/file']);
  });

  it('lists an empty folder as nothing, and refuses a missing one by name', async () => {
    await using folder = await TemporaryFolder.create();
    await mkdir(join(folder.path, 'empty'));
    expect(await names(folder)).to.deep.equal([]);
    const missing = join(folder.path, 'missing');
    const error: unknown = await listTextFiles(missing).catch((reason: unknown) => reason);
    expect(error).to.be.instanceOf(Error).with.property('message').that.includes(missing);
  });
});
