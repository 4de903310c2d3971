/** Freezes a message body through and through, so that changing what was sent throws. Bytes cannot be frozen. */
export function freeze<T>(body: T): T {
  if (typeof body !== 'object' || body === null || Object.isFrozen(body) || ArrayBuffer.isView(body)) return body;
  Object.freeze(body);
  for (const value of Object.values(body)) freeze(value);
  return body;
}
