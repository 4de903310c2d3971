export class ResourcesParseError extends Error {
  override readonly name = 'ResourcesParseError';
  readonly text: string;
  /** Index into `text` of the character that is wrong; its length when the text ended too early. */
  readonly position: number;
  readonly expected: string;

  constructor(text: string, position: number, expected: string, found: string) {
    super(`Cannot parse resources: expected ${expected}, found ${found}\n${pointAt(text, position)}`);
    this.text = text;
    this.position = position;
    this.expected = expected;
  }
}

const CONTEXT = 60;

/** The text (or the part around the position) with a caret in a second line. */
export function pointAt(text: string, position: number): string {
  const from = position > CONTEXT ? position - CONTEXT : 0;
  const to = Math.min(text.length, position + CONTEXT);
  const before = from > 0 ? '...' : '';
  const after = to < text.length ? '...' : '';
  // oxlint-disable-next-line no-control-regex -- a line break or tab would move the caret
  const part = text.slice(from, to).replaceAll(/[\u0000-\u001f\u007f]/g, ' ');
  return `  ${before}${part}${after}\n  ${' '.repeat(before.length + position - from)}^`;
}
