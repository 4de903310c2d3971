import { Event } from './event.ts';
import type { PID } from './pid.ts';

/** Slots that one entry takes: a message is its name, body and sender; any other event is itself and two empty ones. */
const width = 3;

/**
 * The FIFO of a process, in a growing ring of a power-of-two number of entries; it gives its memory back when a burst has
 * drained. A plain message lies in it in parts, so that sending one makes no garbage.
 */
export class Mailbox {
  #slots: unknown[];
  /** Entries it has room for, less one. */
  #mask: number;
  #head = 0;
  #tail = 0;

  constructor() {
    // Most processes never have more than one waiting, and there may be very many processes.
    this.#slots = new Array<unknown>(width);
    this.#mask = 0;
  }

  get size(): number {
    return this.#tail - this.#head;
  }

  push(event: Event): void {
    if (this.#tail - this.#head > this.#mask) this.#resize((this.#mask + 1) * 2);
    this.#slots[(this.#tail++ & this.#mask) * width] = event;
  }

  pushMessage(name: string, body: unknown, from: PID): void {
    if (this.#tail - this.#head > this.#mask) this.#resize((this.#mask + 1) * 2);
    const at = (this.#tail++ & this.#mask) * width;
    const slots = this.#slots;
    slots[at] = name;
    slots[at + 1] = body;
    slots[at + 2] = from;
  }

  /** The name of the message that comes next, or the event that does. Only for a mailbox that is not empty. */
  get first(): string | Event {
    return this.#slots[(this.#head & this.#mask) * width] as string | Event;
  }
  get firstBody(): unknown {
    return this.#slots[(this.#head & this.#mask) * width + 1];
  }
  get firstSender(): PID {
    return this.#slots[(this.#head & this.#mask) * width + 2] as PID;
  }

  /** Takes out what comes next. */
  drop(): void {
    const at = (this.#head++ & this.#mask) * width;
    const slots = this.#slots;
    slots[at] = slots[at + 1] = slots[at + 2] = undefined;
    if (this.#head === this.#tail) this.#drained();
  }

  /** Takes out what comes next, as an event. */
  shift(): Event | undefined {
    if (this.#head === this.#tail) return undefined;
    const event = this.#at(this.#head);
    this.drop();
    return event;
  }

  /** Takes out the message that has waited longest; undefined if only other events wait. */
  removeOldestMessage(): Event | undefined {
    for (let at = this.#head; at < this.#tail; at++) {
      const event = this.#at(at);
      if (event.kind !== 'message') continue;
      // What is ahead of it moves up by one.
      for (let to = at; to > this.#head; to--) this.#copy(to - 1, to);
      this.drop();
      return event;
    }
    return undefined;
  }

  *[Symbol.iterator](): Generator<Event> {
    for (let at = this.#head; at < this.#tail; at++) yield this.#at(at);
  }

  #at(position: number): Event {
    const at = (position & this.#mask) * width;
    const first = this.#slots[at] as string | Event;
    return typeof first === 'string'
      ? new Event('message', first, this.#slots[at + 2] as PID, this.#slots[at + 1])
      : first;
  }

  #copy(from: number, to: number): void {
    const source = (from & this.#mask) * width;
    const target = (to & this.#mask) * width;
    for (let slot = 0; slot < width; slot++) this.#slots[target + slot] = this.#slots[source + slot];
  }

  /** Beginning anew keeps the positions small integers, and the slots in use in the processor's cache. */
  #drained(): void {
    this.#head = this.#tail = 0;
    if (this.#mask >= 4095) this.#resize(64);
  }

  #resize(capacity: number): void {
    const slots = new Array<unknown>(capacity * width);
    const { size } = this;
    for (let index = 0; index < size; index++) {
      const source = ((this.#head + index) & this.#mask) * width;
      for (let slot = 0; slot < width; slot++) slots[index * width + slot] = this.#slots[source + slot];
    }
    this.#slots = slots;
    this.#mask = capacity - 1;
    this.#head = 0;
    this.#tail = size;
  }
}
