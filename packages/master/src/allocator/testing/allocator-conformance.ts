import type { Process } from '@mezzo/process';
import { explore, Simulation } from '@mezzo/process/testing';
import { capabilityRules } from './capability-rules.ts';
import { hardshipRules } from './hardship-rules.ts';
import { offerRules } from './offer-rules.ts';
import { operatorRules } from './operator-rules.ts';
import { walk } from './random-walk.ts';
import type { Capability, Rule } from './rule.ts';
import { Stage } from './stage.ts';

export interface AllocatorConformanceOptions {
  /** Makes the allocator; called for each test, and often for the random walks. */
  readonly create: () => Process;
  /** What it does not do is said with `false`. Default: all of it is tested. */
  readonly capabilities?: Readonly<Partial<Record<Capability, boolean>>>;
  /** The first and the last seed of the random walks. Default 1 to 25. */
  readonly seeds?: readonly [number, number];
}

/** One test, for any test runner. */
export interface ConformanceTest {
  /** What an allocator does, as the end of a sentence that begins with its name. */
  readonly title: string;
  /** Rejects with what was wrong. */
  readonly run: () => Promise<void>;
}

/**
 * What any allocator must do and must never do, as tests under virtual time: each runs the allocator with a scripted master
 * that keeps books of its own. Give them to your test runner:
 *
 * `for (const { title, run } of allocatorConformance({ create: () => new MyAllocator() })) it(title, run);`
 *
 * A random walk that fails rejects with ExplorationFailure, which holds the shortest failing history found.
 */
export function allocatorConformance(options: AllocatorConformanceOptions): readonly ConformanceTest[] {
  const { create, capabilities = {}, seeds = [1, 25] } = options;
  const has = (capability: Capability | undefined): boolean =>
    capability === undefined || (capabilities[capability] ?? true);
  const begin = (world: Simulation): Promise<Stage> => Stage.begin(world, create, has('filters'));
  const show = async (rule: Rule): Promise<void> => {
    // What crashes the allocator is told by its master.
    await using world = new Simulation({ onError: () => undefined });
    const stage = await begin(world);
    await rule.show(stage);
    await stage.settle();
  };
  const rules = [...offerRules, ...capabilityRules, ...operatorRules, ...hardshipRules].filter(({ needs }) =>
    has(needs),
  );
  return [
    ...rules.map((rule) => ({ title: rule.title, run: () => show(rule) })),
    {
      title: 'keeps the books through whatever happens',
      run: async () => {
        await explore({ seeds, scenario: async (world) => walk(world, await begin(world)) });
      },
    },
  ];
}
