import { type Files, Future, type Timer } from '@mezzo/process';
import type { StatusUpdate, UpdateUUID } from '@mezzo/protocol';
import { encodeUpdateRecord, type UpdateRecord } from './update-record.ts';

/** The updates of one task, in the order in which they were stored; the first is delivered until it is acknowledged. */
export class UpdateStream {
  /** Where records are appended; undefined for a framework that does not checkpoint. */
  readonly file: string | undefined;
  readonly pending: StatusUpdate[] = [];
  /** Every update that was ever taken, acknowledged ones too. */
  readonly seen = new Set<UpdateUUID>();
  /** The head while its acknowledgement is being stored. */
  acknowledging: UpdateUUID | undefined;
  /** Nothing is sent any more, not even what is being stored just now. */
  isClosed = false;
  retry: Timer | undefined;
  /** Milliseconds until the head is sent again. */
  retryInterval = 0;
  #written: Future<void> = Future.ready(undefined);
  #torn = false;

  constructor(file: string | undefined) {
    this.file = file;
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
    this.stop();
  }

  stop(): void {
    this.retry?.cancel();
    this.retry = undefined;
  }
}
