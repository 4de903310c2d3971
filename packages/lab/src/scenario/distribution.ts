import type { Random } from '@mezzo/process';
import { limits } from './limits.ts';

/** How values are drawn: durations in milliseconds, or counts. `most` cuts off the long tails. */
export type Distribution =
  | { readonly law: 'fixed'; readonly value: number }
  | { readonly law: 'uniform'; readonly from: number; readonly to: number }
  | { readonly law: 'exponential'; readonly mean: number; readonly most: number | undefined }
  | { readonly law: 'lognormal'; readonly median: number; readonly sigma: number; readonly most: number | undefined }
  | { readonly law: 'pareto'; readonly least: number; readonly alpha: number; readonly most: number | undefined };

/** A value that follows the law; what lies above `most` (default: the longest duration) becomes `most`. */
export function draw(distribution: Distribution, random: Random): number {
  switch (distribution.law) {
    case 'fixed':
      return distribution.value;
    case 'uniform':
      return distribution.from + random.next() * (distribution.to - distribution.from);
    case 'exponential':
      return atMost(-distribution.mean * Math.log(1 - random.next()), distribution.most);
    case 'lognormal':
      return atMost(distribution.median * Math.exp(distribution.sigma * normal(random)), distribution.most);
    case 'pareto':
      return atMost(distribution.least / (1 - random.next()) ** (1 / distribution.alpha), distribution.most);
  }
}

/** The same as a whole number of at least 1, for counts of tasks; what lies above their limit becomes that. */
export function drawCount(distribution: Distribution, random: Random): number {
  // A uniform law over whole numbers gives each of them the same chance, the ends too.
  if (distribution.law === 'uniform') {
    return distribution.from + Math.floor(random.next() * (distribution.to - distribution.from + 1));
  }
  return Math.min(limits.tasks, Math.max(1, Math.round(draw(distribution, random))));
}

/** A standard normal value (Box and Muller, 1958). */
function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
}

function atMost(value: number, most: number = limits.duration): number {
  return Math.min(value, most);
}
