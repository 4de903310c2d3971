export { nats } from './nats-transport.ts';
export type { NatsCredentials, NatsOptions, NatsTls } from './nats-options.ts';
