import { type Alias, isMap, isNode, LineCounter, parseDocument, visit } from 'yaml';
import type { Document } from 'yaml';
import type { z } from 'zod';
import { limits } from './limits.ts';
import { type Scenario, scenarioSchema } from './scenario.ts';

/** A scenario file that cannot be read. Each fault is one line, `FILE:LINE:COLUMN: where: found …, expected …`. */
export class ScenarioError extends Error {
  override readonly name = 'ScenarioError';
  readonly faults: readonly string[];

  constructor(faults: readonly string[]) {
    super(faults.join('\n'));
    this.faults = faults;
  }
}

/**
 * Reads a scenario file, YAML or JSON.
 *
 * @param source the file's name, for errors
 * @throws {ScenarioError} that names file, line and column of each fault
 */
export function readScenario(content: string, source: string): Scenario {
  const lines = new LineCounter();
  const document = parseDocument(content, { lineCounter: lines, prettyErrors: false });
  const at = (offset: number): string => {
    const { line, col } = lines.linePos(offset);
    return `${source}:${line}:${col}`;
  };
  if (document.errors.length > 0) {
    throw new ScenarioError(document.errors.map(({ pos, message }) => `${at(pos[0])}: ${message}`));
  }
  const value = valueOf(document, at);
  const outcome = scenarioSchema.safeParse(value);
  if (outcome.success) return outcome.data;
  throw new ScenarioError(
    outcome.error.issues.flatMap(faultsOf).map(({ path, atKey, message }) => {
      const found = atKey ? '' : `found ${shown(valueAt(value, path))}, `;
      return `${at(offsetOf(document, path, atKey))}: ${nameOf(path)}${found}expected ${message}`;
    }),
  );
}

/** What aliases (`*name`) stand for is put in; aliases of aliases could make more of it than any memory holds, which is refused. */
function valueOf(document: Document, at: (offset: number) => string): unknown {
  try {
    return document.toJS({ maxAliasCount: limits.aliases }) as unknown;
  } catch (error) {
    const aliases: Alias[] = [];
    visit(document, { Alias: (_, alias) => void aliases.push(alias) });
    const lost = aliases.find((alias) => alias.resolve(document) === undefined);
    const blamed = lost ?? aliases[0];
    if (blamed === undefined) throw error;
    const expected =
      lost === undefined
        ? 'no aliases that stand for many others, again and again'
        : `an anchor &${lost.source} before it`;
    throw new ScenarioError([`${at(blamed.range?.[0] ?? 0)}: found the alias *${blamed.source}, expected ${expected}`]);
  }
}

interface Fault {
  readonly path: readonly PropertyKey[];
  /** The field's name is what is wrong. */
  readonly atKey: boolean;
  readonly message: string;
}

function faultsOf(issue: z.core.$ZodIssue): readonly Fault[] {
  const { code, path, message } = issue;
  if (code === 'unrecognized_keys') {
    return issue.keys.map((key) => ({ path: [...path, key], atKey: true, message: `${message}, found '${key}'` }));
  }
  // The message for a bad key of a record is the one of the key's own schema.
  if (code === 'invalid_key') return [{ path, atKey: true, message: issue.issues[0]?.message ?? message }];
  if (code === 'invalid_union') {
    // What fits one alternative up to a part of it is meant as that one, and the part tells more than the whole.
    const deeper = issue.errors.filter((errors) =>
      errors.some((inner) => inner.path.length > 0 || inner.code === 'custom'),
    );
    const meant = deeper[0];
    if (deeper.length === 1 && meant !== undefined) {
      return meant.flatMap((inner) => faultsOf(inner).map((fault) => ({ ...fault, path: [...path, ...fault.path] })));
    }
  }
  return [{ path, atKey: false, message }];
}

/** Of the node at the path; of what surrounds it if the node is missing. */
function offsetOf(document: Document, path: readonly PropertyKey[], atKey: boolean): number {
  for (let length = path.length; length >= 0; length--) {
    const steps = path.slice(0, length);
    if (atKey && length === path.length) {
      const parent: unknown = length === 1 ? document.contents : document.getIn(steps.slice(0, -1), true);
      const pair = isMap(parent) ? parent.items.find(({ key }) => String(key) === String(path.at(-1))) : undefined;
      if (isNode(pair?.key) && pair.key.range) return pair.key.range[0];
    }
    const node: unknown = length === 0 ? document.contents : document.getIn(steps, true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  let found = value;
  for (const step of path) {
    if (typeof found !== 'object' || found === null) return undefined;
    found = Reflect.get(found, step);
  }
  return found;
}

/** `frameworks[2].role: ` */
function nameOf(path: readonly PropertyKey[]): string {
  if (path.length === 0) return '';
  const name = path.map((step) => (typeof step === 'number' ? `[${step}]` : `.${String(step)}`)).join('');
  return `${name.replace(/^\./, '')}: `;
}

function shown(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (typeof value === 'object') return 'a mapping';
  // JSON has no infinity.
  if (typeof value === 'number') return String(value);
  const written = JSON.stringify(value);
  return written.length > 60 ? `${written.slice(0, 57)}…"` : written;
}
