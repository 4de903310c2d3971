export { defaultCacheDirectory, locateNatsServer } from './executable.ts';
export { startNatsServer, type NatsServer, type NatsServerOptions } from './nats-server.ts';
export { NatsServerError, type NatsServerErrorCode } from './nats-server-error.ts';
export { provisionNatsServer, type NatsServerSource, type ProvisionOptions } from './provision.ts';
export type { NatsServerExit } from './server-child.ts';
