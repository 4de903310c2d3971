import { ResourcesParseError } from './parse-error.ts';
import { readText } from './text-form.ts';

interface Quantity {
  readonly name: string;
  readonly scalar: number;
  /** Where the name is in the text. */
  readonly position: number;
}

/**
 * Reads `cpus:1;mem:32` as written.
 *
 * @throws {ResourcesParseError}
 */
export function parseQuantities(text: string): Quantity[] {
  return readText(text).map(({ resource, positionOf }) => {
    const { name, type, ...rest } = resource;
    const position = positionOf(['name']);
    if (resource.type !== 'SCALAR')
      throw new ResourcesParseError(text, position, 'numbers only', `a value of type ${type}`);
    if (Object.keys(rest).length > 1) {
      throw new ResourcesParseError(text, position, 'names and numbers only', `more about ${JSON.stringify(name)}`);
    }
    return { name, scalar: resource.scalar, position };
  });
}
