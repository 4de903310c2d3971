import { jainIndex } from '../compare/statistics.ts';
import type { Amounts, Sample, ShareSample } from '../result.ts';
import { fragmentation } from './fragmentation.ts';
import type { Account, Ledger } from './ledger.ts';
import { dominantShare, type Quantities } from './quantities.ts';

export interface Measured {
  readonly ledger: Ledger;
  readonly roles: ReadonlyMap<string, Account>;
  /** Each with the role whose weight counts for it. */
  readonly frameworks: Iterable<{ readonly account: Account; readonly role: string }>;
  weightOf(role: string): number;
}

/** The cluster as it is now. */
export function takeSample(time: number, { ledger, roles, frameworks, weightOf }: Measured): Sample {
  const { names, total } = ledger;
  const roleShares: Record<string, ShareSample> = {};
  const [concerned, wanting]: [number[], number[]] = [[], []];
  for (const [role, account] of roles) {
    const share = shareSample(account, ledger, weightOf(role));
    roleShares[role] = share;
    if (account.queued > 0) wanting.push(share.weightedShare);
    if (account.queued > 0 || account.used.some((quantity) => quantity > 0)) concerned.push(share.weightedShare);
  }
  const frameworkShares: Record<string, ShareSample> = {};
  for (const { account, role } of frameworks)
    frameworkShares[account.name] = shareSample(account, ledger, weightOf(role));
  return {
    time,
    total: names.amounts(total),
    used: names.amounts(ledger.used),
    offered: names.amounts(onOffer(ledger)),
    fragmentation: fractions(ledger, fragmentation(ledger)),
    jain: jainIndex(concerned),
    gap: gapOf(wanting),
    roles: roleShares,
    frameworks: frameworkShares,
  };
}

function shareSample(account: Account, { names, total }: Ledger, weight: number): ShareSample {
  const share = dominantShare(account.used, total);
  return {
    used: names.amounts(account.used),
    offered: names.amounts(account.offered),
    dominantShare: share,
    weightedShare: share / weight,
    waiting: account.waiting,
    running: account.running,
  };
}

/** What is used cannot be on offer, although who had it last may not have heard of its end. */
function onOffer({ total, used, offered }: Ledger): Quantities {
  return offered.map((quantity, i) => Math.max(0, Math.min(quantity, (total[i] ?? 0) - (used[i] ?? 0))));
}

function fractions({ names }: Ledger, values: readonly number[]): Amounts {
  return Object.fromEntries(names.names.map((name, i) => [name, values[i] ?? 0]));
}

/** Largest minus smallest; 0 for fewer than two. */
function gapOf(values: readonly number[]): number {
  return values.length < 2 ? 0 : Math.max(...values) - Math.min(...values);
}
