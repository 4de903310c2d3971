export { nats } from './nats-transport.ts';
export type { NatsCredentials, NatsOptions, NatsTls, Secret } from './nats-options.ts';
export { permissionsFor, permissionsOf } from './permissions.ts';
export type { CallerGrant, Grants, NatsIdentity, NatsPermissions, NodeGrant } from './permissions.ts';
