import type { Timer } from './platform.ts';

class Entry implements Timer {
  bucket: Bucket | undefined = undefined;
  previous: Entry | undefined = undefined;
  next: Entry | undefined = undefined;
  readonly thunk: () => void;

  constructor(thunk: () => void) {
    this.thunk = thunk;
  }

  cancel(): boolean {
    const bucket = this.bucket;
    if (bucket === undefined) return false;
    bucket.unlink(this);
    bucket.queue.cancelled(bucket);
    return true;
  }
}

/** All timers due at one time, in the order they were armed. */
class Bucket {
  readonly due: number;
  readonly queue: TimerQueue;
  first: Entry | undefined = undefined;
  last: Entry | undefined = undefined;

  constructor(due: number, queue: TimerQueue) {
    this.due = due;
    this.queue = queue;
  }

  get isEmpty(): boolean {
    return this.first === undefined;
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

/** So few buckets without timers are not worth the search for them. */
const leastEmptied = 64;

/**
 * Timers ordered by due time, FIFO within the same time. Timers of one due time share a bucket, so arming and cancelling
 * are O(1) for the common case of many asks with one timeout; a heap orders the distinct times.
 */
export class TimerQueue {
  readonly #buckets = new Map<number, Bucket>();
  #heap: Bucket[] = [];
  /** Buckets whose timers were all cancelled, since the heap was last rid of them. Some may be in use again. */
  #emptied = 0;
  readonly #onLastCancelled: () => void;
  #size = 0;

  /** @param onLastCancelled runs when a cancel leaves no timer armed. */
  constructor(onLastCancelled: () => void = () => undefined) {
    this.#onLastCancelled = onLastCancelled;
  }

  /** How many timers are armed. */
  get size(): number {
    return this.#size;
  }

  arm(due: number, thunk: () => void): Timer {
    let bucket = this.#buckets.get(due);
    if (bucket === undefined) {
      bucket = new Bucket(due, this);
      this.#buckets.set(due, bucket);
      this.#push(bucket);
    }
    const entry = new Entry(thunk);
    bucket.append(entry);
    this.#size++;
    return entry;
  }

  /** @internal An entry of this queue was cancelled. */
  cancelled(bucket: Bucket): void {
    if (bucket.isEmpty) this.#emptied++;
    if (this.#emptied > leastEmptied && this.#emptied * 2 > this.#heap.length) this.#dropEmptied();
    if (--this.#size === 0) this.#onLastCancelled();
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
    this.#size--;
    return entry.thunk;
  }

  /** Those that are due late would otherwise stay until they come first. */
  #dropEmptied(): void {
    this.#emptied = 0;
    for (const bucket of this.#heap) if (bucket.isEmpty) this.#buckets.delete(bucket.due);
    // In order they are a heap.
    this.#heap = this.#heap.filter((bucket) => !bucket.isEmpty).sort((a, b) => a.due - b.due);
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
