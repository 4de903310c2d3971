import { ProcessError } from '../errors.ts';

/** The worker thread died: it exited, ran out of memory, or threw where nobody could catch it (`cause`). */
export class WorkerCrashed extends ProcessError {}

/** The work was not done in time; its worker thread was ended. */
export class WorkTimeout extends ProcessError {}
