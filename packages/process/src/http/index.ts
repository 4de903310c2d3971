export { spawnBuiltins } from '../builtin/index.ts';
export type { BuiltinOptions } from '../builtin/index.ts';
export type { MetricsEndpointOptions, MetricsText } from '../builtin/metrics.ts';
export { httpServer } from './server.ts';
export type { HttpServerOptions } from './server.ts';
