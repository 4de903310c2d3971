import { ResourcesParseError } from './parse-error.ts';
import { coalesce, type Range } from './ranges.ts';

const DIGIT = /[0-9]/;
const SPACE = /\s/;

/** Reads a text token by token; white space between them is skipped. */
export class TextReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** The next character that is not white space; the position is moved to it. */
  peek(): string | undefined {
    this.#at = this.startOfToken();
    return this.#text[this.#at];
  }

  skip(characters: number): void {
    this.#at += characters;
  }

  startOfToken(skip = 0): number {
    let at = this.#at + skip;
    while (at < this.#text.length && SPACE.test(this.#text.charAt(at))) at += 1;
    return at;
  }

  /** Whether the next two tokens are these. */
  startsWith(character: string, keyword: string): boolean {
    return this.peek() === character && this.#text.startsWith(keyword, this.startOfToken(1));
  }

  /** Moves behind these two tokens. */
  pass(character: string, keyword: string): void {
    this.expect(character, JSON.stringify(character));
    this.keyword(keyword, JSON.stringify(keyword));
  }

  keyword(keyword: string, expected: string): void {
    const start = this.startOfToken();
    if (!this.#text.startsWith(keyword, start)) this.fail(start, expected);
    this.#at = start + keyword.length;
  }

  /** Whether the next token is this word and no longer one. */
  atWord(word: string, ends: ReadonlySet<string>): boolean {
    const start = this.startOfToken();
    return this.#text.slice(start, this.#endOfWord(start, ends)) === word;
  }

  expect(character: string, expected: string): void {
    if (this.peek() !== character) this.fail(this.#at, expected);
    this.#at += 1;
  }

  /** `open`, any number of `item` between commas, `close`. */
  list<Item>(open: string, close: string, what: string, item: (index: number) => Item): Item[] {
    const items: Item[] = [];
    this.expect(open, `${JSON.stringify(open)} before ${what}`);
    if (this.peek() !== close) {
      for (;;) {
        items.push(item(items.length));
        if (this.peek() !== ',') break;
        this.#at += 1;
      }
    }
    this.expect(close, `"," or ${JSON.stringify(close)} after ${what}`);
    return items;
  }

  /** A JSON string in quotes, or a run of characters up to white space or one of `ends`. */
  token(ends: ReadonlySet<string>, expected: string): string {
    return this.peek() === '"' ? this.#quoted() : this.word(ends, expected);
  }

  word(ends: ReadonlySet<string>, expected: string): string {
    const start = this.startOfToken();
    const end = this.#endOfWord(start, ends);
    if (end === start) this.fail(start, expected);
    this.#at = end;
    return this.#text.slice(start, end);
  }

  #endOfWord(start: number, ends: ReadonlySet<string>): number {
    let end = start;
    while (end < this.#text.length) {
      const character = this.#text.charAt(end);
      if (ends.has(character) || SPACE.test(character)) break;
      end += 1;
    }
    return end;
  }

  #quoted(): string {
    const start = this.#at;
    let end = start + 1;
    while (end < this.#text.length && this.#text[end] !== '"') end += this.#text[end] === '\\' ? 2 : 1;
    if (end >= this.#text.length) this.fail(this.#text.length, 'a closing quote');
    this.#at = end + 1;
    try {
      return String(JSON.parse(this.#text.slice(start, end + 1)));
    } catch {
      return this.fail(start, 'a string as JSON writes it');
    }
  }

  ranges(): readonly Range[] {
    return coalesce(
      this.list('[', ']', 'a range', () => {
        const start = this.startOfToken();
        const begin = this.#wholeNumber('the first number of a range, as in [1-5]');
        this.expect('-', '"-" between the ends of a range');
        const end = this.#wholeNumber('the last number of a range');
        if (begin > end) this.fail(start, 'a range from low to high', `${begin}-${end}`);
        return { begin, end };
      }),
    );
  }

  #wholeNumber(expected: string): number {
    const start = this.startOfToken();
    let end = start;
    while (DIGIT.test(this.#text.charAt(end))) end += 1;
    if (end === start) this.fail(start, expected);
    const value = Number(this.#text.slice(start, end));
    if (!Number.isSafeInteger(value)) {
      this.fail(start, `a number up to ${Number.MAX_SAFE_INTEGER}`, this.#text.slice(start, end));
    }
    this.#at = end;
    return value;
  }

  fail(position: number, expected: string, found?: string): never {
    const character = this.#text[position];
    throw new ResourcesParseError(
      this.#text,
      position,
      expected,
      found ?? (character === undefined ? 'the end of the text' : JSON.stringify(character)),
    );
  }
}
