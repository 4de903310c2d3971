import { AskTimeout, OutcomeUnknown, ProcessError, ProcessGone } from './errors.ts';
import { Event } from './event.ts';
import { Deferred, Future } from './future/future.ts';
import type { Message, WireSchema } from './message.ts';
import { PID, type Receiver } from './pid.ts';
import type { Timer } from './platform/platform.ts';
import type { Runtime } from './runtime.ts';

/** Process ids cannot begin like this by accident: it marks the address of an ask that waits for its answer. */
const prefix = '?';

class PendingAsk implements Receiver {
  readonly pid: PID;
  readonly to: PID;
  readonly kind: string;
  readonly reply: Message<unknown>;
  readonly deferred = new Deferred<unknown>();
  readonly #asks: Asks;
  timer: Timer | undefined;

  constructor(asks: Asks, number: number, runtime: Runtime, to: PID, kind: string, reply: Message<unknown>) {
    this.#asks = asks;
    this.pid = new PID(prefix + number, runtime.name, runtime.incarnation, number, this);
    this.to = to;
    this.kind = kind;
    this.reply = reply;
  }

  accept(event: Event): boolean {
    if (event.kind !== 'message' || !this.#asks.close(this)) return false;
    if (event.name === this.reply.name) return this.deferred.set(event.body);
    return this.deferred.fail(
      new ProcessError('UNEXPECTED_REPLY', `${this.to.toString()} answered '${this.kind}' with '${event.name}', expected '${this.reply.name}'`),
    );
  }

  fail(error: Error): void {
    if (this.#asks.close(this)) this.deferred.fail(error);
  }
}

/** The asks of a runtime that wait for an answer: one reply path for all of them. */
export class Asks {
  readonly #runtime: Runtime;
  readonly #pending = new Map<number, PendingAsk>();
  #numbers = 0;

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  ask<Q, A>(to: PID, kind: Message<Q>, body: Q, reply: Message<A>, timeout: number): Future<A> {
    const number = ++this.#numbers;
    const pending = new PendingAsk(this, number, this.#runtime, to, kind.name, reply as Message<unknown>);
    this.#pending.set(number, pending);
    pending.timer = this.#runtime.clock.timer(timeout, () =>
      pending.fail(new AskTimeout('ASK_TIMEOUT', `${to.toString()} did not answer '${kind.name}' within ${timeout} ms`)),
    );
    pending.deferred.future.onDiscard(() => {
      if (this.close(pending)) pending.deferred.discard();
    });
    if (!this.#runtime.deliver(to, kind as Message<unknown>, body, pending.pid)) {
      pending.fail(
        new ProcessGone('PROCESS_NOT_FOUND', `${to.toString()} could not be asked '${kind.name}': there is no such process, it has ended, or its mailbox is full`),
      );
    }
    // The reply's kind was checked on arrival, and its body against its schema if it came from a wire.
    return pending.deferred.future as Future<A>;
  }

  /** @internal */
  close(pending: PendingAsk): boolean {
    if (!this.#pending.delete(pending.pid.generation)) return false;
    pending.timer?.cancel();
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

  /** The session to a node broke: whether it acted on what it was asked is not known. */
  failNode(node: string, why: string): void {
    for (const pending of [...this.#pending.values()]) {
      if (pending.to.node !== node) continue;
      pending.fail(new OutcomeUnknown('OUTCOME_UNKNOWN', `No answer from ${pending.to.toString()} to '${pending.kind}': ${why}`));
    }
  }

  /** True while an answer from the node is due. */
  awaits(node: string): boolean {
    for (const pending of this.#pending.values()) if (pending.to.node === node) return true;
    return false;
  }

  failAll(): void {
    for (const pending of [...this.#pending.values()]) {
      pending.fail(new OutcomeUnknown('OUTCOME_UNKNOWN', `No answer from ${pending.to.toString()} to '${pending.kind}': this runtime stopped`));
    }
  }

  #find(pid: PID): PendingAsk | undefined {
    return pid.id.startsWith(prefix) && pid.incarnation === this.#runtime.incarnation ? this.#pending.get(pid.generation) : undefined;
  }
}
