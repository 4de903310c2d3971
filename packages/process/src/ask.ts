import type { CallChain } from './call-chain.ts';
import { type Endpoint, endpointId, type Endpoints } from './endpoints.ts';
import { AskTimeout, OutcomeUnknown, ProcessError, ProcessGone } from './errors.ts';
import type { Event } from './event.ts';
import { type Discardable, Future } from './future/future.ts';
import type { Message, WireSchema } from './message.ts';
import { PID } from './pid.ts';
import type { Timer } from './platform/platform.ts';
import type { Runtime } from './runtime.ts';

/** An ask that waits for its answer. It is itself the address that the answer goes to. */
export class PendingAsk extends PID implements Endpoint, Discardable {
  to: PID;
  readonly kind: string;
  readonly reply: Message<unknown>;
  readonly future: Future<unknown>;
  /** Asks of the same timeout, in the order they were made. */
  readonly queue: AskQueue;
  /** When its time is over, by the runtime's clock. */
  readonly due: number;
  previous: PendingAsk | undefined = undefined;
  next: PendingAsk | undefined = undefined;
  /** What the receiver, in this runtime, does about it: to be told should the answer not be wanted any more. */
  answering: Discardable | undefined = undefined;
  #open = true;

  constructor(queue: AskQueue, to: PID, kind: string, reply: Message<unknown>) {
    const { runtime } = queue;
    super(endpointId, runtime.name, runtime.incarnation);
    this.receiver = this;
    this.queue = queue;
    this.to = to;
    this.kind = kind;
    this.reply = reply;
    this.due = queue.due();
    this.future = new Future<unknown>(this);
  }

  get pid(): PID {
    return this;
  }

  expose(): void {
    if (this.#open) this.queue.endpoints.add(this);
  }

  schemaOf(name: string): WireSchema<unknown> | undefined {
    return name === this.reply.name ? this.reply.schema : undefined;
  }

  accept(event: Event): boolean {
    return event.kind === 'message' && this.take(event.name, event.body);
  }

  take(name: string, body: unknown): boolean {
    if (!this.#close()) return false;
    if (name === this.reply.name) return Future.complete(this.future, 'ready', body, undefined);
    return this.#failWith(
      new ProcessError(
        'UNEXPECTED_REPLY',
        `${this.to.toString()} answered '${this.kind}' with '${name}', expected '${this.reply.name}'`,
      ),
    );
  }

  fail(error: unknown): void {
    if (this.#close()) this.#failWith(error);
  }

  peerLost(why: string, reached: boolean): void {
    const text = `No answer from ${this.to.toString()} to '${this.kind}': ${why}`;
    this.fail(reached ? new OutcomeUnknown('OUTCOME_UNKNOWN', text) : new ProcessGone('NODE_UNREACHABLE', text));
  }

  /** The answer came, and is none. */
  invalid(_from: PID, error: ProcessError): void {
    this.fail(error);
  }

  /** The question was passed on to another node: the answer is due from there. */
  passedOn(to: PID): void {
    const { node } = this.to;
    this.to = to;
    this.queue.endpoints.moved(this, node);
  }

  /** A process of this runtime works on the answer from now on; in vain, if the ask is over already. */
  answeredBy(work: Discardable): void {
    if (this.#open) this.answering = work;
    else work.discard();
  }

  /** Whoever asked does not want the answer any more. */
  discard(): void {
    if (!this.#close()) return;
    this.queue.tidy();
    this.#callOff();
    Future.complete(this.future, 'discarded', undefined, undefined);
  }

  timedOut(): void {
    if (!this.#close()) return;
    this.#callOff();
    const { timeout } = this.queue;
    this.#failWith(
      new AskTimeout('ASK_TIMEOUT', `${this.to.toString()} did not answer '${this.kind}' within ${timeout} ms`),
    );
  }

  #failWith(error: unknown): boolean {
    return Future.complete(this.future, 'failed', undefined, error);
  }

  /** Whoever works on the answer may stop. */
  #callOff(): void {
    this.answering?.discard();
    if (this.generation !== 0) this.queue.runtime.delivery.cancel(this);
  }

  #close(): boolean {
    if (!this.#open) return false;
    this.#open = false;
    this.queue.remove(this);
    return true;
  }
}

/** The clock is read so many times in a timeout: to read it for each ask would cost as much as the ask. */
const steps = 16;

/** The open asks of one timeout. The first to be made is the first to time out, so one timer serves them all. */
class AskQueue {
  readonly runtime: Runtime;
  readonly endpoints: Endpoints;
  /** Milliseconds. */
  readonly timeout: number;
  first: PendingAsk | undefined = undefined;
  #last: PendingAsk | undefined = undefined;
  #timer: Timer | undefined = undefined;
  /** What the clock showed when it was last looked at. */
  #now = 0;
  /** Milliseconds between two looks. In virtual time, where clocks cost nothing, every ask looks. */
  readonly #step: number;

  constructor(runtime: Runtime, endpoints: Endpoints, timeout: number) {
    this.runtime = runtime;
    this.endpoints = endpoints;
    this.timeout = timeout;
    this.#step = runtime.platform.simulated ? 0 : Math.max(timeout / steps, 1);
  }

  /** When an ask that is made now is over: never early, and late by one step at most. */
  due(): number {
    if (this.#step === 0 || this.#timer === undefined) this.#now = this.runtime.clock.now();
    return this.#now + this.timeout + this.#step;
  }

  add(pending: PendingAsk): void {
    pending.previous = this.#last;
    if (this.#last === undefined) this.first = pending;
    else this.#last.next = pending;
    this.#last = pending;
    this.#timer ??= this.#arm(pending);
  }

  remove(pending: PendingAsk): void {
    const { previous, next } = pending;
    if (previous === undefined) this.first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    pending.previous = pending.next = undefined;
    if (pending.generation !== 0) this.endpoints.remove(pending);
    // Where time costs nothing, no timer is left lying about.
    if (this.#step === 0) this.tidy();
  }

  /** A timer that nobody needs would keep the OS process alive. */
  tidy(): void {
    if (this.first !== undefined) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }

  #arm(first: PendingAsk): Timer {
    return this.runtime.clock.timer(this.#step === 0 ? first.due - this.#now : this.#step, () => this.#expire());
  }

  #expire(): void {
    this.#timer = undefined;
    this.#now = this.runtime.clock.now();
    for (let pending = this.first; pending !== undefined && pending.due <= this.#now; pending = this.first)
      pending.timedOut();
    if (this.first !== undefined) this.#timer ??= this.#arm(this.first);
  }
}

/** Different timeouts a program uses, give or take: queues of others are dropped once they are empty. */
const queuesKept = 64;

/** The asks of a runtime that wait for an answer. */
export class Asks {
  readonly #runtime: Runtime;
  readonly #endpoints: Endpoints;
  readonly #queues = new Map<number, AskQueue>();
  #latest: AskQueue | undefined = undefined;

  constructor(runtime: Runtime, endpoints: Endpoints) {
    this.#runtime = runtime;
    this.#endpoints = endpoints;
  }

  ask(
    to: PID,
    kind: Message<unknown>,
    body: unknown,
    reply: Message<unknown>,
    timeout: number,
    chain: CallChain | undefined,
  ): Future<unknown> {
    const queue = this.#latest?.timeout === timeout ? this.#latest : this.#queue(timeout);
    const pending = new PendingAsk(queue, to, kind.name, reply);
    queue.add(pending);
    // A refusal may have told more than that it was one.
    if (!this.#runtime.delivery.message(to, kind, body, pending, chain) && pending.future.isPending) {
      pending.fail(
        new ProcessGone(
          'PROCESS_NOT_FOUND',
          `${to.toString()} could not be asked '${kind.name}': there is no such process, it has ended, or its mailbox is full`,
        ),
      );
      queue.tidy();
    }
    return pending.future;
  }

  /** The loop has nothing more to do just now. */
  tidy(): void {
    for (const queue of this.#queues.values()) {
      queue.tidy();
      if (this.#queues.size <= queuesKept || queue.first !== undefined) continue;
      this.#queues.delete(queue.timeout);
      if (this.#latest === queue) this.#latest = undefined;
    }
  }

  failAll(): void {
    for (const queue of this.#queues.values()) {
      for (let pending = queue.first; pending !== undefined; pending = queue.first)
        pending.peerLost('this runtime stopped', true);
      queue.tidy();
    }
  }

  #queue(timeout: number): AskQueue {
    let queue = this.#queues.get(timeout);
    if (queue === undefined) this.#queues.set(timeout, (queue = new AskQueue(this.#runtime, this.#endpoints, timeout)));
    this.#latest = queue;
    return queue;
  }
}
