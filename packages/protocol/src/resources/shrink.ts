import type { Random } from '@mezzo/process';
import type { Entry } from './entry.ts';
import { INDIVISIBLE } from './metadata.ts';

/** An amount in thousandths for each name; undefined where there is no limit. */
export interface Ceiling {
  thousandths(name: string): number | undefined;
}

/** As much of the entries as the ceiling has room for; the given list itself when that is everything. */
export function shrunk(list: readonly Entry[], ceiling: Ceiling, random: Pick<Random, 'next'>): readonly Entry[] {
  return isContested(list, ceiling) ? shrunkInAnyOrder(list, ceiling, random) : shrunkEach(list, ceiling);
}

/** Without chance: no two entries compete for the same room. */
function shrunkEach(list: readonly Entry[], ceiling: Ceiling): readonly Entry[] {
  const kept: Entry[] = [];
  let isChanged = false;
  for (const entry of list) {
    const part = upTo(entry, ceiling.thousandths(entry.metadata.name));
    if (part !== entry) isChanged = true;
    if (part !== undefined) kept.push(part);
  }
  return isChanged ? kept : list;
}

function shrunkInAnyOrder(list: readonly Entry[], ceiling: Ceiling, random: Pick<Random, 'next'>): readonly Entry[] {
  const kept: Entry[] = [];
  const room = new Map<string, number | undefined>();
  let isChanged = false;
  for (const entry of shuffled(list, random)) {
    const { name } = entry.metadata;
    const free = room.has(name) ? room.get(name) : ceiling.thousandths(name);
    const part = upTo(entry, free);
    if (part !== entry) isChanged = true;
    if (part !== undefined) kept.push(part);
    room.set(name, free === undefined || part === undefined ? free : free - part.thousandths);
  }
  return isChanged ? kept : list;
}

/** The entry itself when it fits, a part of it, or undefined: nothing fits, or it cannot be cut. */
function upTo(entry: Entry, thousandths: number | undefined): Entry | undefined {
  if (thousandths === undefined) return entry;
  const { type, traits } = entry.metadata;
  if (type !== 'SCALAR') return undefined;
  if (entry.thousandths <= thousandths) return entry;
  return thousandths <= 0 || (traits & INDIVISIBLE) !== 0 ? undefined : entry.withThousandths(thousandths);
}

/** Several share a name of which there is room for some, but not for all. */
function isContested(list: readonly Entry[], ceiling: Ceiling): boolean {
  for (let i = 1; i < list.length; i += 1) {
    const name = list[i]?.metadata.name ?? '';
    let before = 0;
    for (let j = 0; j < i; j += 1) if (list[j]?.metadata.name === name) before += list[j]?.thousandths ?? 0;
    if (before === 0) continue;
    const room = ceiling.thousandths(name);
    if (room !== undefined && room > 0 && before + (list[i]?.thousandths ?? 0) > room) return true;
  }
  return false;
}

function shuffled(list: readonly Entry[], random: Pick<Random, 'next'>): Entry[] {
  const result = [...list];
  for (let i = result.length - 1; i > 0; i -= 1) {
    const j = Math.floor(random.next() * (i + 1));
    const a = result[i];
    const b = result[j];
    if (a === undefined || b === undefined) continue;
    result[i] = b;
    result[j] = a;
  }
  return result;
}
