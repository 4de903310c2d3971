import { SeededRandom } from '@mezzo/process/testing';

import type { Amounts, LabResult, Sample, ShareSample } from '../../src/result.ts';

export interface Shape {
  readonly seed?: number;
  readonly scenario?: string;
  readonly allocator?: string;
  readonly sorter?: string;
  readonly roles?: readonly string[];
  /** For each role. */
  readonly frameworks?: number;
  readonly samples?: number;
  /** Milliseconds. */
  readonly duration?: number;
  readonly event?: string;
}

/** A result that looks like one: shares that wander, waits with a long tail, offers that add up. */
export function generatedResult(shape: Shape = {}): LabResult {
  const { seed = 1, scenario = 'generated', allocator = 'hierarchical', sorter = 'drf' } = shape;
  const {
    roles = ['ads', 'search', 'science'],
    frameworks: each = 2,
    samples: count = 200,
    duration = 7_200_000,
  } = shape;
  const random = new SeededRandom(`${seed} ${scenario} ${allocator} ${sorter}`);
  const total = { cpus: 1000, mem: 4_096_000, gpus: 16 };
  const names = roles.flatMap((role) =>
    Array.from({ length: each }, (_, index) => ({ role, name: `${role}-${index}` })),
  );
  const level = new Map(names.map(({ name }) => [name, (0.2 + 0.6 * random.next()) / names.length]));
  const portion = (part: number): Amounts => ({
    cpus: Math.round(part * total.cpus * 1000) / 1000,
    mem: Math.round(part * 0.8 * total.mem),
    gpus: Math.floor(part * 0.3 * total.gpus),
  });
  const share = (part: number, weight: number): ShareSample => ({
    used: portion(part),
    offered: portion(part / 20),
    dominantShare: part,
    weightedShare: part / weight,
    waiting: Math.floor(random.next() * 20 * (1 + part)),
    running: Math.round(part * 800),
  });
  const weightOf = (role: string): number => 1 + (roles.indexOf(role) % 2);
  const samples = Array.from({ length: count }, (_, index): Sample => {
    const progress = index / Math.max(1, count - 1);
    for (const { name } of names) {
      const wanted = (0.9 / names.length) * (0.6 + 0.4 * Math.sin(progress * 9 + name.length));
      const now = level.get(name) ?? 0;
      level.set(name, Math.max(0, now + (wanted - now) * 0.1 + (random.next() - 0.5) * (0.06 / names.length)));
    }
    const ofRole = (role: string): number =>
      names.filter((one) => one.role === role).reduce((sum, { name }) => sum + (level.get(name) ?? 0), 0);
    const shares = roles.map((role) => ofRole(role) / weightOf(role));
    const sum = shares.reduce((one, other) => one + other, 0);
    const used = names.reduce((all, { name }) => all + (level.get(name) ?? 0), 0);
    return {
      time: Math.round(progress * duration),
      total,
      used: portion(used),
      offered: portion(used / 20),
      fragmentation: { cpus: 0.3 * random.next(), mem: 0.2 + 0.1 * random.next(), gpus: random.next() > 0.5 ? 1 : 0 },
      jain: (sum * sum) / (shares.length * shares.reduce((squares, one) => squares + one * one, 0)),
      gap: Math.max(...shares) - Math.min(...shares),
      roles: Object.fromEntries(roles.map((role) => [role, share(ofRole(role), weightOf(role))])),
      frameworks: Object.fromEntries(
        names.map(({ role, name }) => [name, share(level.get(name) ?? 0, weightOf(role))]),
      ),
    };
  });
  return {
    scenario,
    allocator,
    sorter,
    seed,
    duration,
    samples,
    frameworks: names.map(({ role, name }, index) => {
      const launched = 50 + Math.floor(random.next() * 400);
      const made = launched + Math.floor(random.next() * 900);
      return {
        name,
        role,
        kind: index % 2 === 0 ? 'batch' : 'spiky',
        tasks: { arrived: launched + 9, launched, finished: launched - 20, lost: 3 },
        waits: Array.from({ length: launched }, () => Math.round(400 / (0.002 + random.next() ** 1.5))),
        offers: {
          made,
          accepted: launched,
          declined: Math.floor((made - launched) * 0.8),
          rescinded: Math.floor((made - launched) * 0.1),
          wasted: { cpus: random.next() * 9000, mem: random.next() * 4e7 },
        },
      };
    }),
    roles: roles.map((name) => ({ name, weight: weightOf(name) })),
    events: [
      { time: Math.round(duration / 4), what: shape.event ?? 'agent-17 lost' },
      { time: Math.round(duration / 2), what: 'quota of ads: cpus 40' },
      { time: Math.round(duration / 2) + 1, what: 'agent-17 back' },
    ],
    allocationRuns: 7200,
    refusedAllocations: 0,
  };
}
