import type { SmallCluster } from './cluster.ts';
import { frameworkFailover } from './framework-failover.ts';
import { maintenance } from './maintenance.ts';
import { persistentVolume } from './persistent-volume.ts';
import { quota } from './quota.ts';
import { reservations } from './reservations.ts';

/** Each is READY when its framework has ended. */
export const examples: ReadonlyMap<string, (small: SmallCluster, print: (line: string) => void) => Promise<void>> =
  new Map([
    ['reservations', reservations],
    ['persistent-volume', persistentVolume],
    ['quota', quota],
    ['maintenance', maintenance],
    ['failover', frameworkFailover],
  ]);
