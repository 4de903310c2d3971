import type { Future, Hardware } from '@mezzo/process';
import { parseAgentResources, toMesosResource } from '@mezzo/protocol';

const megabyte = 1024 * 1024;
const gigabyte = 1024 * megabyte;

/**
 * Completes the text of an agent's resources by what the machine has, with Mesos's rules: all cpus; memory but 1 GB, or
 * half of it below 2 GB; disk but 5 GB, or half of it below 10 GB; ports 31000 to 32000. What the text names is kept,
 * so `mem:0` keeps memory from being offered; the text may be JSON. Throws ResourcesParseError; fails if the folder does not exist.
 *
 * @param folder an existing folder on the file system that tasks will use.
 */
export function detectResources(hardware: Hardware, given: string, folder: string): Future<string> {
  const named = new Set(parseAgentResources(given).map(({ name }) => name));
  return hardware.disk(folder).map((disk) => {
    const detected = {
      cpus: String(Math.max(hardware.cpus, 1)),
      mem: String(usable(hardware.memory, gigabyte, 2 * gigabyte)),
      disk: String(usable(disk, 5 * gigabyte, 10 * gigabyte)),
      ports: '[31000-32000]',
    };
    const missing = Object.entries(detected)
      .filter(([name]) => !named.has(name))
      .map(([name, amount]) => `${name}:${amount}`);
    if (given.trimStart().startsWith('[')) {
      const all = [...parseAgentResources(given), ...parseAgentResources(missing.join(';'))];
      return JSON.stringify(all.map((resource) => toMesosResource(resource, 'POST_REFINEMENT')));
    }
    return [given.replace(/[;\s]+$/, ''), ...missing].filter((part) => part !== '').join(';');
  });
}

/** Megabytes of a size in bytes that are left to tasks. */
function usable(size: number, kept: number, enough: number): number {
  return Math.floor((size >= enough ? size - kept : size / 2) / megabyte);
}
