import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** A folder that is gone at the end of the test. */
export class TemporaryFolder implements AsyncDisposable {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  static async create(): Promise<TemporaryFolder> {
    return new TemporaryFolder(await mkdtemp(join(tmpdir(), 'wordcount-test-')));
  }

  /** Writes a file, with its folders. The name may be bytes. */
  async write(name: string | Buffer, content: string | Buffer): Promise<void> {
    const path = Buffer.concat([Buffer.from(`${this.path}/`), Buffer.from(name)]);
    if (typeof name === 'string') await mkdir(dirname(join(this.path, name)), { recursive: true });
    await writeFile(path, content);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}
