/**
 * The quantile of Student's t distribution: the t below which a fraction `p` (0 to 1, exclusive) lies, for `degrees` of freedom
 * (at least 1). Exact to about 12 digits.
 */
export function studentQuantile(p: number, degrees: number): number {
  if (!(p > 0 && p < 1)) throw new RangeError(`Invalid probability: got ${p}, expected more than 0 and less than 1`);
  if (!(degrees >= 1)) throw new RangeError(`Invalid degrees of freedom: got ${degrees}, expected at least 1`);
  if (p === 0.5) return 0;
  if (p < 0.5) return -studentQuantile(1 - p, degrees);
  let low = 0;
  let high = 1;
  while (studentProbability(high, degrees) < p) high *= 2;
  // Halving: slower than Newton, but it cannot miss, and it runs once for each figure of a table.
  for (let middle = high / 2; middle > low && middle < high; middle = low + (high - low) / 2) {
    if (studentProbability(middle, degrees) < p) low = middle;
    else high = middle;
  }
  return high;
}

/** The fraction of Student's t distribution below `t`. */
export function studentProbability(t: number, degrees: number): number {
  // Abramowitz and Stegun 26.7.1: the part outside ±t is the regularised incomplete beta function.
  const outside = incompleteBeta(degrees / (degrees + t * t), degrees / 2, 0.5);
  return t >= 0 ? 1 - outside / 2 : outside / 2;
}

/** The regularised incomplete beta function (Abramowitz and Stegun 6.6.2). */
export function incompleteBeta(x: number, a: number, b: number): number {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  // The fraction converges fast on this side of the mean; the other side is its mirror image.
  if (x > (a + 1) / (a + b + 2)) return 1 - incompleteBeta(1 - x, b, a);
  const front = Math.exp(logGamma(a + b) - logGamma(a) - logGamma(b) + a * Math.log(x) + b * Math.log1p(-x)) / a;
  return front * betaFraction(x, a, b);
}

/** Its continued fraction (26.5.8), from the front by Lentz's method. */
function betaFraction(x: number, a: number, b: number): number {
  const tiny = 1e-300;
  const apart = (value: number): number => (Math.abs(value) < tiny ? tiny : value);
  let numerator = 1;
  let denominator = 1 / apart(1 - ((a + b) * x) / (a + 1));
  let result = denominator;
  for (let m = 1; m <= 10_000; m++) {
    const even = (m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m));
    denominator = 1 / apart(1 + even * denominator);
    numerator = apart(1 + even / numerator);
    result *= denominator * numerator;
    const odd = (-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1));
    denominator = 1 / apart(1 + odd * denominator);
    numerator = apart(1 + odd / numerator);
    const factor = denominator * numerator;
    result *= factor;
    if (Math.abs(factor - 1) < 1e-15) break;
  }
  return result;
}

/** Stirling's series (6.1.41), after moving the argument to where six terms are exact. */
function logGamma(x: number): number {
  let shift = 0;
  let z = x;
  for (; z < 12; z++) shift += Math.log(z);
  const square = 1 / (z * z);
  const series = (1 / 12 + square * (-1 / 360 + square * (1 / 1260 + square * (-1 / 1680 + square * (1 / 1188))))) / z;
  return (z - 0.5) * Math.log(z) - z + Math.log(2 * Math.PI) / 2 + series - shift;
}
