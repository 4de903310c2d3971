import type { IncomingMessage } from 'node:http';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';

import { type HttpResponse, refusal } from '../route.ts';

export type Body =
  | { readonly kind: 'whole'; readonly bytes: Uint8Array; readonly inflated: boolean }
  | { readonly kind: 'refused'; readonly answer: HttpResponse };

const inflate = promisify(gunzip);

/** The whole body of a request, inflated if it came as gzip; 413 if it is longer than `limit` bytes. */
export async function bodyOf(request: IncomingMessage, limit: number): Promise<Body> {
  const tooLarge: Body = {
    kind: 'refused',
    answer: refusal(413, `413 Payload Too Large: a body may have ${limit} bytes.`),
  };
  if (Number(request.headers['content-length'] ?? 0) > limit) return tooLarge;
  const bytes = await read(request, limit);
  if (bytes === undefined) return tooLarge;
  if (request.headers['content-encoding']?.toLowerCase() !== 'gzip') return { kind: 'whole', bytes, inflated: false };
  try {
    return { kind: 'whole', bytes: await inflate(bytes, { maxOutputLength: limit }), inflated: true };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') return tooLarge;
    return { kind: 'refused', answer: refusal(400, '400 Bad Request: the body is not the gzip that its header says.') };
  }
}

/** Undefined if there is more than `limit`; what came so far if the client leaves. */
function read(request: IncomingMessage, limit: number): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= limit) chunks.push(chunk);
      else resolve(undefined);
    });
    const end = (): void => resolve(Buffer.concat(chunks));
    request.on('end', end);
    request.on('close', end);
  });
}
