/**
 * Freezes a message body through and through, so that changing what was sent throws. Plain objects and arrays only: bytes
 * cannot be frozen, and instances of classes (addresses, values with caches) look after themselves.
 */
export function freeze<T>(body: T): T {
  freezeTree(body);
  return body;
}

/** Trees known to be frozen; a body whose outside was frozen by its sender may still be soft inside. */
const frozen = new WeakSet<object>();

function freezeTree(value: unknown): void {
  if (typeof value !== 'object' || value === null || frozen.has(value) || !isPlain(value)) return;
  frozen.add(value);
  Object.freeze(value);
  for (const inner of Object.values(value)) freezeTree(inner);
}

function isPlain(value: object): boolean {
  if (Array.isArray(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
