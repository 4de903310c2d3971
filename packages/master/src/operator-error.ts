/** A wish of an operator that is not fulfilled: INVALID as it was given, in CONFLICT with how things are, or UNKNOWN what it is about. */
export class OperatorError extends Error {
  override readonly name = 'OperatorError';
  readonly kind: 'INVALID' | 'CONFLICT' | 'UNKNOWN';

  constructor(kind: OperatorError['kind'], message: string) {
    super(message);
    this.kind = kind;
  }
}
