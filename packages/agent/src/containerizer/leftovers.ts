import type { Children, Files, Future } from '@mezzo/process';
import { livingWrapper } from './adopted-child.ts';

/**
 * Kills the process group of a container that an agent which is no more left running, and forgets it. Gives whether there
 * was one.
 */
export function killLeftover(files: Files, children: Children, folder: string): Future<boolean> {
  return livingWrapper(files, children, folder)
    .map((record) => record !== undefined && children.signalGroup(record.pid, 'SIGKILL'))
    .andThen((killed) => files.remove(folder).map(() => killed));
}
