import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { nodePlatform } from '@mezzo/process';

describe('nodeFiles', () => {
  const { files } = nodePlatform();
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'mezzo-files-'));
  });

  afterEach(async () => {
    await rm(folder, { recursive: true, force: true });
  });

  const code = async (work: PromiseLike<unknown>): Promise<unknown> => {
    try {
      await work;
    } catch (error) {
      return error instanceof Error && 'code' in error ? error.code : error;
    }
    return undefined;
  };

  it('replaces a file, makes its folders, and leaves no temporary file', async () => {
    const path = join(folder, 'deep/er/file');
    await files.replace(path, 'one');
    await files.replace(path, new TextEncoder().encode('two'));
    expect(await readFile(path, 'utf8')).to.equal('two');
    expect(await readdir(join(folder, 'deep/er'))).to.deep.equal(['file']);
  });

  it('creates a file for one of many who want to, whole, and leaves no temporary file', async () => {
    const path = join(folder, 'deep/er/file');
    const texts = ['one', 'two', 'three', 'four'];
    // Of runtimes of one OS process, too.
    const creates = texts.map((text) => nodePlatform().files.create(path, text.repeat(10_000)));
    const codes = await Promise.all(creates.map(code));
    expect(codes.filter((said) => said === 'EEXIST')).to.have.length(3);
    const created = texts[codes.indexOf(undefined)];
    expect(await readFile(path, 'utf8')).to.equal(created?.repeat(10_000));
    expect(await readdir(join(folder, 'deep/er'))).to.deep.equal(['file']);
  });

  it('appends, and reads a whole file or a part of it', async () => {
    const path = join(folder, 'log/file');
    await files.append(path, 'hello ');
    await files.append(path, 'world');
    const text = async (options?: { offset?: number; length?: number }): Promise<string> =>
      new TextDecoder().decode(await files.read(path, options));
    expect(await text()).to.equal('hello world');
    expect(await text({ offset: 6 })).to.equal('world');
    expect(await text({ offset: 6, length: 2 })).to.equal('wo');
    expect(await text({ offset: 50 })).to.equal('');
    expect(await text({ offset: 6, length: 500 })).to.equal('world');
  });

  it('lists, looks at and removes what is there; removing what is not there is no error', async () => {
    await files.replace(join(folder, 'b'), 'xyz');
    await files.createFolder(join(folder, 'a/inner'));
    expect([...(await files.list(folder))].sort()).to.deep.equal(['a', 'b']);
    expect(await files.stat(join(folder, 'b'))).to.include({ size: 3, directory: false });
    expect((await files.stat(join(folder, 'a'))).directory).to.equal(true);
    await files.remove(join(folder, 'a'));
    await files.remove(join(folder, 'a'));
    expect(await files.list(folder)).to.deep.equal(['b']);
  });

  it("fails with Node's codes", async () => {
    expect(await code(files.read(join(folder, 'none')))).to.equal('ENOENT');
    expect(await code(files.stat(join(folder, 'none')))).to.equal('ENOENT');
    await files.replace(join(folder, 'file'), 'x');
    expect(await code(files.append(join(folder, 'file/below'), 'x'))).to.be.oneOf(['ENOTDIR', 'EEXIST']);
  });
});
