export { startLocalCluster } from './local-cluster.ts';
export type { Broker, LocalCluster, LocalClusterOptions } from './local-cluster.ts';
export type { Member } from './member.ts';
