/** An error as it travels between threads: cloned as it is, it would lose its name, its code and its cause. */
export interface CarriedError {
  readonly name: string;
  readonly message: string;
  readonly stack: string | undefined;
  readonly code: string | number | undefined;
  readonly cause: CarriedError | undefined;
}

/** Causes beyond so many are left out: a chain may lead back into itself. */
const deepestCause = 8;

/** Whatever was thrown; what is no Error becomes one of its text. */
export function carry(thrown: unknown, depth = 0): CarriedError {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown));
  const code: unknown = 'code' in error ? error.code : undefined;
  return {
    name: error.name,
    message: error.message,
    stack: error.stack,
    code: typeof code === 'string' || typeof code === 'number' ? code : undefined,
    cause: error.cause === undefined || depth >= deepestCause ? undefined : carry(error.cause, depth + 1),
  };
}

/** An Error that reads as the original did; its class is not known here. */
export function restore({ name, message, stack, code, cause }: CarriedError): Error {
  const error = cause === undefined ? new Error(message) : new Error(message, { cause: restore(cause) });
  const hidden = { configurable: true, writable: true, enumerable: false };
  Object.defineProperties(error, { name: { ...hidden, value: name }, stack: { ...hidden, value: stack } });
  return code === undefined ? error : Object.assign(error, { code });
}
