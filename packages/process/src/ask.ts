import { AskTimeout, OutcomeUnknown, ProcessError, ProcessGone } from './errors.ts';
import type { Event } from './event.ts';
import { Deferred, type Future } from './future/future.ts';
import type { Message, WireSchema } from './message.ts';
import { PID, type Receiver } from './pid.ts';
import type { Timer } from './platform/platform.ts';
import type { Runtime } from './runtime.ts';

/** Marks the address of an ask that waits for its answer; its number is the address's generation. */
const askId = '?';
/** Numbers of asks are drawn below this: small enough for V8 to keep them unboxed. */
const numbers = 2 ** 30;

/** Whether an address is that of an ask, and not of a process. */
export function isAsker(pid: PID): boolean {
  return pid.id === askId;
}

class PendingAsk implements Receiver {
  readonly pid: PID;
  readonly to: PID;
  readonly kind: string;
  readonly reply: Message<unknown>;
  readonly deferred: Deferred<unknown>;
  readonly #asks: Asks;
  readonly #timer: Timer;

  constructor(
    asks: Asks,
    number: number,
    runtime: Runtime,
    to: PID,
    kind: string,
    reply: Message<unknown>,
    timeout: number,
  ) {
    this.#asks = asks;
    this.pid = new PID(askId, runtime.name, runtime.incarnation, number, this);
    this.to = to;
    this.kind = kind;
    this.reply = reply;
    this.deferred = new Deferred<unknown>(this);
    this.#timer = runtime.clock.timer(timeout, () =>
      this.fail(new AskTimeout('ASK_TIMEOUT', `${to.toString()} did not answer '${kind}' within ${timeout} ms`)),
    );
  }

  accept(event: Event): boolean {
    if (event.kind !== 'message' || !this.#close()) return false;
    if (event.name === this.reply.name) return this.deferred.set(event.body);
    return this.deferred.fail(
      new ProcessError(
        'UNEXPECTED_REPLY',
        `${this.to.toString()} answered '${this.kind}' with '${event.name}', expected '${this.reply.name}'`,
      ),
    );
  }

  fail(error: Error): void {
    if (this.#close()) this.deferred.fail(error);
  }

  /** Whoever asked does not want the answer any more. */
  discard(): void {
    if (this.#close()) this.deferred.discard();
  }

  #close(): boolean {
    if (!this.#asks.forget(this)) return false;
    this.#timer.cancel();
    return true;
  }
}

/** The asks of a runtime that wait for an answer: one reply path for all of them. */
export class Asks {
  readonly #runtime: Runtime;
  readonly #pending = new Map<number, PendingAsk>();
  /** How many wait for each other node. */
  readonly #awaited = new Map<string, number>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  ask<Q, A>(to: PID, kind: Message<Q>, body: Q, reply: Message<A>, timeout: number): Future<A> {
    const number = this.#newNumber();
    const pending = new PendingAsk(this, number, this.#runtime, to, kind.name, reply as Message<unknown>, timeout);
    this.#pending.set(number, pending);
    if (to.node !== this.#runtime.name) this.#awaited.set(to.node, (this.#awaited.get(to.node) ?? 0) + 1);
    if (!this.#runtime.deliver(to, kind as Message<unknown>, body, pending.pid)) {
      pending.fail(
        new ProcessGone(
          'PROCESS_NOT_FOUND',
          `${to.toString()} could not be asked '${kind.name}': there is no such process, it has ended, or its mailbox is full`,
        ),
      );
    }
    // The reply's kind was checked on arrival, and its body against its schema if it came from a wire.
    return pending.deferred.future as Future<A>;
  }

  /** @internal False if it was answered or given up before. */
  forget(pending: PendingAsk): boolean {
    if (!this.#pending.delete(pending.pid.generation)) return false;
    const { node } = pending.to;
    const awaited = this.#awaited.get(node);
    if (awaited === 1) this.#awaited.delete(node);
    else if (awaited !== undefined) this.#awaited.set(node, awaited - 1);
    return true;
  }

  receiver(pid: PID): Receiver | undefined {
    return this.#find(pid);
  }

  /** What an answer from the wire must satisfy. */
  schema(pid: PID, name: string): WireSchema<unknown> | undefined {
    const pending = this.#find(pid);
    return pending?.reply.name === name ? pending.reply.schema : undefined;
  }

  fail(pid: PID, error: Error): void {
    this.#find(pid)?.fail(error);
  }

  /** No answer will come from the node: whether it acted on what it was asked is not known, unless it was never reached. */
  failNode(node: string, why: string, reached: boolean): void {
    if (!this.awaits(node)) return;
    for (const pending of [...this.#pending.values()]) {
      if (pending.to.node !== node) continue;
      const text = `No answer from ${pending.to.toString()} to '${pending.kind}': ${why}`;
      pending.fail(reached ? new OutcomeUnknown('OUTCOME_UNKNOWN', text) : new ProcessGone('NODE_UNREACHABLE', text));
    }
  }

  /** True while an answer from the node is due. */
  awaits(node: string): boolean {
    return this.#awaited.has(node);
  }

  failAll(): void {
    for (const pending of [...this.#pending.values()]) {
      pending.fail(
        new OutcomeUnknown(
          'OUTCOME_UNKNOWN',
          `No answer from ${pending.to.toString()} to '${pending.kind}': this runtime stopped`,
        ),
      );
    }
  }

  #find(pid: PID): PendingAsk | undefined {
    return isAsker(pid) && pid.incarnation === this.#runtime.incarnation
      ? this.#pending.get(pid.generation)
      : undefined;
  }

  /** Drawn, not counted: a node that was asked before must not be able to answer what another one is asked. */
  #newNumber(): number {
    for (;;) {
      const number = 1 + Math.floor(this.#runtime.random.next() * numbers);
      if (!this.#pending.has(number)) return number;
    }
  }
}
