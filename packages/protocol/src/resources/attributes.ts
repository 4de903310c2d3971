import { pointAt, ResourcesParseError } from './parse-error.ts';
import { type Range, sameRanges } from './ranges.ts';
import { TextReader } from './text-reader.ts';

/** What an operator says of an agent: `rack:r3`, `cores:8`, `ports:[1-5]`. */
export type Attribute =
  | { readonly name: string; readonly type: 'TEXT'; readonly text: string }
  | { readonly name: string; readonly type: 'SCALAR'; readonly scalar: number }
  | { readonly name: string; readonly type: 'RANGES'; readonly ranges: readonly Range[] };

export class AttributesParseError extends Error {
  override readonly name = 'AttributesParseError';
  readonly text: string;
  /** Index into `text` of the character that is wrong. */
  readonly position: number;

  constructor(text: string, position: number, problem: string) {
    super(`Cannot parse attributes: ${problem}\n${pointAt(text, position)}`);
    this.text = text;
    this.position = position;
  }
}

const NUMBER = /^\+?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const CLOSING: Readonly<Record<string, string>> = { '[': ']', '{': '}', '(': ')' };

/**
 * Reads `name:value;name:value`, also with line breaks between them. As in Mesos, spaces are taken out of values and
 * not of names, a name may appear again, and a number that is negative or not finite is a text.
 *
 * @throws {AttributesParseError} for a name or value that is missing, a set, brackets that do not match, a bad range
 */
export function parseAttributes(text: string): Attribute[] {
  const attributes: Attribute[] = [];
  let start = 0;
  for (const part of text.split(/[;\n]/)) {
    if (part !== '') attributes.push(attribute(text, part, start));
    start += part.length + 1;
  }
  return attributes;
}

function attribute(text: string, part: string, start: number): Attribute {
  const colon = part.indexOf(':');
  if (colon === -1) throw new AttributesParseError(text, start, `expected name:value, found ${JSON.stringify(part)}`);
  if (colon === 0) throw new AttributesParseError(text, start, 'expected a name before ":"');
  const name = part.slice(0, colon);
  const value = part.slice(colon + 1).replaceAll(' ', '');
  const position = start + colon + 1;
  if (value === '') throw new AttributesParseError(text, position, `expected a value of ${JSON.stringify(name)}`);
  const bracket = mismatch(value);
  if (bracket !== undefined) {
    throw new AttributesParseError(text, position, `expected brackets to match, found ${JSON.stringify(bracket)}`);
  }
  if (value.startsWith('[')) return { name, type: 'RANGES', ranges: ranges(text, value, position) };
  if (value.startsWith('{'))
    throw new AttributesParseError(text, position, 'expected a text, number or ranges, found a set');
  if (/[[{]/.test(value)) {
    throw new AttributesParseError(text, position, `expected "[" and "{" only at the beginning of a value`);
  }
  const number = NUMBER.test(value) ? Number(value) : Number.NaN;
  return Number.isFinite(number) ? { name, type: 'SCALAR', scalar: number } : { name, type: 'TEXT', text: value };
}

/** The first bracket without its partner. */
function mismatch(value: string): string | undefined {
  const open: string[] = [];
  for (const character of value) {
    if (CLOSING[character] !== undefined) open.push(character);
    else if (character === ']' || character === '}' || character === ')') {
      const last = open.pop();
      if (last === undefined || CLOSING[last] !== character) return character;
    }
  }
  return open.pop();
}

function ranges(text: string, value: string, position: number): readonly Range[] {
  try {
    const reader = new TextReader(value);
    const list = reader.ranges();
    if (reader.peek() !== undefined) reader.expect(';', 'nothing after the ranges');
    return list;
  } catch (error) {
    if (!(error instanceof ResourcesParseError)) throw error;
    throw new AttributesParseError(text, position, `expected ${error.expected} in ${JSON.stringify(value)}`);
  }
}

/** Whether the same attributes are there as often, in any order. */
export function sameAttributes(left: readonly Attribute[], right: readonly Attribute[]): boolean {
  if (left.length !== right.length) return false;
  const rest = [...right];
  return left.every((attribute) => {
    const at = rest.findIndex((candidate) => sameAttribute(attribute, candidate));
    if (at !== -1) rest.splice(at, 1);
    return at !== -1;
  });
}

function sameAttribute(left: Attribute, right: Attribute): boolean {
  if (left.name !== right.name) return false;
  if (left.type === 'TEXT') return right.type === 'TEXT' && left.text === right.text;
  if (left.type === 'SCALAR') return right.type === 'SCALAR' && left.scalar === right.scalar;
  return right.type === 'RANGES' && sameRanges(left.ranges, right.ranges);
}
