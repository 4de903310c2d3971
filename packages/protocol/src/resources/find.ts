import type { Entry } from './entry.ts';
import { addTo, differenceOf } from './entry-list.ts';
import { RESERVED } from './metadata.ts';

/**
 * The target's amounts out of the list, whoever they are reserved to: first from what is reserved to the target's role,
 * then from what is unreserved, then from anything. Each step ends with the first entry that covers the rest, and else
 * uses up one that is smaller.
 */
export function found(list: readonly Entry[], targets: readonly Entry[]): Entry[] | undefined {
  const result: Entry[] = [];
  let left = list;
  for (const target of targets) {
    const pieces = piecesFor(left, target);
    if (pieces === undefined) return undefined;
    left = differenceOf(left, pieces);
    for (const piece of pieces) addTo(result, piece, 0);
  }
  return result;
}

function piecesFor(list: readonly Entry[], target: Entry): Entry[] | undefined {
  const pieces: Entry[] = [];
  let left = list;
  let rest = target.withMetadata(target.metadata.unreserved());
  for (let step = target.metadata.reservations.length > 0 ? 0 : 1; step <= 2; step += 1) {
    for (const entry of left) {
      const { metadata } = entry;
      if (step === 0 && metadata.reservationRole !== target.metadata.reservationRole) continue;
      if (step === 1 && (metadata.traits & RESERVED) !== 0) continue;
      const plain = entry.withMetadata(metadata.unreserved());
      if (!plain.meets(rest)) continue;
      if (plain.contains(rest)) {
        pieces.push(rest.withMetadata(rest.metadata.withReservations(metadata.reservations)));
        return pieces;
      }
      if (!rest.contains(plain)) continue;
      const missing = rest.minus(plain);
      if (missing === undefined) return undefined;
      pieces.push(entry);
      left = differenceOf(left, [entry]);
      rest = missing;
      break;
    }
  }
  return undefined;
}
