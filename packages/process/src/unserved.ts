import type { CallChain } from './call-chain.ts';
import type { Cell } from './cell.ts';
import { isEndpoint } from './endpoints.ts';
import { ProcessGone, WaitCycle } from './errors.ts';
import type { Event, EventMeta, ExitReason } from './event.ts';
import { endSpan } from './tracing.ts';

// What becomes of events that a process does not serve, or not to the end: whoever waits for an outcome is told.

/** Marks an event that was refused while it waited in the mailbox. */
export const refused: EventMeta = {};

/** It was waiting when the process ended, or was overtaken by its terminate. */
export function drop(cell: Cell, event: Event): void {
  if (event.meta === refused) return;
  if (event.kind === 'message') refuse(cell, event, 'ended');
  else event.result?.abandon();
}

/** It came too late, or the mailbox is full. */
export function refuse(cell: Cell, event: Event, why: 'ended' | 'overflow'): void {
  event.result?.abandon();
  if (event.kind !== 'message') return;
  cell.runtime.deadLetter({ reason: why, name: event.name, from: event.from, to: cell.pid });
  if (why === 'ended') failAsker(cell, event, { kind: 'terminated' });
}

/** It made room for a newer one. */
export function displace(cell: Cell, event: Event): void {
  refuse(cell, event, 'overflow');
  const text = `${cell.pid.toString()} dropped '${event.name}' to make room for newer messages`;
  tellAsker(cell, event, new ProcessGone('MAILBOX_FULL', text));
}

/** Its handler crashed, or was still at work when the process ended. */
export function interrupt(cell: Cell, event: Event, reason: ExitReason): void {
  if (reason.kind === 'crashed') event.result?.fail(reason.error);
  else event.result?.abandon();
  if (event.kind === 'message') failAsker(cell, event, reason);
  endSpan(event, cell.runtime, reason);
}

/** Nobody would ever be answered: the one who asks waits for itself. */
export function refuseCycle(cell: Cell, event: Event, chain: CallChain): void {
  const { name } = event;
  const what = event.kind === 'message' ? `'${name}'` : `a dispatch${name === '' ? '' : ` of '${name}'`}`;
  const pid = cell.pid.toString();
  const error = new WaitCycle(
    'WAIT_CYCLE',
    `${what} to ${pid} can never be answered: it waits in ${chain.toString()} -> ${pid}; ` +
      'return a Future instead of awaiting, or install the handler as interleaved',
  );
  event.result?.fail(error);
  if (event.kind !== 'message') return;
  cell.runtime.deadLetter({ reason: 'wait-cycle', name, from: event.from, to: cell.pid });
  tellAsker(cell, event, error);
}

export function failAsker(cell: Cell, event: Event, reason: ExitReason): void {
  const crashed = reason.kind === 'crashed';
  const why = crashed ? `crashed while handling it: ${reason.message}` : 'has ended';
  const text = `${cell.pid.toString()} did not answer '${event.name}': the process ${why}`;
  tellAsker(cell, event, new ProcessGone('PROCESS_ENDED', text, { cause: crashed ? reason.error : undefined }));
}

function tellAsker(cell: Cell, { from }: Event, error: Error): void {
  if (from !== undefined && isEndpoint(from)) cell.runtime.delivery.refuse(from, error);
}
