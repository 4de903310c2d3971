import { MessagePort, workerData } from 'node:worker_threads';

import { ProcessError } from '../errors.ts';
import type { Transport } from '../transport.ts';
import { portTransport } from './port-transport.ts';

/** What `PortHub.spawnWorker` adds to the `workerData` of a thread. */
export interface Place {
  readonly name: string;
  readonly port: MessagePort;
}

/** Where in `workerData`. */
export const placeKey = 'mezzo';

/**
 * Name and transport for the runtime of this thread, which `PortHub.spawnWorker` started: `Runtime.start(workerNode())`.
 * Throws TRANSPORT_UNAVAILABLE elsewhere.
 */
export function workerNode(): { readonly name: string; readonly transport: Transport } {
  const place: unknown =
    typeof workerData === 'object' && workerData !== null ? Reflect.get(workerData, placeKey) : undefined;
  if (!isPlace(place)) {
    throw new ProcessError(
      'TRANSPORT_UNAVAILABLE',
      'workerNode() outside a worker thread of a hub: start the thread with PortHub.spawnWorker(url, { name })',
    );
  }
  return { name: place.name, transport: portTransport(place.port) };
}

function isPlace(value: unknown): value is Place {
  return (
    typeof value === 'object' &&
    value !== null &&
    'name' in value &&
    typeof value.name === 'string' &&
    'port' in value &&
    value.port instanceof MessagePort
  );
}
