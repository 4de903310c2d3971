import { roleFault, UNRESERVED } from '../roles.ts';
import { DISK_SOURCE_TYPES, type DiskInfo, type DiskSource, type DiskVolume, type Persistence } from './disk.ts';
import type { Placed } from './parse.ts';
import type { Range } from './ranges.ts';
import type { Label, Reservation } from './reservation.ts';
import type { Resource, ResourceMetadata } from './resource.ts';
import { scalarFault } from './scalar.ts';
import { TextReader } from './text-reader.ts';

type Writable<Type> = { -readonly [Key in keyof Type]: Type[Key] };

const NAME_END = new Set([':', ';', '(', ')', '[', ']', '{', '}', '<', ',']);
const NUMBER_END = new Set([';', ':', ',', '(', ')', '[', ']', '{', '}']);
const ROLE_END = new Set(['(', ')', ';']);
const ITEM_END = new Set([',', ';', '{', '}']);
const WORD_END = new Set([',', ':', ';', '(', ')', '[', ']', '{', '}']);
const NUMBER = /^(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

/**
 * Reads the text form into its entries as written, with the printed form's additions. Checks what is written, not what
 * it means.
 *
 * @throws {ResourcesParseError}
 */
export function readText(text: string, defaultRole: string = UNRESERVED): Placed[] {
  const reader = new TextReader(text);
  const placed: Placed[] = [];
  for (;;) {
    while (reader.peek() === ';') reader.skip(1);
    if (reader.peek() === undefined) return placed;
    placed.push(new ResourceReader(reader, defaultRole).read());
    if (reader.peek() !== undefined) reader.expect(';', '";" or the end');
  }
}

class ResourceReader {
  readonly #reader: TextReader;
  readonly #defaultRole: string;
  readonly #positions = new Map<string, number>();

  constructor(reader: TextReader, defaultRole: string) {
    this.#reader = reader;
    this.#defaultRole = defaultRole;
  }

  read(): Placed {
    const reader = this.#reader;
    const positions = this.#positions;
    const start = reader.startOfToken();
    const metadata: Writable<ResourceMetadata> = { name: reader.token(NAME_END, 'the name of a resource') };
    let hasParentheses = false;
    let hasMore = true;
    while (hasMore) {
      switch (reader.peek()) {
        case '(':
          this.#parentheses(metadata);
          hasParentheses = true;
          break;
        case '[':
          this.#once('disk');
          metadata.disk = this.#disk();
          break;
        case '{':
          this.#once('revocable');
          reader.keyword('{REV}', '"{REV}" or ":" after the name');
          metadata.revocable = true;
          break;
        case '<':
          this.#once('shared');
          reader.keyword('<SHARED>', '"<SHARED>" or ":" after the name');
          metadata.shared = true;
          break;
        default:
          hasMore = false;
      }
    }
    reader.expect(':', hasParentheses ? '":"' : '":" or "(" after the name');
    if (!positions.has('reservations') && this.#defaultRole !== UNRESERVED) {
      metadata.reservations = [{ type: 'STATIC', role: this.#defaultRole }];
    }
    const value = reader.startOfToken();
    const resource: Resource = { ...metadata, ...this.#value() };
    return {
      resource,
      positionOf: ([part = '', ...rest]) =>
        positions.get([part, ...rest].join('.')) ??
        positions.get([part, ...rest.slice(0, 1)].join('.')) ??
        positions.get(String(part)) ??
        (part === 'scalar' || part === 'ranges' || part === 'set' ? value : start),
    };
  }

  /** Remembers where a part begins, of which there is only one. */
  #once(part: string): void {
    const at = this.#reader.startOfToken();
    if (this.#positions.has(part)) this.#reader.fail(at, `":" after one ${part}`, `${part} again`);
    this.#positions.set(part, at);
  }

  #parentheses(metadata: Writable<ResourceMetadata>): void {
    const reader = this.#reader;
    if (reader.startsWith('(', 'allocated:')) {
      this.#once('allocationRole');
      reader.pass('(', 'allocated:');
      metadata.allocationRole = this.#role(ROLE_END);
      reader.expect(')', '")" after the role');
    } else if (reader.startsWith('(', 'provider:')) {
      this.#once('providerId');
      reader.pass('(', 'provider:');
      metadata.providerId = reader.token(WORD_END, 'the id of a resource provider');
      reader.expect(')', '")" after the id');
    } else if (reader.startsWith('(', 'reservations:')) {
      this.#once('reservations');
      reader.pass('(', 'reservations:');
      metadata.reservations = this.#reservations();
      reader.expect(')', '")" after the reservations');
    } else {
      this.#once('reservations');
      reader.expect('(', '"("');
      const role = this.#role(ROLE_END);
      reader.expect(')', '")" after the role');
      if (role !== UNRESERVED) metadata.reservations = [{ type: 'STATIC', role }];
    }
  }

  #role(ends: ReadonlySet<string>): string {
    const start = this.#reader.startOfToken();
    const role = this.#reader.token(ends, 'a role');
    const fault = roleFault(role);
    if (fault !== undefined) this.#reader.fail(start, 'a valid role', `a fault: ${fault}`);
    return role;
  }

  #reservations(): Reservation[] {
    return this.#reader.list('[', ']', 'a reservation', (i) => {
      this.#positions.set(`reservations.${i}`, this.#reader.startOfToken());
      return this.#reservation();
    });
  }

  /** `(DYNAMIC,role,principal,{key: value})`, of which the last two may be missing. */
  #reservation(): Reservation {
    const reader = this.#reader;
    reader.expect('(', '"(" before a reservation');
    const start = reader.startOfToken();
    const word = reader.word(WORD_END, 'STATIC or DYNAMIC');
    const type =
      word === 'STATIC' || word === 'DYNAMIC' ? word : reader.fail(start, 'STATIC or DYNAMIC', JSON.stringify(word));
    reader.expect(',', '"," after the type of a reservation');
    const reservation: Writable<Reservation> = { type, role: this.#role(WORD_END) };
    if (reader.peek() === ',') {
      reader.skip(1);
      if (reader.peek() !== '{') {
        reservation.principal = reader.token(WORD_END, 'a principal or labels');
        if (reader.peek() === ',') {
          reader.skip(1);
          reservation.labels = this.#labels();
        }
      } else {
        reservation.labels = this.#labels();
      }
    }
    reader.expect(')', '"," or ")" in a reservation');
    return reservation;
  }

  #labels(): Label[] {
    const reader = this.#reader;
    return reader.list('{', '}', 'a label', () => {
      const key = reader.token(WORD_END, 'the key of a label');
      if (reader.peek() !== ':') return { key };
      reader.skip(1);
      return { key, value: reader.token(WORD_END, 'the value of a label') };
    });
  }

  /** `[MOUNT(id: x):/root,volume-id(principal):container/path:rw]`, of which either part may be missing. */
  #disk(): DiskInfo {
    const reader = this.#reader;
    const disk: Writable<DiskInfo> = {};
    reader.expect('[', '"["');
    const type = DISK_SOURCE_TYPES.find((candidate) => reader.atWord(candidate, WORD_END));
    if (type !== undefined) {
      disk.source = this.#source(type);
      if (reader.peek() === ',') reader.skip(1);
      else if (reader.peek() !== ']') reader.expect(']', '"," or "]" after the source of a disk');
    }
    if (type === undefined || reader.peek() !== ']') {
      this.#positions.set('disk.persistence', reader.startOfToken());
      disk.persistence = this.#persistence();
      if (reader.peek() === ':') disk.volume = this.#volume();
    }
    reader.expect(']', '"]" after a disk');
    return disk;
  }

  #source(type: DiskSource['type']): DiskSource {
    const reader = this.#reader;
    const source: Writable<DiskSource> = { type };
    reader.skip(type.length);
    if (reader.peek() === '(') {
      reader.list('(', ')', 'id, profile, vendor or metadata', () => {
        const start = reader.startOfToken();
        const field = reader.word(WORD_END, 'id, profile, vendor or metadata');
        reader.expect(':', '":" and a value');
        if (field === 'metadata') source.metadata = this.#labels();
        else if (field === 'id' || field === 'profile' || field === 'vendor') {
          source[field] = reader.token(WORD_END, `the ${field} of a disk`);
        } else reader.fail(start, 'id, profile, vendor or metadata', JSON.stringify(field));
      });
    }
    if (reader.peek() === ':') {
      reader.skip(1);
      source.root = reader.token(WORD_END, 'the root directory of a disk');
    }
    return source;
  }

  #persistence(): Persistence {
    const reader = this.#reader;
    const id = reader.token(WORD_END, 'the source of a disk or the id of a persistent volume');
    if (reader.peek() !== '(') return { id };
    reader.skip(1);
    const principal = reader.token(WORD_END, 'a principal');
    reader.expect(')', '")" after a principal');
    return { id, principal };
  }

  #volume(): DiskVolume {
    const reader = this.#reader;
    const words: string[] = [];
    let start = 0;
    while (reader.peek() === ':') {
      reader.skip(1);
      start = reader.startOfToken();
      words.push(reader.token(WORD_END, 'the path of a volume, "rw" or "ro"'));
    }
    const last = words.pop();
    const mode = last === 'rw' ? 'RW' : last === 'ro' ? 'RO' : reader.fail(start, '"rw" or "ro"', JSON.stringify(last));
    const [first = reader.fail(start, 'the path of a volume'), second, third] = words;
    if (third !== undefined) reader.fail(start, 'at most two paths of a volume', 'more');
    return second === undefined ? { containerPath: first, mode } : { hostPath: first, containerPath: second, mode };
  }

  #value():
    | { type: 'SCALAR'; scalar: number }
    | { type: 'RANGES'; ranges: readonly Range[] }
    | { type: 'SET'; set: readonly string[] } {
    switch (this.#reader.peek()) {
      case '[':
        return { type: 'RANGES', ranges: this.#reader.ranges() };
      case '{':
        return { type: 'SET', set: this.#set() };
      default:
        return { type: 'SCALAR', scalar: this.#scalar() };
    }
  }

  #scalar(): number {
    const reader = this.#reader;
    const start = reader.startOfToken();
    const expected = 'a number, ranges as [1-5,8-9] or a set as {a,b}';
    const word = reader.word(NUMBER_END, expected);
    if (!NUMBER.test(word)) reader.fail(start, expected, JSON.stringify(word));
    const fault = scalarFault(Number(word));
    if (fault !== undefined) reader.fail(start, 'zero or a number of 0.001 and up', `a fault: ${fault}`);
    return Number(word);
  }

  #set(): readonly string[] {
    const reader = this.#reader;
    const items = new Set<string>();
    reader.list('{', '}', 'an item', () => {
      const start = reader.startOfToken();
      const item = reader.token(ITEM_END, 'an item of the set, as in {a,b}');
      if (items.has(item)) reader.fail(start, 'each item once', `${JSON.stringify(item)} again`);
      items.add(item);
    });
    return [...items];
  }
}
