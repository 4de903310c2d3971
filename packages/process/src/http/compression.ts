import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

/** Shorter bodies travel as they are, as in libprocess (GZIP_MINIMUM_BODY_LENGTH). */
const threshold = 1024;

const deflate = promisify(gzip);

/** The body as gzip if it is long enough, the client accepts that, and nobody has encoded it yet. */
export async function compressed(
  body: Uint8Array,
  accepted: string | undefined,
  headers: Readonly<Record<string, string>> = {},
): Promise<{ readonly bytes: Uint8Array; readonly encoding?: 'gzip' }> {
  if (body.length < threshold || !acceptsGzip(accepted) || isEncoded(headers)) return { bytes: body };
  return { bytes: await deflate(body), encoding: 'gzip' };
}

function isEncoded(headers: Readonly<Record<string, string>>): boolean {
  return Object.keys(headers).some((name) => name.toLowerCase() === 'content-encoding');
}

/** An entry of its own decides before `*`; a quality of 0 refuses. */
function acceptsGzip(accepted = ''): boolean {
  const qualities = new Map<string, number>();
  for (const entry of accepted.toLowerCase().split(',')) {
    const [coding = '', ...parameters] = entry.split(';').map((part) => part.trim());
    const quality = parameters.find((parameter) => parameter.startsWith('q='));
    qualities.set(coding, quality === undefined ? 1 : Number(quality.slice(2)));
  }
  return (qualities.get('gzip') ?? qualities.get('*') ?? 0) > 0;
}
