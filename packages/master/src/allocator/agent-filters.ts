import type { Resources } from '@mezzo/protocol';
import type { Client } from './client.ts';

/** An amount that was refused on one agent; all who refused as much share it. */
export interface Refusal {
  /** Without the role of the allocation. */
  readonly resources: Resources;
  /** How many filters have it. */
  filters: number;
  /** What it was last compared with, and whether it covers that: what is available changes less often than it is looked at. */
  offered: Resources | undefined;
  covers: boolean;
}

/** Slots of a page: few agents are refused by everybody, and a table of all clients would cost each agent kilobytes. */
const pageBits = 4;
const pageSize = 1 << pageBits;

/** To share an amount saves memory, but is not worth a long search. */
const comparedAmounts = 16;

/** What clients whose slots follow each other have refused, in columns. */
class FilterPage {
  readonly refusals: (Refusal | undefined)[] = new Array<undefined>(pageSize).fill(undefined);
  /** Those of the client when it refused: its filters of earlier epochs are void. */
  readonly epochs: number[] = new Array<number>(pageSize).fill(0);
}

/**
 * What clients do not want to be offered of one agent, by the slot of the client: a run asks this about every client and
 * agent, so what it reads lies close together.
 */
export class AgentFilters {
  #pages: readonly (FilterPage | undefined)[] = [];
  /** Further amounts that the same client has refused. */
  more: Map<number, Refusal[]> | undefined;
  /** The different amounts that were refused here. */
  amounts: Refusal[] = [];

  /** How many the client has. */
  count({ slot, filterEpoch }: Client): number {
    if (this.#refusal(slot, filterEpoch) === undefined) return 0;
    return 1 + (this.more?.get(slot)?.length ?? 0);
  }

  has({ slot, filterEpoch }: Client): boolean {
    return this.#refusal(slot, filterEpoch) !== undefined;
  }

  add({ slot, filterEpoch }: Client, refusal: Refusal): void {
    const page = this.#pages[slot >> pageBits] ?? this.#newPage(slot >> pageBits);
    const at = slot & (pageSize - 1);
    const present = page.refusals[at];
    refusal.filters++;
    if (present !== undefined && page.epochs[at] === filterEpoch) {
      const more = (this.more ??= new Map<number, Refusal[]>());
      const others = more.get(slot);
      if (others === undefined) more.set(slot, [refusal]);
      else others.push(refusal);
      return;
    }
    if (present !== undefined) this.#releaseAll(slot, present);
    page.refusals[at] = refusal;
    page.epochs[at] = filterEpoch;
  }

  /** False if it is not there any more. */
  remove(slot: number, epoch: number, refusal: Refusal): boolean {
    const page = this.#pages[slot >> pageBits];
    const present = this.#refusal(slot, epoch);
    if (page === undefined || present === undefined) return false;
    const others = this.more?.get(slot);
    if (present === refusal) {
      page.refusals[slot & (pageSize - 1)] = others?.pop();
    } else {
      const at = others?.indexOf(refusal) ?? -1;
      if (at === -1) return false;
      others?.splice(at, 1);
    }
    if (others?.length === 0) this.more?.delete(slot);
    this.#release(refusal);
    return true;
  }

  refuse({ slot, filterEpoch }: Client, offered: Resources): boolean {
    const first = this.#refusal(slot, filterEpoch);
    if (first === undefined) return false;
    if (covers(first, offered)) return true;
    for (const other of this.more?.get(slot) ?? []) if (covers(other, offered)) return true;
    return false;
  }

  /** The refusal of this amount, which many may share. */
  refusalOf(resources: Resources): Refusal {
    const { amounts } = this;
    for (let at = amounts.length - 1; at >= 0 && at >= amounts.length - comparedAmounts; at--) {
      const refusal = amounts[at];
      if (refusal?.resources.equals(resources) === true) return refusal;
    }
    const refusal: Refusal = { resources, filters: 0, offered: undefined, covers: false };
    this.amounts.push(refusal);
    return refusal;
  }

  /** A table of just that many: most agents keep the first one that they need, and growing would leave room in it. */
  #newPage(at: number): FilterPage {
    const pages = new Array<FilterPage | undefined>(Math.max(at + 1, this.#pages.length)).fill(undefined);
    for (let i = 0; i < this.#pages.length; i++) pages[i] = this.#pages[i];
    this.#pages = pages;
    return (pages[at] = new FilterPage());
  }

  #refusal(slot: number, epoch: number): Refusal | undefined {
    const page = this.#pages[slot >> pageBits];
    const at = slot & (pageSize - 1);
    return page === undefined || page.epochs[at] !== epoch ? undefined : page.refusals[at];
  }

  #releaseAll(slot: number, first: Refusal): void {
    this.#release(first);
    for (const other of this.more?.get(slot) ?? []) this.#release(other);
    this.more?.delete(slot);
  }

  #release(refusal: Refusal): void {
    if (--refusal.filters === 0) this.amounts = this.amounts.filter((other) => other !== refusal);
  }
}

function covers(refusal: Refusal, offered: Resources): boolean {
  if (refusal.offered !== offered) {
    refusal.offered = offered;
    refusal.covers = refusal.resources.contains(offered);
  }
  return refusal.covers;
}
