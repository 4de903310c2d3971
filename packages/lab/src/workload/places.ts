import type { Random } from '@mezzo/process';
import type { Offer } from '@mezzo/protocol';
import type { AgentSpec } from '../scenario/agent-groups.ts';
import type { Locality } from '../scenario/frameworks.ts';

type Level = Locality['level'];

/** Where tasks can prefer to be. */
export class Places {
  readonly #names: Readonly<Record<Level, readonly string[]>>;

  constructor(agents: readonly AgentSpec[]) {
    const named = (name: string): readonly string[] => [
      ...new Set(agents.map(({ attributes }) => attributes[name]).filter((place) => place !== undefined)),
    ];
    this.#names = { agent: agents.map(({ name }) => name), rack: named('rack'), zone: named('zone') };
  }

  placeOf({ hostname, attributes }: Offer, level: Level): string | undefined {
    return level === 'agent' ? hostname : attributes[level];
  }

  /** As many different ones as a task prefers, or all if there are fewer. */
  draw({ level, preferred }: Locality, random: Random): ReadonlySet<string> {
    const names = this.#names[level];
    if (preferred >= names.length) return new Set(names);
    const drawn = new Set<string>();
    while (drawn.size < preferred) drawn.add(names[Math.floor(random.next() * names.length)] ?? '');
    return drawn;
  }
}
