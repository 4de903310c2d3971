import { isMap, isSeq, parse, parseDocument, stringify } from 'yaml';

/** A field of a scenario and what it is set to. */
export interface Setting {
  /** Names and, in lists, numbers from 0, with points between: `frameworks.0.tasks`. */
  readonly path: string;
  readonly value: unknown;
}

/** A field of a scenario and the values it takes in turn. */
export interface Sweep {
  readonly path: string;
  readonly values: readonly unknown[];
}

/**
 * Reads `PATH=VALUE,VALUE,…`; values are written as in a scenario, so `[1, 2]` and `{ exponential: 5m }` are one value each.
 * Throws RangeError.
 */
export function parseSweep(text: string): Sweep {
  const expected = `expected PATH=VALUE,VALUE,…, such as frameworks.0.tasks=10,20,40`;
  const equals = text.indexOf('=');
  const path = text.slice(0, Math.max(0, equals)).trim();
  if (path === '') throw new RangeError(`Invalid setting '${text}': ${expected}`);
  let values: unknown;
  try {
    values = parse(`[${text.slice(equals + 1)}]`);
  } catch (error) {
    throw new RangeError(`Invalid setting '${text}': ${expected}`, { cause: error });
  }
  if (!Array.isArray(values) || values.length === 0) throw new RangeError(`Invalid setting '${text}': ${expected}`);
  return { path, values };
}

/** As parseSweep reads it. */
export function settingText({ path, value }: Setting): string {
  return `${path}=${valueText(value)}`;
}

export function valueText(value: unknown): string {
  return stringify([value], { collectionStyle: 'flow', flowCollectionPadding: false, lineWidth: 0 })
    .trim()
    .slice(1, -1);
}

/**
 * The text of a scenario (YAML or JSON) with some of its fields set; what surrounds a field must be there, the field itself need
 * not. Throws RangeError for a path that leads nowhere. Text that is no YAML is given back as it is: whoever reads it says why.
 */
export function withSettings(text: string, settings: readonly Setting[]): string {
  if (settings.length === 0) return text;
  const document = parseDocument(text);
  if (document.errors.length > 0) return text;
  for (const { path, value } of settings) {
    const steps: (string | number)[] = [];
    for (const step of path.split('.')) {
      const around: unknown = steps.length === 0 ? document.contents : document.getIn(steps, true);
      const where = steps.length === 0 ? 'the scenario' : steps.join('.');
      if (isSeq(around)) {
        const index = /^\d+$/.test(step) ? Number(step) : Number.NaN;
        if (!(index < around.items.length)) {
          const last = around.items.length - 1;
          throw new RangeError(
            `Invalid path '${path}': ${where} is a list, expected a number from 0 to ${last} and not '${step}'`,
          );
        }
        steps.push(index);
      } else if (isMap(around)) {
        steps.push(step);
      } else {
        throw new RangeError(`Invalid path '${path}': ${where} has no fields, so no '${step}'`);
      }
    }
    document.setIn(steps, document.createNode(value));
  }
  return document.toString();
}
