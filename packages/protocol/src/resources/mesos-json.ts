/** A value that is not what Mesos's JSON has there, or a resource that a format cannot tell. */
export class ResourceFormatError extends Error {
  override readonly name = 'ResourceFormatError';
  /** From the resource to the faulty part. */
  readonly path: readonly (string | number)[];
  readonly expected: string;
  readonly found: string;

  constructor(path: readonly (string | number)[], expected: string, found: string) {
    super(`Invalid resource${path.length === 0 ? '' : ` at ${path.join('.')}`}: expected ${expected}, found ${found}`);
    this.path = path;
    this.expected = expected;
    this.found = found;
  }
}

/** A part of parsed JSON that knows where it is. Every reader throws `ResourceFormatError`. */
export class MesosJson {
  readonly #value: unknown;
  readonly #path: readonly (string | number)[];

  constructor(value: unknown, path: readonly (string | number)[]) {
    this.#value = value;
    this.#path = path;
  }

  refuse(expected: string): never {
    throw new ResourceFormatError(this.#path, expected, described(this.#value));
  }

  object(): object {
    const value = this.#value;
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : this.refuse('an object');
  }

  /** undefined when it is absent or null. */
  maybe(name: string): MesosJson | undefined {
    const object = this.object();
    const value: unknown = Object.hasOwn(object, name) ? Reflect.get(object, name) : undefined;
    return value === undefined || value === null ? undefined : new MesosJson(value, [...this.#path, name]);
  }

  field(name: string): MesosJson {
    return this.maybe(name) ?? this.refuse(`an object with ${JSON.stringify(name)}`);
  }

  /** The items of a list of that name; none when it is absent. */
  items(name: string): MesosJson[] {
    const list = this.maybe(name);
    if (list === undefined) return [];
    const path = [...this.#path, name];
    if (!Array.isArray(list.#value)) return list.refuse('a list');
    return list.#value.map((item: unknown, i) => new MesosJson(item, [...path, i]));
  }

  text(): string {
    return typeof this.#value === 'string' ? this.#value : this.refuse('a string');
  }

  number(): number {
    return typeof this.#value === 'number' ? this.#value : this.refuse('a number');
  }

  oneOf<const Word extends string>(words: readonly Word[]): Word {
    return words.find((word) => word === this.#value) ?? this.refuse(`one of ${words.join(', ')}`);
  }
}

const SHOWN = 60;

function described(value: unknown): string {
  if (typeof value === 'number') return String(value);
  const json = JSON.stringify(value) ?? typeof value;
  return json.length > SHOWN ? `${json.slice(0, SHOWN)}...` : json;
}
