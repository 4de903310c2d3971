import { isMap, isNode, LineCounter, parseDocument } from 'yaml';
import type { Document } from 'yaml';
import type { z } from 'zod';
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
  const value: unknown = document.toJS();
  const outcome = scenarioSchema.safeParse(value);
  if (outcome.success) return outcome.data;
  throw new ScenarioError(
    outcome.error.issues.flatMap(faultsOf).map(({ path, atKey, message }) => {
      const found = atKey ? '' : `found ${shown(valueAt(value, path))}, `;
      return `${at(offsetOf(document, path, atKey))}: ${nameOf(path)}${found}expected ${message}`;
    }),
  );
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
  const written = JSON.stringify(value);
  return written.length > 60 ? `${written.slice(0, 57)}…"` : written;
}
