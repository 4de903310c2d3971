import { roleFault, UNRESERVED } from '../roles.ts';
import { coalesce, type Range } from './ranges.ts';
import type { Resource } from './resource.ts';
import { scalarFault } from './scalar.ts';

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
function pointAt(text: string, position: number): string {
  const from = position > CONTEXT ? position - CONTEXT : 0;
  const to = Math.min(text.length, position + CONTEXT);
  const before = from > 0 ? '...' : '';
  const after = to < text.length ? '...' : '';
  // oxlint-disable-next-line no-control-regex -- a line break or tab would move the caret
  const part = text.slice(from, to).replaceAll(/[\u0000-\u001f\u007f]/g, ' ');
  return `  ${before}${part}${after}\n  ${' '.repeat(before.length + position - from)}^`;
}

/**
 * Reads the text form into its entries as written: not added up, zero amounts kept (an agent must tell `cpus:0` from
 * no word about cpus).
 *
 * @throws {ResourcesParseError}
 */
export function parseResources(text: string, defaultRole: string = UNRESERVED): Resource[] {
  const fault = roleFault(defaultRole);
  if (fault !== undefined) throw new RangeError(`Invalid default role for resources: ${fault}`);
  return new Parser(text, defaultRole).parse();
}

const NAME_END = new Set([':', ';', '(', ')', '[', ']', '{', '}', ',']);
const NUMBER_END = new Set([';', ':', ',', '(', ')', '[', ']', '{', '}']);
const ROLE_END = new Set(['(', ')', ';']);
const ITEM_END = new Set([',', ';', '{', '}']);
const DIGIT = /[0-9]/;
const SPACE = /\s/;
const NUMBER = /^(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const ALLOCATED = 'allocated:';

class Parser {
  readonly #text: string;
  readonly #defaultRole: string;
  readonly #typeOfName = new Map<string, Resource['type']>();
  #at = 0;

  constructor(text: string, defaultRole: string) {
    this.#text = text;
    this.#defaultRole = defaultRole;
  }

  parse(): Resource[] {
    const resources: Resource[] = [];
    for (;;) {
      while (this.#peek() === ';') this.#at += 1;
      if (this.#peek() === undefined) return resources;
      resources.push(this.#resource());
      if (this.#peek() !== undefined) this.#expect(';', '";" or the end');
    }
  }

  #resource(): Resource {
    const start = this.#startOfToken();
    const name = this.#word(NAME_END, 'the name of a resource');
    let allocationRole: string | undefined;
    let role = this.#defaultRole;
    let open = this.#peek();
    if (open === '(' && this.#text.startsWith(ALLOCATED, this.#startOfToken(1))) {
      this.#at = this.#startOfToken(1) + ALLOCATED.length;
      allocationRole = this.#role();
      open = this.#peek();
    }
    if (open === '(') {
      this.#at += 1;
      role = this.#role();
    }
    this.#expect(':', open === '(' ? '":"' : '":" or "(" after the name');
    const value = this.#value();
    const otherType = this.#typeOfName.get(name);
    if (otherType !== undefined && otherType !== value.type) {
      this.#fail(start, `every ${JSON.stringify(name)} to be ${otherType}, as the first one`, value.type);
    }
    this.#typeOfName.set(name, value.type);
    return {
      name,
      ...(role === UNRESERVED ? undefined : { role }),
      ...(allocationRole === undefined ? undefined : { allocationRole }),
      ...value,
    };
  }

  /** After the parenthesis or the key. */
  #role(): string {
    const start = this.#startOfToken();
    const role = this.#word(ROLE_END, 'a role');
    const fault = roleFault(role);
    if (fault !== undefined) this.#fail(start, 'a valid role', `a fault: ${fault}`);
    this.#expect(')', '")" after the role');
    return role;
  }

  #value():
    | { type: 'SCALAR'; scalar: number }
    | { type: 'RANGES'; ranges: readonly Range[] }
    | { type: 'SET'; set: string[] } {
    switch (this.#peek()) {
      case '[':
        return { type: 'RANGES', ranges: this.#ranges() };
      case '{':
        return { type: 'SET', set: this.#set() };
      default:
        return { type: 'SCALAR', scalar: this.#scalar() };
    }
  }

  #scalar(): number {
    const start = this.#startOfToken();
    const expected = 'a number, ranges as [1-5,8-9] or a set as {a,b}';
    const word = this.#word(NUMBER_END, expected);
    if (!NUMBER.test(word)) this.#fail(start, expected, JSON.stringify(word));
    const fault = scalarFault(Number(word));
    if (fault !== undefined) this.#fail(start, 'zero or a number of 0.001 and up', `a fault: ${fault}`);
    return Number(word);
  }

  #ranges(): readonly Range[] {
    const ranges: Range[] = [];
    this.#expect('[', '"["');
    if (this.#peek() !== ']') {
      for (;;) {
        const start = this.#startOfToken();
        const begin = this.#wholeNumber('the first number of a range, as in [1-5]');
        this.#expect('-', '"-" between the ends of a range');
        const end = this.#wholeNumber('the last number of a range');
        if (begin > end) this.#fail(start, 'a range from low to high', `${begin}-${end}`);
        ranges.push({ begin, end });
        if (this.#peek() !== ',') break;
        this.#at += 1;
      }
    }
    this.#expect(']', '"," or "]" after a range');
    return coalesce(ranges);
  }

  #wholeNumber(expected: string): number {
    const start = this.#startOfToken();
    let end = start;
    while (DIGIT.test(this.#text.charAt(end))) end += 1;
    if (end === start) this.#fail(start, expected);
    const value = Number(this.#text.slice(start, end));
    if (!Number.isSafeInteger(value)) {
      this.#fail(start, `a number up to ${Number.MAX_SAFE_INTEGER}`, this.#text.slice(start, end));
    }
    this.#at = end;
    return value;
  }

  #set(): string[] {
    const items: string[] = [];
    this.#expect('{', '"{"');
    if (this.#peek() !== '}') {
      for (;;) {
        const start = this.#startOfToken();
        const item = this.#word(ITEM_END, 'an item of the set, as in {a,b}');
        if (items.includes(item)) this.#fail(start, 'each item once', `${JSON.stringify(item)} again`);
        items.push(item);
        if (this.#peek() !== ',') break;
        this.#at += 1;
      }
    }
    this.#expect('}', '"," or "}" after an item');
    return items;
  }

  /** A run of characters up to white space or one of `ends`. */
  #word(ends: ReadonlySet<string>, expected: string): string {
    const start = this.#startOfToken();
    let end = start;
    while (end < this.#text.length) {
      const character = this.#text.charAt(end);
      if (ends.has(character) || SPACE.test(character)) break;
      end += 1;
    }
    if (end === start) this.#fail(start, expected);
    this.#at = end;
    return this.#text.slice(start, end);
  }

  #expect(character: string, expected: string): void {
    if (this.#peek() !== character) this.#fail(this.#at, expected);
    this.#at += 1;
  }

  /** The next character that is not white space; the position is moved to it. */
  #peek(): string | undefined {
    this.#at = this.#startOfToken();
    return this.#text[this.#at];
  }

  #startOfToken(skip = 0): number {
    let at = this.#at + skip;
    while (at < this.#text.length && SPACE.test(this.#text.charAt(at))) at += 1;
    return at;
  }

  #fail(position: number, expected: string, found?: string): never {
    const character = this.#text[position];
    throw new ResourcesParseError(
      this.#text,
      position,
      expected,
      found ?? (character === undefined ? 'the end of the text' : JSON.stringify(character)),
    );
  }
}
