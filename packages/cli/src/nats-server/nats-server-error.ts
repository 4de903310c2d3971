/** Why a NATS server could not be started. */
export type NatsServerErrorCode =
  | 'bad-option'
  | 'not-found'
  | 'directory-unwritable'
  | 'port-in-use'
  | 'died'
  | 'not-ready';

/** A NATS server that we were to start does not run. The message is one line that names the cause and what to do. */
export class NatsServerError extends Error {
  override readonly name = 'NatsServerError';
  readonly code: NatsServerErrorCode;

  constructor(code: NatsServerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
