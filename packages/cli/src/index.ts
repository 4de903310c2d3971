export * from './local-cluster/index.ts';
export * from './nats-server/index.ts';
