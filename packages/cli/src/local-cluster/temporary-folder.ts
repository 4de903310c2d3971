import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const prefix = 'mezzo-cluster-';
/** Holds the pid of the OS process whose folder it is. */
const ownerFile = 'owner.pid';

/**
 * A new folder below the system's temporary one. Folders whose owners were killed before they could remove them, with the
 * credentials in them, are removed on this occasion.
 */
export async function makeTemporaryFolder(): Promise<string> {
  await sweep();
  const folder = await mkdtemp(join(tmpdir(), prefix));
  await writeFile(join(folder, ownerFile), String(process.pid));
  return folder;
}

async function sweep(): Promise<void> {
  for (const name of await readdir(tmpdir())) {
    if (!name.startsWith(prefix)) continue;
    const folder = join(tmpdir(), name);
    // One without an owner is being made just now, or is not ours to read.
    const owner = Number(await readFile(join(folder, ownerFile), 'utf8').catch(() => ''));
    if (owner > 0 && !isAlive(owner)) await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}
