import { headers, Match, type Msg, type MsgHdrs } from 'nats';

import type { DoorHeaders, DoorMessage } from '../transport.ts';

/** Nodes that have the same door open share its messages. */
export const doorQueue = 'mezzo';

/**
 * Where answers may go: inboxes, also those with a prefix of the client's own (`_INBOX_alice.…`), and what a server makes of
 * one that belongs to another account (`_R_`). Anything else would make the node publish where its caller may not.
 */
const inbox = /^(?:_INBOX[A-Za-z0-9_-]*|_R_)\.[^*>\s]+$/;

/** A message from NATS as a door takes it; undefined if it asks for an answer elsewhere than in an inbox. */
export function doorMessage(
  message: Msg,
  publish: (subject: string, data: Uint8Array, headers: MsgHdrs) => void,
): DoorMessage | undefined {
  const { reply = '' } = message;
  if (reply !== '' && !inbox.test(reply)) return undefined;
  const given = headersOf(message);
  return {
    header: (name) => {
      const value = given?.get(name, Match.IgnoreCase) ?? '';
      return value === '' ? undefined : value;
    },
    data: message.data,
    answer: reply === '' ? undefined : (fields, data) => publish(reply, data, headersFrom(fields)),
  };
}

/** Undefined without headers, or with such as cannot be read. */
export function headersOf(message: Msg): MsgHdrs | undefined {
  try {
    return message.headers;
  } catch {
    // Whoever sent it wrote bytes there that are no header; the client decodes when asked, and throws.
    return undefined;
  }
}

function headersFrom(fields: DoorHeaders): MsgHdrs {
  const made = headers();
  for (const [name, value] of Object.entries(fields)) made.set(name, value.replace(/[\r\n]+/g, ' '));
  return made;
}
