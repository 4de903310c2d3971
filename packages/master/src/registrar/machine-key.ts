import type { MachineID } from '@mezzo/protocol';

/** The same for two ids of one machine: host names are compared without regard to case, addresses as they are written. */
export function machineKey({ hostname = '', ip = '' }: MachineID): string {
  return JSON.stringify([hostname.toLowerCase(), ip]);
}
