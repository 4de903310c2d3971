import { Deferred, Future, message, type PID, Process } from '@mezzo/process';
import { type FrameworkID, isTerminal, type StatusUpdate, type TaskID, type UpdateUUID } from '@mezzo/protocol';
import type { RecoveredStream } from './recovered-stream.ts';
import { UpdateStream } from './update-stream.ts';

/** To the agent: an update that is due for delivery, for the first time or again. */
export const UpdateDue = message<{ readonly update: StatusUpdate }>('status-updates.due');

/** What an acknowledgement led to: `unexpected` if the update is not the one in flight, `terminal` if it was the last. */
export type Acknowledged = 'unexpected' | 'next' | 'terminal';

/** Mesos's STATUS_UPDATE_RETRY_INTERVAL_MIN and _MAX, in milliseconds. */
const firstRetry = 10_000;
const lastRetry = 600_000;
/** Milliseconds after which what could not be stored is tried again. */
const storeRetry = 10_000;
/** Of how many updates of finished streams it is remembered that they were taken. */
const longestMemory = 10_000;

/**
 * Keeps the status updates of an agent's tasks until the scheduler has acknowledged them. One stream per task; only its
 * head is in flight, sent again after 10 s, 20 s, 40 s, … up to 10 min. While paused nothing is sent.
 */
export class StatusUpdates extends Process {
  readonly #agent: PID;
  readonly #streams = new Map<FrameworkID, Map<TaskID, UpdateStream>>();
  /** Updates of streams that are finished, oldest first: a copy that comes late must not begin the stream anew. */
  readonly #finished = new Set<UpdateUUID>();
  #paused = true;

  constructor(agent: PID) {
    super('status-updates');
    this.#agent = agent;
  }

  protected override finalize(): void {
    for (const stream of this.#all()) stream.stop();
  }

  /**
   * Takes up streams where the agent before left them; those whose terminal update is acknowledged are dropped. To be called
   * before anything is stored. Nothing is sent before `resume`.
   */
  recover(streams: readonly RecoveredStream[]): void {
    for (const recovered of streams) {
      const stream = UpdateStream.recovered(recovered);
      const { frameworkId, taskId, updates, acknowledged } = recovered;
      const isFinished = updates.some(
        ({ status: { state, uuid } }) => isTerminal(state) && uuid !== undefined && acknowledged.has(uuid),
      );
      if (isFinished) this.#remember(stream);
      else if (stream.seen.size > 0) this.#streamsOf(frameworkId).set(taskId, stream);
    }
  }

  /**
   * Takes an update, which must have a uuid, and gives false for one that was taken before. READY once it is stored: if that
   * fails, as on a full disk, it is tried again every 10 s, and later updates of the task wait for it.
   *
   * @param file where the task's stream is checkpointed; undefined if its framework does not checkpoint. The first call for a task decides.
   */
  store(update: StatusUpdate, file: string | undefined): Future<boolean> {
    const { uuid, taskId } = update.status;
    if (uuid === undefined)
      return Future.failed(`Status update ${update.status.state} of task '${taskId}' has no uuid`);
    if (this.#finished.has(uuid)) return Future.ready(false);
    const stream = this.#open(update.frameworkId, taskId, file);
    const waiting = stream.unstored.find((other) => other.update.status.uuid === uuid);
    if (waiting !== undefined) return waiting.stored.future.map(() => false);
    if (stream.seen.has(uuid)) return Future.ready(false);
    stream.seen.add(uuid);
    const stored = new Deferred<boolean>();
    stream.unstored.push({ update, stored });
    if (stream.unstored.length === 1) this.#storeNext(stream);
    return stored.future;
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

  #storeNext(stream: UpdateStream): void {
    const [next] = stream.unstored;
    if (next === undefined || stream.isClosed) return;
    const { update, stored } = next;
    const written = stream.write(this.runtime.files, { type: 'UPDATE', update });
    written.onReady(
      this.defer(() => {
        stream.unstored.shift();
        stream.pending.push(update);
        if (stream.head === update) this.#sendFirst(stream);
        stored.set(true);
        this.#storeNext(stream);
      }),
    );
    written.onFailed(
      this.defer((error: unknown) => {
        this.runtime.log.error({ err: error, file: stream.file }, 'Could not store a status update; trying again');
        stream.storing = this.delay(storeRetry, () => this.#storeNext(stream));
      }),
    );
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
    const streams = this.#streamsOf(frameworkId);
    let stream = streams.get(taskId);
    if (stream === undefined) streams.set(taskId, (stream = new UpdateStream(file)));
    return stream;
  }

  #streamsOf(frameworkId: FrameworkID): Map<TaskID, UpdateStream> {
    let streams = this.#streams.get(frameworkId);
    if (streams === undefined) this.#streams.set(frameworkId, (streams = new Map<TaskID, UpdateStream>()));
    return streams;
  }

  #remember({ seen }: UpdateStream): void {
    for (const uuid of seen) this.#finished.add(uuid);
    for (const oldest of this.#finished) {
      if (this.#finished.size <= longestMemory) break;
      this.#finished.delete(oldest);
    }
  }

  #close(frameworkId: FrameworkID, taskId: TaskID): void {
    const streams = this.#streams.get(frameworkId);
    const stream = streams?.get(taskId);
    if (stream !== undefined) this.#remember(stream);
    stream?.close();
    streams?.delete(taskId);
    if (streams?.size === 0) this.#streams.delete(frameworkId);
  }

  *#all(): Iterable<UpdateStream> {
    for (const streams of this.#streams.values()) yield* streams.values();
  }
}
