import { Handler } from '../handler.ts';
import { type ErrorCode, messageOf } from '../errors.ts';
import { HandlerTable } from '../handler-table.ts';
import type { WireSchema } from '../message.ts';
import type { PID } from '../pid.ts';
import { Process } from '../process.ts';
import { type Answer, kindHeader, refuse, textOf } from './letter.ts';

/** What was asked, by which door, and for how many milliseconds the answer is waited for. */
export interface Call {
  readonly door: string;
  readonly kind: string;
  readonly timeout: number;
}

/** Whoever knows the caller's address was asked, or told by who was: any answer of theirs is one. */
const anything: WireSchema<unknown> = {
  '~standard': { version: 1, vendor: 'mezzo', validate: (value) => ({ value }) },
};

class EveryKind extends HandlerTable<Handler> {
  readonly #run: (kind: string, body: unknown) => void;

  constructor(run: (kind: string, body: unknown) => void) {
    super();
    this.#run = run;
  }

  override get(kind: string): Handler {
    return new Handler({ name: kind, schema: anything }, (body) => this.#run(kind, body), false);
  }
}

/**
 * Stands inside for one who asks from outside: the first message it gets is the answer, whatever its kind. Its id cannot be
 * guessed, so nobody answers who was not asked.
 */
export class Caller extends Process {
  readonly #target: PID;
  readonly #call: Call;
  readonly #answer: Answer;
  readonly #left: () => void;

  constructor(id: string, target: PID, call: Call, answer: Answer, left: () => void) {
    super(id);
    this.#target = target;
    this.#call = call;
    this.#answer = answer;
    this.#left = left;
    this.cell.handlers = new EveryKind((kind, body) => this.#heard(kind, body));
  }

  /** No answer will come. */
  refuse(code: ErrorCode, why: string): void {
    refuse(this.#answer, code, why);
    this.terminate();
  }

  protected override initialize(): void {
    const { door, kind, timeout } = this.#call;
    this.link(this.#target);
    this.delay(timeout, () =>
      this.refuse('ASK_TIMEOUT', `Door '${door}' did not answer '${textOf(kind)}' within ${timeout} ms`),
    );
  }

  protected override exited(): void {
    // Why it ended is nothing for strangers.
    this.refuse('PROCESS_ENDED', `The process at door '${this.#call.door}' ended before it answered`);
  }

  protected override finalize(): void {
    // Unless it was answered: then this is not heard.
    refuse(this.#answer, 'OUTCOME_UNKNOWN', `The node of door '${this.#call.door}' stopped before it was answered`);
    this.#left();
  }

  #heard(kind: string, body: unknown): void {
    let json: string | undefined;
    try {
      json = JSON.stringify(body);
    } catch (error) {
      this.runtime.report(error, `the answer '${kind}' of door '${this.#call.door}' is not JSON: ${messageOf(error)}`);
      return this.refuse('MESSAGE_INVALID', `The answer of door '${this.#call.door}' cannot be written as JSON`);
    }
    this.#answer({ [kindHeader]: kind }, json ?? 'null');
    this.terminate();
  }
}
