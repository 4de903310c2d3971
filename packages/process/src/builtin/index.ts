import type { Runtime } from '../runtime.ts';
import { HelpProcess } from './help.ts';
import { LoggingProcess } from './logging.ts';
import { type MetricsEndpointOptions, MetricsProcess } from './metrics.ts';
import { ProcessesProcess } from './processes.ts';
import { SystemProcess } from './system.ts';

export interface BuiltinOptions {
  readonly metrics?: MetricsEndpointOptions;
}

/**
 * Spawns the processes `help`, `metrics`, `logging`, `system` and `__processes__`, which tell of the others and of the
 * machine over HTTP. An HTTP server does it when it starts; a runtime that serves requests without a socket can do it itself.
 * Throws RATE_INVALID.
 */
export function spawnBuiltins(runtime: Runtime, options: BuiltinOptions = {}): void {
  const builtins = [
    new HelpProcess(),
    new MetricsProcess(options.metrics),
    new LoggingProcess(),
    new SystemProcess(),
    new ProcessesProcess(),
  ];
  for (const builtin of builtins) runtime.spawn(builtin);
}
