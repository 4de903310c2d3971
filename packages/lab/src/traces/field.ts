/** Why a field is refused; whoever knows file and line makes a TraceError of it. */
export class FieldError extends Error {
  override readonly name = 'FieldError';
  readonly column: string | undefined;

  constructor(column: string | undefined, problem: string) {
    super(problem);
    this.column = column;
  }
}

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** A decimal number from 0 to `most`. */
export function amountField(column: string, text: string, most = 1e12): number {
  const value = decimal.test(text) ? Number(text) : Number.NaN;
  if (value >= 0 && value <= most) return value;
  throw new FieldError(column, `got ${quote(text)}, expected a decimal number from 0 to ${most}`);
}

/** A whole number. */
export function wholeField(column: string, text: string, least: number, most: number): number {
  const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= least && value <= most) return value;
  throw new FieldError(column, `got ${quote(text)}, expected a whole number from ${least} to ${most}`);
}

export function textField(column: string, text: string): string {
  if (text !== '') return text;
  throw new FieldError(column, 'is empty');
}

/** As it stands in the file, short enough for a line of a terminal. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}

export const toThousandths = (value: number): number => Math.round(value * 1000) / 1000;
