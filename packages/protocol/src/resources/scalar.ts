// Scalars have three decimals (Mesos's fixed point). All arithmetic is done on the integer number of thousandths, so
// that 0.1 added ten times is 1 and what is offered and taken back sums up exactly.

/** Largest value whose thousandths a double holds exactly: 9,007,199,254,740.991. */
export const MAX_SCALAR = Number.MAX_SAFE_INTEGER / 1000;

export function toThousandths(value: number): number {
  return Math.round(value * 1000);
}

export function fromThousandths(thousandths: number): number {
  return thousandths / 1000;
}

/** Says what is wrong with a value given as a scalar, or undefined. Zero is valid (and means absent). */
export function scalarFault(value: number): string | undefined {
  if (!Number.isFinite(value)) return `${value} is not a finite number`;
  if (value < 0) return `${value} is negative`;
  if (value > MAX_SCALAR) return `${value} is larger than ${MAX_SCALAR}`;
  // Rounding it to zero would turn "a little" into "nothing", which means something else to an allocator.
  if (value > 0 && toThousandths(value) === 0) return `${value} is below the precision of 0.001 and not zero`;
  return undefined;
}
