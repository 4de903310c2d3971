import { type Children, type Files, Future } from '@mezzo/process';
import { decodeProcessRecord } from './process-record.ts';

/**
 * Kills the process groups of containers that an agent which is no more left running under this folder, and forgets
 * them. Gives the number of groups killed.
 */
export function killLeftovers(files: Files, children: Children, containers: string): Future<number> {
  return files
    .list(containers)
    .repair((): readonly string[] => [])
    .andThen((names) =>
      names.reduce(
        (counted, name) =>
          counted.andThen((count) =>
            killLeftover(files, children, `${containers}/${name}`).map((killed) => (killed ? count + 1 : count)),
          ),
        Future.ready(0),
      ),
    );
}

function killLeftover(files: Files, children: Children, folder: string): Future<boolean> {
  return files
    .read(`${folder}/pid`)
    .map((bytes) => decodeProcessRecord(new TextDecoder().decode(bytes)))
    .repair(() => undefined)
    .andThen((record): Future<boolean> => {
      if (record === undefined || record.bootId !== children.bootId) return Future.ready(false);
      // Another process may have the pid by now; its start time tells.
      return children
        .startTime(record.pid)
        .map((startTime) => startTime === record.startTime && children.signalGroup(record.pid, 'SIGKILL'));
    })
    .andThen((killed) => files.remove(folder).map(() => killed));
}
