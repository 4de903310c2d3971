import { enterTurn, type Owner } from '../turn.ts';

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

/** Callbacks that complete futures whose callbacks complete futures: deeper than this they wait for the outermost. */
const deepest = 100;
let depth = 0;
const postponed: { readonly callback: Callback; readonly subject: unknown }[] = [];

/** Runs a callback in its owner's name: an exception in it belongs to who registered it, never to who completed the future. */
export function notify(callback: Callback, subject: unknown): void {
  if (depth >= deepest) {
    postponed.push({ callback, subject });
    return;
  }
  const { owner } = callback;
  const previous = enterTurn(owner);
  depth++;
  try {
    (callback.run as (subject: unknown) => void)(subject);
  } catch (error) {
    if (owner === undefined) throwLater(error);
    else owner.fail(error);
  } finally {
    depth--;
    enterTurn(previous);
  }
  if (depth === 0 && postponed.length > 0) runPostponed();
}

/** What was too deep, in order; it runs before the outermost callback's caller goes on. */
function runPostponed(): void {
  for (let batch = postponed.splice(0); batch.length > 0; batch = postponed.splice(0)) {
    depth++;
    for (const { callback, subject } of batch) notify(callback, subject);
    depth--;
  }
}

/** Outside any process nobody can be crashed; the error must be seen, but not by the innocent completer. */
function throwLater(error: unknown): void {
  // oxlint-disable-next-line typescript/no-floating-promises -- nobody is to catch it
  void Promise.reject(error);
}
