import { Future, message, type PID, Process } from '@mezzo/process';
import { type FrameworkID, isTerminal, type StatusUpdate, type TaskID, type UpdateUUID } from '@mezzo/protocol';
import { UpdateStream } from './update-stream.ts';

/** To the agent: an update that is due for delivery, for the first time or again. */
export const UpdateDue = message<{ readonly update: StatusUpdate }>('status-updates.due');

/** What an acknowledgement led to: `unexpected` if the update is not the one in flight, `terminal` if it was the last. */
export type Acknowledged = 'unexpected' | 'next' | 'terminal';

/** Mesos's STATUS_UPDATE_RETRY_INTERVAL_MIN and _MAX, in milliseconds. */
const firstRetry = 10_000;
const lastRetry = 600_000;

/**
 * Keeps the status updates of an agent's tasks until the scheduler has acknowledged them. One stream per task; only its
 * head is in flight, sent again after 10 s, 20 s, 40 s, … up to 10 min. While paused nothing is sent.
 */
export class StatusUpdates extends Process {
  readonly #agent: PID;
  readonly #streams = new Map<FrameworkID, Map<TaskID, UpdateStream>>();
  #paused = true;

  constructor(agent: PID) {
    super('status-updates');
    this.#agent = agent;
  }

  protected override finalize(): void {
    for (const stream of this.#all()) stream.stop();
  }

  /**
   * Takes an update, which must have a uuid, and gives false for one that was taken before. READY once it is stored.
   * Fails if it cannot be; then it was not taken.
   *
   * @param file where the task's stream is checkpointed; undefined if its framework does not checkpoint. The first call for a task decides.
   */
  store(update: StatusUpdate, file: string | undefined): Future<boolean> {
    const { uuid, taskId } = update.status;
    if (uuid === undefined)
      return Future.failed(`Status update ${update.status.state} of task '${taskId}' has no uuid`);
    const stream = this.#open(update.frameworkId, taskId, file);
    // Written to the same file in order, so the earlier copy is stored when this is.
    if (stream.seen.has(uuid)) return Future.ready(false);
    stream.seen.add(uuid);
    return stream
      .write(this.runtime.files, { type: 'UPDATE', update })
      .andThen(
        this.deferred(() => {
          stream.pending.push(update);
          if (stream.head === update) this.#sendFirst(stream);
          return true;
        }),
      )
      .repair(
        this.deferred((outcome: Future<boolean>) => {
          stream.seen.delete(uuid);
          return Future.failed<boolean>(outcome.failure());
        }),
      );
  }

  /** The scheduler has the update. Fails if that cannot be stored; the update stays in flight then. */
  acknowledge(frameworkId: FrameworkID, taskId: TaskID, uuid: UpdateUUID): Future<Acknowledged> {
    const stream = this.#streams.get(frameworkId)?.get(taskId);
    const head = stream?.head;
    if (stream === undefined || head?.status.uuid !== uuid || stream.acknowledging === uuid) {
      return Future.ready('unexpected');
    }
    stream.acknowledging = uuid;
    return stream
      .write(this.runtime.files, { type: 'ACK', uuid })
      .andThen(this.deferred(() => this.#acknowledged(stream, head)))
      .repair(
        this.deferred((outcome: Future<Acknowledged>) => {
          stream.acknowledging = undefined;
          return Future.failed<Acknowledged>(outcome.failure());
        }),
      );
  }

  /** Nothing is sent until `resume`. So it begins. */
  pause(): void {
    this.#paused = true;
    for (const stream of this.#all()) stream.stop();
  }

  /** Sends every head, with the first retry interval. */
  resume(): void {
    this.#paused = false;
    for (const stream of this.#all()) this.#sendFirst(stream);
  }

  /** Forgets a framework's streams. */
  cleanup(frameworkId: FrameworkID): void {
    for (const stream of this.#streams.get(frameworkId)?.values() ?? []) stream.close();
    this.#streams.delete(frameworkId);
  }

  #acknowledged(stream: UpdateStream, head: StatusUpdate): Acknowledged {
    stream.stop();
    stream.acknowledging = undefined;
    stream.pending.shift();
    if (isTerminal(head.status.state)) {
      this.#close(head.frameworkId, head.status.taskId);
      return 'terminal';
    }
    this.#sendFirst(stream);
    return 'next';
  }

  #sendFirst(stream: UpdateStream): void {
    stream.retryInterval = firstRetry;
    this.#send(stream);
  }

  #send(stream: UpdateStream): void {
    const update = stream.head;
    if (this.#paused || stream.isClosed || update === undefined) return;
    stream.stop();
    this.send(this.#agent, UpdateDue, { update });
    const interval = stream.retryInterval;
    stream.retryInterval = Math.min(interval * 2, lastRetry);
    stream.retry = this.delay(interval, () => this.#send(stream));
  }

  #open(frameworkId: FrameworkID, taskId: TaskID, file: string | undefined): UpdateStream {
    let streams = this.#streams.get(frameworkId);
    if (streams === undefined) this.#streams.set(frameworkId, (streams = new Map<TaskID, UpdateStream>()));
    let stream = streams.get(taskId);
    if (stream === undefined) streams.set(taskId, (stream = new UpdateStream(file)));
    return stream;
  }

  #close(frameworkId: FrameworkID, taskId: TaskID): void {
    const streams = this.#streams.get(frameworkId);
    streams?.get(taskId)?.close();
    streams?.delete(taskId);
    if (streams?.size === 0) this.#streams.delete(frameworkId);
  }

  *#all(): Iterable<UpdateStream> {
    for (const streams of this.#streams.values()) yield* streams.values();
  }
}
