export { linkTimeout, startLocalCluster } from './local-cluster.ts';
export type { LocalCluster, LocalClusterOptions } from './local-cluster.ts';
export type { Member } from './member.ts';
