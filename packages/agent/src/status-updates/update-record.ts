import type { StatusUpdate, UpdateUUID } from '@mezzo/protocol';

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

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}
