import type { Timer } from './platform.ts';

class Entry implements Timer {
  bucket: Bucket | undefined;
  previous: Entry | undefined;
  next: Entry | undefined;
  readonly thunk: () => void;

  constructor(thunk: () => void) {
    this.thunk = thunk;
  }

  cancel(): boolean {
    const bucket = this.bucket;
    if (bucket === undefined) return false;
    bucket.unlink(this);
    return true;
  }
}

/** All timers due at one time, in the order they were armed. */
class Bucket {
  readonly due: number;
  first: Entry | undefined;
  last: Entry | undefined;

  constructor(due: number) {
    this.due = due;
  }

  append(entry: Entry): void {
    entry.bucket = this;
    entry.previous = this.last;
    if (this.last === undefined) this.first = entry;
    else this.last.next = entry;
    this.last = entry;
  }

  unlink(entry: Entry): void {
    if (entry.previous === undefined) this.first = entry.next;
    else entry.previous.next = entry.next;
    if (entry.next === undefined) this.last = entry.previous;
    else entry.next.previous = entry.previous;
    entry.bucket = entry.previous = entry.next = undefined;
  }
}

/**
 * Timers ordered by due time, FIFO within the same time. Timers of one due time share a bucket, so arming and cancelling
 * are O(1) for the common case of many asks with one timeout; a heap orders the distinct times.
 */
export class TimerQueue {
  readonly #buckets = new Map<number, Bucket>();
  readonly #heap: Bucket[] = [];

  arm(due: number, thunk: () => void): Timer {
    let bucket = this.#buckets.get(due);
    if (bucket === undefined) {
      bucket = new Bucket(due);
      this.#buckets.set(due, bucket);
      this.#push(bucket);
    }
    const entry = new Entry(thunk);
    bucket.append(entry);
    return entry;
  }

  /** When the next timer is due, or undefined if none is armed. */
  nextDue(): number | undefined {
    for (;;) {
      const bucket = this.#heap[0];
      if (bucket === undefined) return undefined;
      if (bucket.first !== undefined) return bucket.due;
      this.#dropFirst();
    }
  }

  /** Takes the next thunk that is due at `now` or before. */
  take(now: number): (() => void) | undefined {
    const due = this.nextDue();
    if (due === undefined || due > now) return undefined;
    const bucket = this.#heap[0];
    const entry = bucket?.first;
    if (bucket === undefined || entry === undefined) return undefined;
    bucket.unlink(entry);
    return entry.thunk;
  }

  clear(): void {
    this.#buckets.clear();
    this.#heap.length = 0;
  }

  #push(bucket: Bucket): void {
    const heap = this.#heap;
    let index = heap.length;
    heap.push(bucket);
    while (index > 0) {
      const above = (index - 1) >> 1;
      const parent = heap[above];
      if (parent === undefined || parent.due <= bucket.due) break;
      heap[index] = parent;
      index = above;
    }
    heap[index] = bucket;
  }

  #dropFirst(): void {
    const heap = this.#heap;
    const first = heap[0];
    const moved = heap.pop();
    if (first !== undefined) this.#buckets.delete(first.due);
    if (moved === undefined || heap.length === 0) return;
    let index = 0;
    for (;;) {
      let below = 2 * index + 1;
      let child = heap[below];
      if (child === undefined) break;
      const right = heap[below + 1];
      if (right !== undefined && right.due < child.due) {
        child = right;
        below += 1;
      }
      if (child.due >= moved.due) break;
      heap[index] = child;
      index = below;
    }
    heap[index] = moved;
  }
}
