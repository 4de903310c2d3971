import type { Entry } from './entry.ts';
import { INDIVISIBLE, SHARED } from './metadata.ts';
import type { Resource } from './resource.ts';

// Lists of entries of which none is empty and no two meet, except indivisible ones, which stay apart.

/** Where the entry is that meets this one, or -1. `guess` is looked at first: lists are often in the same order. */
export function indexOf(list: readonly Entry[], entry: Entry, guess: number): number {
  const { metadata } = entry;
  if ((metadata.traits & INDIVISIBLE) === 0) {
    if (guess < list.length && list[guess]?.metadata === metadata) return guess;
    for (let i = 0; i < list.length; i += 1) if (list[i]?.metadata === metadata) return i;
  }
  for (let i = 0; i < list.length; i += 1) {
    const own = list[i];
    if (own !== undefined && own.metadata.hash === metadata.hash && own.meets(entry)) return i;
  }
  return -1;
}

/** Adds an entry to a list that the caller owns; tells where it is now. */
export function addTo(list: Entry[], entry: Entry, guess: number): number {
  if (entry.isEmpty) return guess;
  const { traits } = entry.metadata;
  const staysApart = (traits & (INDIVISIBLE | SHARED)) === INDIVISIBLE;
  const at = staysApart ? -1 : indexOf(list, entry, guess);
  const own = at === -1 ? undefined : list[at];
  if (own === undefined) return list.push(entry) - 1;
  list[at] = own.plus(entry);
  return at;
}

export function sumOf(left: readonly Entry[], right: readonly Entry[]): Entry[] {
  const list = left.slice();
  let guess = 0;
  for (const entry of right) guess = addTo(list, entry, guess) + 1;
  return list;
}

/** The left list itself when nothing is taken away. */
export function differenceOf(left: readonly Entry[], right: readonly Entry[]): readonly Entry[] {
  let list: Entry[] | undefined;
  let guess = 0;
  for (const entry of right) {
    const at = indexOf(list ?? left, entry, guess);
    if (at === -1) continue;
    list ??= left.slice();
    const rest = list[at]?.minus(entry);
    if (rest === undefined) list.splice(at, 1);
    else list[at] = rest;
    guess = rest === undefined ? at : at + 1;
  }
  return list ?? left;
}

export function listContains(left: readonly Entry[], right: readonly Entry[]): boolean {
  let guess = 0;
  for (const entry of right) {
    const at = indexOf(left, entry, guess);
    const own = at === -1 ? undefined : left[at];
    if (own === undefined || !own.contains(entry)) return false;
    if ((entry.metadata.traits & (INDIVISIBLE | SHARED)) === INDIVISIBLE && count(left, entry) < count(right, entry)) {
      return false;
    }
    guess = at + 1;
  }
  return true;
}

export function isWrittenAs(list: readonly Entry[], resources: readonly Resource[]): boolean {
  if (list.length !== resources.length) return false;
  for (let i = 0; i < list.length; i += 1) {
    const resource = resources[i];
    if (resource === undefined || list[i]?.isWrittenAs(resource) !== true) return false;
  }
  return true;
}

/** How many entries meet this one. */
export function count(list: readonly Entry[], entry: Entry): number {
  let meeting = 0;
  for (const own of list) if (own.meets(entry)) meeting += 1;
  return meeting;
}

/** In thousandths: the scalars of that name, the numbers in its ranges and the items of its sets. */
export function sizeOf(list: readonly Entry[], name: string): number {
  let size = 0;
  for (const { metadata, thousandths, ranges, items } of list) {
    if (metadata.name !== name) continue;
    size += thousandths + items.size * 1000;
    for (const { begin, end } of ranges) size += (end - begin + 1) * 1000;
  }
  return size;
}

/** What any of the entries has. */
export function traitsOf(list: readonly Entry[]): number {
  let traits = 0;
  for (const { metadata } of list) traits |= metadata.traits;
  return traits;
}
