import type { Children, Files } from '@mezzo/process';
import { decodeProcessRecord } from './process-record.ts';

/**
 * Kills the process groups of containers that an agent which is no more left running under this folder, and forgets
 * them. Gives the number of groups killed.
 */
export async function killLeftovers(files: Files, children: Children, containers: string): Promise<number> {
  let killed = 0;
  for (const name of await namesIn(files, containers)) {
    const folder = `${containers}/${name}`;
    const record = decodeProcessRecord(await textOf(files, `${folder}/pid`));
    if (record !== undefined && record.bootId === children.bootId) {
      // Another process may have the pid by now; its start time tells.
      const startTime = await children.startTime(record.pid);
      if (startTime === record.startTime && children.signalGroup(record.pid, 'SIGKILL')) killed++;
    }
    await files.remove(folder);
  }
  return killed;
}

async function namesIn(files: Files, folder: string): Promise<readonly string[]> {
  try {
    return await files.list(folder);
  } catch {
    return [];
  }
}

async function textOf(files: Files, path: string): Promise<string> {
  try {
    return new TextDecoder().decode(await files.read(path));
  } catch {
    return '';
  }
}
