/**
 * What holders of one node name say to each other on `<prefix>.<name>.<name>`: a node that starts, one that came back
 * after its connection was lost, and one that answers that it has the name.
 */
export type ClaimKind = 'starting' | 'returned' | 'taken';

export interface Claim {
  readonly kind: ClaimKind;
  readonly incarnation: number;
}

/** What a node does about a claim that another one made. */
export type Verdict = 'ignore' | 'answer' | 'yield';

export function encodeClaim(kind: ClaimKind, incarnation: number): Uint8Array {
  return Buffer.from(`${kind} ${incarnation}`);
}

/** Undefined for anything else. */
export function decodeClaim(data: Uint8Array): Claim | undefined {
  if (data.length > 64) return undefined;
  const [, kind, incarnation] =
    /^(starting|returned|taken) (\d{1,16})$/.exec(Buffer.from(data).toString('latin1')) ?? [];
  if (kind !== 'starting' && kind !== 'returned' && kind !== 'taken') return undefined;
  return { kind, incarnation: Number(incarnation) };
}

/**
 * A node that starts yields to whoever has the name already, whatever the clocks say; of two that start together, or that
 * find each other after a split, the newer one yields.
 */
export function judge(claim: Claim, own: { readonly incarnation: number; readonly started: boolean }): Verdict {
  // Our own claims come back to us too.
  if (claim.incarnation === own.incarnation) return 'ignore';
  if (!own.started && claim.kind !== 'starting') return 'yield';
  if (own.started && claim.kind === 'starting') return 'answer';
  if (claim.incarnation < own.incarnation) return 'yield';
  return claim.kind === 'taken' ? 'ignore' : 'answer';
}
