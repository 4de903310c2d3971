import { asEnvelope, hasMessages, kind } from '../node/envelope.ts';
import { decode } from '../node/frame.ts';

/** A message on its way, by the ids of its processes. */
export interface Carried {
  readonly from: string;
  readonly to: string;
  readonly name: string;
}

/** What a frame is, in short, and the messages in it. */
export interface FrameSummary {
  readonly text: string;
  readonly messages: readonly Carried[];
}

const kinds = new Map<number, string>(Object.entries(kind).map(([name, number]) => [number, name]));

/** Reads a frame as people want to see it in a history. */
export function summarize(bytes: Uint8Array): FrameSummary {
  let frame: ReturnType<typeof decode>;
  try {
    frame = decode(bytes);
  } catch {
    frame = undefined;
  }
  switch (frame?.kind) {
    case undefined:
      return { text: `${bytes.length} bytes that are no frame`, messages: [] };
    case 'hello':
      return { text: `hello sent ${frame.sent} ack ${frame.received}`, messages: [] };
    case 'heartbeat': {
      const wants = `${frame.answer ? ' answer' : ''}${frame.missed ? ' missed' : ''}`;
      return { text: `heartbeat sent ${frame.sent} ack ${frame.received}${wants}`, messages: [] };
    }
    case 'bye':
      return { text: 'bye', messages: [] };
    case 'batch':
      return batch(`batch ${frame.sequence} ack ${frame.received}`, frame.envelopes);
  }
}

function batch(head: string, envelopes: readonly unknown[]): FrameSummary {
  const messages: Carried[] = [];
  const texts: string[] = [];
  for (const value of envelopes) {
    const envelope = asEnvelope(value);
    if (envelope === undefined) texts.push('unknown');
    else if (hasMessages(envelope)) {
      const [, to, , , from, , name, bodies] = envelope;
      texts.push(`${from}>${to} ${name}${bodies.length > 1 ? ` x${bodies.length}` : ''}`);
      messages.push(...bodies.map(() => ({ from, to, name })));
    } else texts.push(kinds.get(envelope[0]) ?? 'unknown');
  }
  return { text: `${head}: ${texts.join(', ')}`, messages };
}
