import type { SeededRandom } from '@mezzo/process/testing';

const names = [
  '',
  '__proto__',
  'constructor',
  'prototype',
  'toString',
  'valueOf',
  'then',
  'toJSON',
  'length',
  'n',
  '?',
];
const errors = [
  'Error',
  'TypeError',
  'AggregateError',
  '__proto__',
  'constructor',
  'valueOf',
  '__defineSetter__',
  'no',
];
const patterns = ['(a+)+$', '(', '[', '(?<n>x)\\k<n>', 'x{1000}'];

/** Bytes of the codec's format that nobody means well by: every type it has, with names of prototypes and lengths that lie. */
export class HostileValues {
  readonly #random: SeededRandom;

  constructor(random: SeededRandom) {
    this.#random = random;
  }

  /** A whole number from 0 up to, not including, `below`. */
  draw(below: number): number {
    return Math.floor(this.#random.next() * below);
  }

  one<T>(of: readonly T[]): T {
    const drawn = of[this.draw(of.length)];
    if (drawn === undefined) throw new Error('nothing to draw from');
    return drawn;
  }

  bytes(length: number): Buffer {
    return Buffer.from(this.#random.bytes(length));
  }

  /** One value; some only begin. */
  value(depth = 0): Buffer {
    switch (this.draw(depth > 4 ? 4 : 14)) {
      case 0:
        return this.#scalar();
      case 1:
        return this.text(this.one(names));
      case 2:
        return this.#bin(this.bytes(this.draw(40)));
      case 3:
        return this.#liar();
      case 4:
        return this.#array(this.#few(depth));
      case 5:
      case 6:
        return this.#map(depth);
      case 7:
      case 8:
        return this.#record(depth);
      case 9:
        return Buffer.concat([
          Buffer.from([0xd4, 0x65, 0]),
          this.#array([this.text(this.one(errors)), ...this.#few(depth)]),
        ]);
      case 10:
        return Buffer.concat([Buffer.from([0xd4, 0x73, 0]), this.value(depth + 1)]);
      case 11:
        return Buffer.concat([
          Buffer.from([0xd4, 0x78, 0]),
          this.#array([this.text(this.one(patterns)), this.text(this.one(['g', 'u', '', 'zz']))]),
        ]);
      case 12:
        return this.#extension(depth);
      default: {
        // The deepest are deeper than any stack.
        const levels = this.draw(50) === 0 ? 20_000 : this.one([1, 30, 300]);
        return Buffer.concat([Buffer.alloc(levels, this.one([0x91, 0x81])), this.value(depth + 1)]);
      }
    }
  }

  text(value: string): Buffer {
    const utf8 = Buffer.from(value);
    const short = utf8.length < 32 && this.draw(4) > 0;
    return Buffer.concat([Buffer.from(short ? [0xa0 + utf8.length] : [0xd9, utf8.length]), utf8]);
  }

  #few(depth: number): Buffer[] {
    return Array.from({ length: this.draw(4) }, () => this.value(depth + 1));
  }

  #array(values: readonly Buffer[]): Buffer {
    return Buffer.concat([Buffer.from([0x90 + values.length]), ...values]);
  }

  #bin(bytes: Buffer): Buffer {
    return Buffer.concat([Buffer.from([0xc4, bytes.length]), bytes]);
  }

  #scalar(): Buffer {
    const wide = Buffer.alloc(9);
    wide[0] = this.one([0xcb, 0xcf, 0xd3]);
    this.bytes(8).copy(wide, 1);
    const double = Buffer.alloc(9);
    double[0] = 0xcb;
    double.writeDoubleBE(this.one([Number.NaN, Infinity, -Infinity, 1e308, 2 ** 53, -0, 1.5]), 1);
    // 0xc1 is in no use, and 0x40 to 0x7f are references to records.
    return this.one([Buffer.from([this.one([0xc0, 0xc1, 0xc2, 0xc3, 0xff, 0, 1, 0x40, 0x41, 0x7f])]), wide, double]);
  }

  /** Announces more than comes. */
  #liar(): Buffer {
    if (this.draw(10) > 0) return this.#scalar();
    const length = this.one([0xffff_ffff, 0x7fff_ffff, 0xffff, 1_000_000, 300]);
    const head = Buffer.alloc(5);
    head[0] = this.one([0xdd, 0xdf, 0xdb, 0xc6, 0xc9]);
    head.writeUInt32BE(length, 1);
    return Buffer.concat([head, this.bytes(this.draw(8))]);
  }

  #map(depth: number): Buffer {
    const entries = Array.from({ length: this.draw(4) }, () => {
      const key = this.draw(8) === 0 ? this.value(depth + 1) : this.text(this.one(names));
      return Buffer.concat([key, this.value(depth + 1)]);
    });
    return Buffer.concat([Buffer.from([0x80 + entries.length]), ...entries]);
  }

  #record(depth: number): Buffer {
    const keys = Array.from({ length: this.draw(4) }, () => this.text(this.one(names)));
    const number = 0x40 + this.draw(4);
    const head = this.draw(4) === 0 ? [0xd5, 0x72, number, this.draw(3)] : [0xd4, 0x72, number];
    const again = Buffer.concat([Buffer.from([number]), ...keys.map(() => this.value(depth + 1))]);
    const record = Buffer.concat([Buffer.from(head), this.#array(keys), ...keys.map(() => this.value(depth + 1))]);
    return this.draw(3) === 0 ? this.#array([record, ...Array<Buffer>(5).fill(again)]) : record;
  }

  #extension(depth: number): Buffer {
    const data = this.bytes(this.one([0, 1, 2, 4, 8, 9, 12, 16, 33]));
    const type = this.one([0x42, 0x74, 0x62, 0x69, 0x70, 0xff, 0x00, 0x72, this.draw(256)]);
    if (type === 0x74 && data.length > 0) data[0] = this.draw(20);
    const content = Buffer.concat([Buffer.from([0xc7, data.length, type]), data]);
    // An identity is followed by what has it; what came before is pointed to.
    if (type !== 0x69) return content;
    const identity = Buffer.from([0xd6, 0x69, 0, 0, 0, this.draw(3)]);
    const pointer = Buffer.from([0xd6, 0x70, 0, 0, 0, this.draw(3)]);
    return Buffer.concat([identity, this.#array([this.value(depth + 1), pointer, pointer])]);
  }
}
