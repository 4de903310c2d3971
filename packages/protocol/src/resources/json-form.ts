import { createScanner, findNodeAtLocation, getNodeValue, parseTree, printParseErrorCode } from 'jsonc-parser';
import type { Node, ParseError } from 'jsonc-parser';
import { fromMesosResource, mesosPath } from './formats.ts';
import { MesosJson, ResourceFormatError } from './mesos-json.ts';
import type { Placed } from './parse.ts';
import { ResourcesParseError } from './parse-error.ts';

/**
 * Reads a JSON array of Mesos's resource objects, in any of its formats.
 *
 * @throws {ResourcesParseError} that points at the faulty node
 */
export function readJson(text: string, defaultRole: string): Placed[] {
  const root = parsed(text);
  return (root.children ?? []).map((node): Placed => {
    const value: unknown = getNodeValue(node);
    try {
      const resource = fromMesosResource(value, defaultRole);
      const json = new MesosJson(value, []);
      return { resource, positionOf: (path) => nodeAt(node, mesosPath(path, json)).offset };
    } catch (error) {
      if (!(error instanceof ResourceFormatError)) throw error;
      throw new ResourcesParseError(text, nodeAt(node, error.path).offset, error.expected, error.found);
    }
  });
}

/** The node at the path, or the innermost on the way that is there. */
function nodeAt(node: Node, path: readonly (string | number)[]): Node {
  for (let length = path.length; length > 0; length -= 1) {
    const found = findNodeAtLocation(node, path.slice(0, length));
    if (found !== undefined) return found;
  }
  return node;
}

function parsed(text: string): Node {
  refuseDepth(text);
  const errors: ParseError[] = [];
  const root = parseTree(text, errors, { disallowComments: true });
  const [first] = errors;
  if (first !== undefined) {
    const { offset, length, error } = first;
    const found = offset >= text.length ? 'the end of the text' : JSON.stringify(text.slice(offset, offset + length));
    throw new ResourcesParseError(text, Math.min(offset, text.length), expectations(error), found);
  }
  if (root?.type !== 'array')
    throw new ResourcesParseError(text, root?.offset ?? 0, 'a JSON array of resources', 'none');
  return root;
}

const EXPECTATIONS: Readonly<Record<string, string>> = {
  PropertyNameExpected: 'the name of a field in quotes',
  ValueExpected: 'a JSON value',
  ColonExpected: '":" after the name of a field',
  CommaExpected: '","',
  CloseBraceExpected: '"}"',
  CloseBracketExpected: '"]"',
  EndOfFileExpected: 'the end of the text',
  InvalidCommentToken: 'no comment',
  UnexpectedEndOfComment: 'no comment',
  UnexpectedEndOfString: 'a closing quote',
  UnexpectedEndOfNumber: 'a number as JSON writes it',
  InvalidNumberFormat: 'a number as JSON writes it',
  InvalidUnicode: 'four hexadecimal digits after \\u',
  InvalidEscapeCharacter: 'an escape sequence of JSON',
  InvalidCharacter: 'no control character in a string',
};

function expectations(code: ParseError['error']): string {
  return EXPECTATIONS[printParseErrorCode(code)] ?? 'a JSON value';
}

/** A resource is a few levels deep; the parser, which calls itself for each level, must not run out of stack. */
const DEEPEST = 32;

function refuseDepth(text: string): void {
  const scanner = createScanner(text, true);
  let depth = 0;
  for (scanner.scan(); scanner.getTokenOffset() < text.length; scanner.scan()) {
    const offset = scanner.getTokenOffset();
    const character = text[offset];
    if (character === '[' || character === '{') depth += 1;
    else if (character === ']' || character === '}') depth -= 1;
    if (depth > DEEPEST) throw new ResourcesParseError(text, offset, `at most ${DEEPEST} levels of JSON`, 'more');
  }
}
