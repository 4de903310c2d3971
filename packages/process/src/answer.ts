import { PendingAsk } from './ask.ts';
import type { Cell } from './cell.ts';
import type { Belonging } from './extras.ts';
import { isEndpoint } from './endpoints.ts';
import { AnswerFailed, messageOf, ProcessGone } from './errors.ts';
import type { ExitReason } from './event.ts';
import { Future } from './future/future.ts';
import { isThenable } from './future/outcome.ts';
import type { Message, Request } from './message.ts';
import type { PID } from './pid.ts';
import type { Runtime } from './runtime.ts';

/** What a handler may know of the question besides its body. */
export interface Call {
  /** Aborts when the answer is not wanted any more: the asker discarded it, timed out, or is gone with its node. */
  readonly signal: AbortSignal;
}

/** Answers with a value, or with a Future or promise of one. */
export type AnswerHandler<Q, A> = (body: Q, from: PID, call: Call) => A | Future<A> | Promise<A>;

/** A question's way to its answer. */
class OpenCall implements Call, Belonging {
  #controller: AbortController | undefined = undefined;
  #over = false;
  #future: Future<unknown> | undefined = undefined;
  /** Ends what lets an asker at another node call it off. */
  #hangUp: (() => void) | undefined = undefined;
  readonly #refuse: (reason: ExitReason) => void;

  constructor(refuse: (reason: ExitReason) => void) {
    this.#refuse = refuse;
  }

  get signal(): AbortSignal {
    const controller = (this.#controller ??= new AbortController());
    if (this.#over) controller.abort();
    return controller.signal;
  }

  /** Lets the asker, wherever it is, call the work off. */
  reachableFrom(asker: PID, runtime: Runtime): void {
    if (asker.receiver instanceof PendingAsk) asker.receiver.answeredBy(this);
    else this.#hangUp = runtime.delivery.answering(asker, this);
  }

  /** The question has been answered, or never will be. */
  hangUp(): void {
    this.#hangUp?.();
  }

  /** The answer will come from there. */
  follow(future: Future<unknown>): void {
    this.#future = future;
  }

  /** The process has ended: the answer will not come. */
  ownerEnded(reason: ExitReason): void {
    this.#refuse(reason);
    this.hangUp();
    this.discard();
  }

  discard(): void {
    this.#over = true;
    this.#controller?.abort();
    this.#future?.discard();
  }
}

/** Runs the handler of one kind of question and sends what it answers. */
export class Answers<Q, A> {
  readonly #cell: Cell;
  readonly #kind: Request<Q, A>;
  readonly #handler: AnswerHandler<Q, A>;

  constructor(cell: Cell, kind: Request<Q, A>, handler: AnswerHandler<Q, A>) {
    this.#cell = cell;
    this.#kind = kind;
    this.#handler = handler;
  }

  // The body was checked against the kind's schema, or came from a sender of this very kind.
  readonly run = (body: unknown, from: PID): unknown => {
    const call = new OpenCall((reason) => this.#ended(from, reason));
    const outcome = this.#handler(body as Q, from, call);
    if (outcome instanceof Future) {
      call.follow(outcome);
      this.#watch(from, call, outcome);
      this.#reply(from, outcome);
      return outcome;
    }
    if (!isThenable(outcome)) {
      this.#send(from, outcome);
      return undefined;
    }
    const forget = this.#watch(from, call, undefined);
    return outcome.then((answer) => {
      forget();
      this.#send(from, answer as A);
    });
  };

  /** Lets the asker, wherever it is, call the work off, and know if the process ends before. Gives what ends that. */
  #watch(from: PID, call: OpenCall, outcome: Future<unknown> | undefined): () => void {
    if (!isEndpoint(from)) return () => undefined;
    const { extras, runtime } = this.#cell;
    const belongings = (extras.belongings ??= new Set());
    belongings.add(call);
    call.reachableFrom(from, runtime);
    const forget = (): void => {
      belongings.delete(call);
      call.hangUp();
    };
    outcome?.onAny(forget).onAbandoned(forget);
    return forget;
  }

  #ended(from: PID, reason: ExitReason): void {
    const [why, cause] =
      reason.kind === 'crashed' ? [`crashed before: ${reason.message}`, reason.error] : ['has ended'];
    const text = `${this.#cell.pid.toString()} did not answer '${this.#kind.name}': the process ${why}`;
    this.#cell.runtime.delivery.refuse(from, new ProcessGone('PROCESS_ENDED', text, { cause }));
  }

  #reply(from: PID, outcome: Future<A>): void {
    outcome.onReady((answer) => this.#send(from, answer));
    outcome.onFailed((error) => this.#fail(from, messageOf(error), error));
    outcome.onDiscarded(() => this.#fail(from, 'the answer was discarded', undefined));
    outcome.onAbandoned(() => this.#fail(from, 'nobody is left to answer', undefined));
  }

  /** Not to nobody, who told it from outside any process, and not for a process that has ended: its askers know. */
  #send(to: PID, answer: A): void {
    if (to.id !== '' && !this.#cell.ended) this.#cell.send(to, this.#kind.reply as Message<unknown>, answer);
  }

  #fail(from: PID, why: string, cause: unknown): void {
    if (this.#cell.ended) return;
    const { runtime, pid } = this.#cell;
    const text = `${pid.toString()} failed to answer '${this.#kind.name}': ${why}`;
    runtime.delivery.refuse(from, new AnswerFailed('ANSWER_FAILED', text, { cause }));
  }
}
