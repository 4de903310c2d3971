import { type StatusUpdate, UpdateUUID } from '@mezzo/protocol';
import { checkedStatusUpdate, part } from '../recovery/checked.ts';

/** One line of a `task.updates` file. */
export type UpdateRecord =
  | { readonly type: 'UPDATE'; readonly update: StatusUpdate }
  | { readonly type: 'ACK'; readonly uuid: UpdateUUID };

/** A line of JSON; a task's data is base64 in it. */
export function encodeUpdateRecord(record: UpdateRecord): string {
  if (record.type === 'ACK') return `${JSON.stringify(record)}\n`;
  const { data, ...status } = record.update.status;
  const encoded = data === undefined ? status : { ...status, data: base64(data) };
  return `${JSON.stringify({ type: 'UPDATE', update: { ...record.update, status: encoded } })}\n`;
}

/** The record in a line, or undefined if it is none, as half a line. */
export function decodeUpdateRecord(line: string): UpdateRecord | undefined {
  try {
    const record: unknown = JSON.parse(line);
    const type = part(record, 'type');
    if (type === 'ACK') return { type, uuid: UpdateUUID(String(part(record, 'uuid'))) };
    return type === 'UPDATE' ? { type, update: decodeUpdate(part(record, 'update')) } : undefined;
  } catch {
    return undefined;
  }
}

function decodeUpdate(value: unknown): StatusUpdate {
  const status = part(value, 'status');
  const data = part(status, 'data');
  if (typeof data !== 'string') return checkedStatusUpdate(value);
  const bytes = new Uint8Array(Buffer.from(data, 'base64'));
  return checkedStatusUpdate({ ...Object(value), status: { ...Object(status), data: bytes } });
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
