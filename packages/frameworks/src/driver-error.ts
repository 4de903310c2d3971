/** Why a driver could not do what it was asked. */
export type DriverErrorCode =
  /** There is no connection to the master, and the call makes no sense without one. */
  | 'NOT_CONNECTED'
  /** The master refused what the framework wants to be. */
  | 'FRAMEWORK_REFUSED'
  /** More events wait than the loop that reads them allowed. */
  | 'EVENTS_OVERFLOW'
  /** Events are read by one loop only. */
  | 'EVENTS_TAKEN'
  /** The driver ended by an exception. */
  | 'DRIVER_CRASHED'
  /** The environment does not say which executor this is. */
  | 'ENVIRONMENT_INVALID';

export class DriverError extends Error {
  override readonly name = 'DriverError';
  readonly code: DriverErrorCode;

  constructor(code: DriverErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
