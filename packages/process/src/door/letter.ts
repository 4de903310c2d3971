import { type ErrorCode, messageOf } from '../errors.ts';
import type { DoorHeaders, DoorMessage } from '../transport.ts';

/** What a stranger wrote: a kind and its body, not checked by any schema yet. */
export interface Letter {
  readonly kind: string;
  /** Undefined if the message was empty. */
  readonly body: unknown;
}

/** How an answer goes out: once, or not at all. */
export type Answer = (headers: DoorHeaders, json: string) => void;

/** Names the kind of a message, of a request and of its answer. */
export const kindHeader = 'Mezzo-Kind';

const decoder = new TextDecoder('utf-8', { fatal: true });

/**
 * Reads `Mezzo-Kind: <kind>` with the body as JSON or, without that header, `{"kind": …, "body": …}`. Gives the reason as
 * text if it is neither.
 */
export function letterOf(message: DoorMessage): Letter | string {
  const named = message.header(kindHeader);
  let value: unknown;
  try {
    const text = decoder.decode(message.data);
    value = text === '' ? undefined : JSON.parse(text, withoutPrototype);
  } catch (error) {
    return `The message is no JSON: ${textOf(messageOf(error))}`;
  }
  if (named !== undefined && named !== '') return { kind: named, body: value };
  if (typeof value === 'object' && value !== null && 'kind' in value && typeof value.kind === 'string') {
    return { kind: value.kind, body: 'body' in value ? value.body : undefined };
  }
  return `The message names no kind: send a header ${kindHeader}, or {"kind": …, "body": …}`;
}

/** Writes an error: its code in a header, for whoever looks there first, and both code and text as JSON. */
export function refuse(answer: Answer | undefined, code: ErrorCode, why: string): void {
  answer?.({ 'Mezzo-Error': code }, JSON.stringify({ code, message: why }));
}

/** Strangers' words, short enough for a log line and an answer. */
export function textOf(words: string): string {
  const printable = words.replace(/\p{C}+/gu, ' ');
  return printable.length > 200 ? `${printable.slice(0, 200)}…` : printable;
}

/** Copied by assignment, such a key would become a prototype. */
function withoutPrototype(key: string, value: unknown): unknown {
  if (key === '__proto__') throw new SyntaxError('it has a key __proto__');
  return value;
}
