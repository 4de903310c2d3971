import { ProcessGone } from '../errors.ts';
import type { Message } from '../message.ts';
import type { PID } from '../pid.ts';
import type { Runtime } from '../runtime.ts';

/**
 * Gives a message on to somebody else in the name of its sender, to whom answers then go straight. Without a receiver it is
 * a dead letter; whoever asked hears at once if nobody takes it.
 */
export function passOn(
  runtime: Runtime,
  router: PID,
  to: PID | undefined,
  kind: Message<unknown>,
  body: unknown,
  from: PID,
): boolean {
  if (to !== undefined && runtime.delivery.message(to, kind, body, from)) return true;
  if (to === undefined) runtime.deadLetter({ reason: 'unreachable', name: kind.name, from, to: router });
  const why = to === undefined ? 'it has nobody to give it to' : `${to.toString()} did not take it`;
  runtime.delivery.refuse(
    from,
    new ProcessGone('PROCESS_NOT_FOUND', `${router.toString()} could not pass on '${kind.name}': ${why}`),
  );
  return false;
}
