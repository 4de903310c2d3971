/** A line of a trace that is not what its format says; names file, line and column. */
export class TraceError extends Error {
  override readonly name = 'TraceError';
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** The column's name, if one is to blame. */
  readonly column: string | undefined;

  constructor(file: string, line: number, column: string | undefined, problem: string, options?: ErrorOptions) {
    super(`${file}, line ${line}${column === undefined ? '' : `, column ${column}`}: ${problem}`, options);
    this.file = file;
    this.line = line;
    this.column = column;
  }
}
