/** Stable codes of every error the library throws or fails a future with. */
export type ErrorCode =
  | 'PROCESS_ID_TAKEN'
  | 'PROCESS_SPAWNED_BEFORE'
  | 'PROCESS_NOT_SPAWNED'
  | 'PROCESS_NOT_FOUND'
  | 'PROCESS_ENDED'
  | 'RUNTIME_STOPPING'
  | 'NODE_NAME_TAKEN'
  | 'NODE_NAME_INVALID'
  | 'NODE_UNREACHABLE'
  | 'OUTCOME_UNKNOWN'
  | 'ASK_TIMEOUT'
  | 'ANSWER_FAILED'
  | 'STREAM_FAILED'
  | 'WINDOW_INVALID'
  | 'WAIT_CYCLE'
  | 'REPLY_MISSING'
  | 'UNEXPECTED_REPLY'
  | 'MAILBOX_FULL'
  | 'MESSAGE_LOCAL_ONLY'
  | 'MESSAGE_UNKNOWN'
  | 'MESSAGE_INVALID'
  | 'MESSAGE_TOO_LARGE'
  | 'TRANSPORT_UNAVAILABLE'
  | 'TRANSPORT_OPTION_INVALID'
  | 'TOPIC_INVALID'
  | 'DOOR_NAME_INVALID'
  | 'DOOR_NAME_TAKEN'
  | 'PERMISSION_INVALID'
  | 'DURATION_INVALID'
  | 'PID_INVALID'
  | 'FUTURE_DISCARDED'
  | 'FUTURE_ABANDONED'
  | 'FUTURE_NOT_READY'
  | 'ROUTE_INVALID'
  | 'HTTP_UNAVAILABLE'
  | 'RATE_INVALID'
  | 'COUNT_INVALID'
  | 'LOCK_NOT_HELD'
  | 'STATE_INVALID'
  | 'METRIC_NAME_TAKEN'
  | 'METRIC_WITHOUT_VALUE'
  | 'MACHINE_UNSUPPORTED'
  | 'WORK_UNAVAILABLE'
  | 'WORK_QUEUE_FULL'
  | 'WORK_TIMEOUT'
  | 'WORKER_CRASHED'
  | 'POOL_CLOSED'
  | 'POOL_OPTION_INVALID'
  | 'CHILD_ID_TAKEN'
  | 'CHILD_UNKNOWN'
  | 'RESTARTS_EXCEEDED'
  | 'SUPERVISION_INVALID'
  | 'POOL_SIZE_INVALID'
  | 'NAME_INVALID'
  | 'REGISTRY_FULL'
  | 'SETTLE_IMPOSSIBLE'
  | 'LOG_FENCED'
  | 'LOG_CORRUPT'
  | 'LOG_VERSION'
  | 'LOG_UNAVAILABLE'
  | 'LEASE_LOST'
  | 'LEASE_UNAVAILABLE'
  | 'EXPLORATION_FAILED'
  | 'FORBIDDEN_EVENT'
  | 'OUTSIDE_THE_SEAM';

/** Base of every error of this library. `code` is stable across versions, the message is not. */
export class ProcessError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
    this.code = code;
  }
}

/** `spawn` was refused: the id is taken, the object was spawned before, or the runtime is stopping. */
export class SpawnRefused extends ProcessError {}

/** An `ask` was not answered within its timeout. The receiver may still have acted on it. */
export class AskTimeout extends ProcessError {}

/** The receiver of an ask does not exist, ended before it answered, or crashed while handling it. */
export class ProcessGone extends ProcessError {}

/** The session to the peer broke while an answer was due: whether the peer acted is not known. */
export class OutcomeUnknown extends ProcessError {}

/** Whoever was asked answered with a failure; the process lives. */
export class AnswerFailed extends ProcessError {}

/** The producer of a stream failed; the process lives. */
export class StreamFailed extends ProcessError {}

/** Reaching the process could never end: it is held by a handler that waits, through others or not, for this very call. */
export class WaitCycle extends ProcessError {}

/** The awaited future was discarded by its producer. */
export class FutureDiscarded extends ProcessError {}

/** Nobody is left who could complete the awaited future. */
export class FutureAbandoned extends ProcessError {}

/** The text of whatever was thrown: an Error's message, or the value as text. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Text becomes an Error; whatever else was thrown stays what it is. */
export function asError(error: unknown): unknown {
  return typeof error === 'string' ? new Error(error) : error;
}
