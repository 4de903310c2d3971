import { type Deferred, type Files, Future, type Timer } from '@mezzo/process';
import type { StatusUpdate, UpdateUUID } from '@mezzo/protocol';
import type { RecoveredStream } from './recovered-stream.ts';
import { encodeUpdateRecord, type UpdateRecord } from './update-record.ts';

/** The updates of one task, in the order in which they were stored; the first is delivered until it is acknowledged. */
export class UpdateStream {
  /** Where records are appended; undefined for a framework that does not checkpoint. */
  readonly file: string | undefined;
  readonly pending: StatusUpdate[] = [];
  /** Those that are taken and not stored yet, in order; the first is being written. */
  readonly unstored: { readonly update: StatusUpdate; readonly stored: Deferred<boolean> }[] = [];
  /** Every update that was ever taken, acknowledged ones too. */
  readonly seen = new Set<UpdateUUID>();
  /** The head while its acknowledgement is being stored. */
  acknowledging: UpdateUUID | undefined;
  /** Nothing is sent any more, not even what is being stored just now. */
  isClosed = false;
  retry: Timer | undefined;
  /** Of the next attempt to write the first that is not stored. */
  storing: Timer | undefined;
  /** Milliseconds until the head is sent again. */
  retryInterval = 0;
  #written: Future<void> = Future.ready(undefined);
  #torn = false;

  constructor(file: string | undefined) {
    this.file = file;
  }

  static recovered({ file, updates, acknowledged, isTorn }: RecoveredStream): UpdateStream {
    const stream = new UpdateStream(file);
    stream.#torn = isTorn;
    for (const update of updates) {
      const { uuid } = update.status;
      if (uuid === undefined) continue;
      stream.seen.add(uuid);
      if (!acknowledged.has(uuid)) stream.pending.push(update);
    }
    return stream;
  }

  get head(): StatusUpdate | undefined {
    return this.pending[0];
  }

  /** Records are written one after the other, or their order in the file could be any. */
  write(files: Files, record: UpdateRecord): Future<void> {
    const { file } = this;
    if (file === undefined) return Future.ready(undefined);
    const written = this.#written.andThen(() => {
      // A write that failed may have left half a line, which must not swallow this one.
      const line = encodeUpdateRecord(record);
      return files.append(file, this.#torn ? `\n${line}` : line);
    });
    this.#written = written
      .map(() => void (this.#torn = false))
      .repair(() => {
        this.#torn = true;
      });
    return written;
  }

  close(): void {
    this.isClosed = true;
    this.storing?.cancel();
    for (const { stored } of this.unstored) stored.abandon();
    this.stop();
  }

  stop(): void {
    this.retry?.cancel();
    this.retry = undefined;
  }
}
