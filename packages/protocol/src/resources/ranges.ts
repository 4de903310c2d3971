/** Whole numbers from `begin` to `end`, both included; begin <= end. */
export interface Range {
  readonly begin: number;
  readonly end: number;
}

// "Canonical" below: sorted by begin, no overlap, no two ranges adjacent. Every function but `coalesce` expects it.

export type Ranges = readonly Range[];

/** Says what is wrong with ranges from outside, or undefined. Any order and adjacency are fine, overlap is not. */
export function rangesFault(ranges: Ranges): string | undefined {
  for (const { begin, end } of ranges) {
    if (!Number.isSafeInteger(begin) || !Number.isSafeInteger(end) || begin < 0) {
      return `[${begin}-${end}] needs whole numbers from 0 to ${Number.MAX_SAFE_INTEGER}`;
    }
    if (begin > end) return `[${begin}-${end}] ends before it begins`;
  }
  const sorted = isSorted(ranges) ? ranges : ranges.toSorted(byBegin);
  let previous: Range | undefined;
  for (const range of sorted) {
    if (previous !== undefined && range.begin <= previous.end) {
      return `[${previous.begin}-${previous.end}] and [${range.begin}-${range.end}] overlap`;
    }
    previous = range;
  }
  return undefined;
}

/** The canonical form; the given array itself when it is canonical already. */
export function coalesce(ranges: Ranges): Ranges {
  if (isCanonical(ranges)) return ranges;
  const result: Range[] = [];
  for (const range of ranges.toSorted(byBegin)) append(result, range);
  return result;
}

export function unionOfRanges(left: Ranges, right: Ranges): Ranges {
  const result: Range[] = [];
  let l = 0;
  let r = 0;
  for (;;) {
    const a = left[l];
    const b = right[r];
    if (a !== undefined && (b === undefined || a.begin <= b.begin)) {
      append(result, a);
      l += 1;
    } else if (b !== undefined) {
      append(result, b);
      r += 1;
    } else {
      return result;
    }
  }
}

export function differenceOfRanges(left: Ranges, right: Ranges): Ranges {
  const result: Range[] = [];
  let r = 0;
  for (const range of left) {
    let begin = range.begin;
    let cut = right[r];
    while (cut !== undefined && cut.begin <= range.end) {
      if (cut.end >= begin) {
        if (cut.begin > begin) result.push({ begin, end: cut.begin - 1 });
        begin = cut.end + 1;
      }
      // A cut that reaches past this range may also touch the next one.
      if (cut.end > range.end) break;
      r += 1;
      cut = right[r];
    }
    if (begin === range.begin) result.push(range);
    else if (begin <= range.end) result.push({ begin, end: range.end });
  }
  return result;
}

export function rangesContain(left: Ranges, right: Ranges): boolean {
  let l = 0;
  for (const { begin, end } of right) {
    let a = left[l];
    while (a !== undefined && a.end < begin) {
      l += 1;
      a = left[l];
    }
    if (a === undefined || a.begin > begin || a.end < end) return false;
  }
  return true;
}

export function sameRanges(left: Ranges, right: Ranges): boolean {
  if (left === right) return true;
  if (left.length !== right.length) return false;
  for (let i = 0; i < left.length; i += 1) {
    const a = left[i];
    const b = right[i];
    if (a === undefined || b === undefined || a.begin !== b.begin || a.end !== b.end) return false;
  }
  return true;
}

function append(result: Range[], range: Range): void {
  const last = result.at(-1);
  if (last === undefined || range.begin > last.end + 1) result.push(range);
  else if (range.end > last.end) result[result.length - 1] = { begin: last.begin, end: range.end };
}

function byBegin(a: Range, b: Range): number {
  return a.begin - b.begin;
}

function isSorted(ranges: Ranges): boolean {
  for (let i = 1; i < ranges.length; i += 1) {
    const previous = ranges[i - 1];
    const range = ranges[i];
    if (previous !== undefined && range !== undefined && range.begin < previous.begin) return false;
  }
  return true;
}

function isCanonical(ranges: Ranges): boolean {
  for (let i = 1; i < ranges.length; i += 1) {
    const previous = ranges[i - 1];
    const range = ranges[i];
    if (previous !== undefined && range !== undefined && range.begin <= previous.end + 1) return false;
  }
  return true;
}
