import type { MessagePort } from 'node:worker_threads';

const bare = ['start', 'started', 'refused', 'no-responders', 'listen', 'ignore', 'check', 'stop'] as const;
const laden = ['frame', 'announce'] as const;

/**
 * What a node and its hub say to each other. The text is the name of a node (of `frame` on the way to the hub its receiver, on
 * the way from it its sender), a topic, or empty.
 */
export type PortMessage =
  | readonly [kind: (typeof bare)[number], text: string]
  | readonly [kind: (typeof laden)[number], text: string, bytes: Uint8Array<ArrayBuffer>];

/** Undefined for what no hub and no node says. */
export function asPortMessage(value: unknown): PortMessage | undefined {
  if (!Array.isArray(value)) return undefined;
  const [kind, text, bytes]: unknown[] = value;
  if (typeof text !== 'string') return undefined;
  const known = bare.find((one) => one === kind);
  if (known !== undefined) return [known, text];
  const carrying = laden.find((one) => one === kind);
  if (carrying === undefined || !(bytes instanceof Uint8Array) || !(bytes.buffer instanceof ArrayBuffer))
    return undefined;
  return [carrying, text, bytes as Uint8Array<ArrayBuffer>];
}

export function post(port: MessagePort, message: PortMessage): void {
  port.postMessage(message);
}

/** The bytes move to the other side: they must be all that their buffer holds, and nobody's any more. */
export function move(
  port: MessagePort,
  kind: 'frame' | 'announce',
  text: string,
  bytes: Uint8Array<ArrayBuffer>,
): void {
  port.postMessage([kind, text, bytes], [bytes.buffer]);
}
