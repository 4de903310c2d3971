import type { Owner } from '../turn.ts';

export const Ready = 1;
export const Failed = 2;
export const Discarded = 3;
export const Any = 4;
export const DiscardRequested = 5;
export const Abandoned = 6;
/** Of the library's own followers: any outcome, or abandonment; they run with the callbacks of the state. */
export const Outcome = 7;
/** What a callback waits for. */
export type Moment =
  | typeof Ready
  | typeof Failed
  | typeof Discarded
  | typeof Any
  | typeof DiscardRequested
  | typeof Abandoned
  | typeof Outcome;

/** One link of a future's list of callbacks. */
export class Callback {
  readonly moment: Moment;
  readonly run: (subject: never) => void;
  readonly owner: Owner | undefined;
  next: Callback | undefined = undefined;

  constructor(moment: Moment, run: (subject: never) => void, owner: Owner | undefined) {
    this.moment = moment;
    this.run = run;
    this.owner = owner;
  }
}
