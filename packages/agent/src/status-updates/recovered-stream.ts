import { type Files, Future } from '@mezzo/process';
import type { FrameworkID, StatusUpdate, TaskID, UpdateUUID } from '@mezzo/protocol';
import { isMissing } from '../recovery/recovery-error.ts';
import { decodeUpdateRecord, type UpdateRecord } from './update-record.ts';

/** What the file of a task's updates holds. */
export interface RecoveredStream {
  readonly frameworkId: FrameworkID;
  readonly taskId: TaskID;
  readonly file: string;
  /** Each once, in the order in which they were stored. */
  readonly updates: readonly StatusUpdate[];
  readonly acknowledged: ReadonlySet<UpdateUUID>;
  /** The last line is not whole: the write was cut off. */
  readonly isTorn: boolean;
  /** Lines before the last that cannot be read, from 1. */
  readonly damaged: readonly number[];
}

/**
 * Reads a task's updates. What no line can be made of is left out: a write that was cut off leaves half a line. So is an
 * update of another task, an update that came twice, and an acknowledgement of anything but the first update that had none.
 * A file that is not there is an empty stream.
 */
export function readUpdateStream(
  files: Files,
  file: string,
  frameworkId: FrameworkID,
  taskId: TaskID,
): Future<RecoveredStream> {
  return files
    .read(file)
    .repair((outcome) => (isMissing(outcome.failure()) ? new Uint8Array() : Future.failed(outcome.failure())))
    .map((bytes) => parse(new TextDecoder().decode(bytes), file, frameworkId, taskId));
}

function parse(text: string, file: string, frameworkId: FrameworkID, taskId: TaskID): RecoveredStream {
  const lines = text.split('\n');
  const last = lines.pop() ?? '';
  const updates = new Map<UpdateUUID, StatusUpdate>();
  const acknowledged = new Set<UpdateUUID>();
  const damaged: number[] = [];
  const take = (record: UpdateRecord): boolean => {
    if (record.type === 'ACK') {
      const head = [...updates.keys()].find((uuid) => !acknowledged.has(uuid));
      if (head === record.uuid) acknowledged.add(head);
      return true;
    }
    const { update } = record;
    const { uuid } = update.status;
    if (uuid === undefined || update.frameworkId !== frameworkId || update.status.taskId !== taskId) return false;
    if (!updates.has(uuid)) updates.set(uuid, update);
    return true;
  };
  for (const [index, line] of lines.entries()) {
    if (line === '') continue;
    const record = decodeUpdateRecord(line);
    if (record === undefined || !take(record)) damaged.push(index + 1);
  }
  // All of it but the line feed may have been written.
  const whole = last === '' ? undefined : decodeUpdateRecord(last);
  if (whole !== undefined) take(whole);
  return {
    frameworkId,
    taskId,
    file,
    updates: [...updates.values()],
    acknowledged,
    isTorn: last !== '',
    damaged,
  };
}
