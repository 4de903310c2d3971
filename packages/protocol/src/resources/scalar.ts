// Scalars have three decimals (Mesos's fixed point). All arithmetic is done on the integer number of thousandths, so
// that 0.1 added ten times is 1 and what is offered and taken back sums up exactly.

/**
 * From 2^43 on doubles are further apart than two thousandths are, and a value would not come back from a message as it
 * was sent.
 */
export const MAX_THOUSANDTHS = 2 ** 43 * 1000 - 1;

/** 8,796,093,022,207.999: as MB, more than 8 exabytes. */
export const MAX_SCALAR = MAX_THOUSANDTHS / 1000;

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
  if (toThousandths(value) > MAX_THOUSANDTHS) return `${value} is larger than ${MAX_SCALAR}`;
  // Rounding it to zero would turn "a little" into "nothing", which means something else to an allocator.
  if (value > 0 && toThousandths(value) === 0) return `${value} is below the precision of 0.001 and not zero`;
  return undefined;
}
