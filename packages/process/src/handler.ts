import type { Message, WireSchema } from './message.ts';
import type { PID } from './pid.ts';

/** An installed message handler, with what bodies from the wire must satisfy. */
export class Handler {
  readonly name: string;
  readonly schema: WireSchema<unknown> | undefined;
  readonly run: (body: unknown, from: PID) => unknown;
  /** A promise it returns does not hold the mailbox. */
  readonly interleaved: boolean;
  next: Handler | undefined = undefined;

  constructor(kind: Message<unknown>, run: (body: unknown, from: PID) => unknown, interleaved: boolean) {
    this.name = kind.name;
    this.schema = kind.schema;
    this.run = run;
    this.interleaved = interleaved;
  }
}

/** Where messages of one kind are passed on to. */
export interface Delegate {
  readonly name: string;
  readonly schema: WireSchema<unknown> | undefined;
  readonly to: PID;
  next: Delegate | undefined;
}
