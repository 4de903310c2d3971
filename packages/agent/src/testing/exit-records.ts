import type { Script } from '@mezzo/process/testing';

/**
 * What commands of an agent's containers do on a simulated machine: as `script` says, and when they are done their wrapper
 * records how they ended, from which an agent that was started again learns it. Without this it takes them for killed.
 */
export function withExitRecords(script: Script): Script {
  return (command, files) => {
    const run = script(command, files);
    const given = command.arguments;
    const folder = given[given.lastIndexOf('mezzo-task') + 1];
    // Where links to volumes come first, they end with `--`.
    const behindLinks = given[given.indexOf('--') + 1];
    const runFolder = folder?.startsWith('/') === true ? folder : behindLinks;
    return {
      ...run,
      finish: (there) => {
        run.finish?.(there);
        try {
          there.write(`${runFolder ?? ''}/exit`, `${run.code ?? 0}\n`);
        } catch {
          // On a full disk a wrapper can do nothing but exit with the command's status.
        }
      },
    };
  };
}
