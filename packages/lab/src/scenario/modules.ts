import type { Scenario } from './scenario.ts';

/**
 * The scenario with its allocator and sorter found, where they are modules: a path that begins with `./` or `../` is relative
 * to the scenario's file.
 *
 * @param file where the scenario is, as a `file:` URL
 */
export function withModules(scenario: Scenario, file: URL): Scenario {
  const located = (name: string): string => (/^\.{1,2}\//.test(name) ? new URL(name, file).href : name);
  const { allocator, sorter } = scenario;
  return { ...scenario, allocator: located(allocator), sorter: sorter === undefined ? undefined : located(sorter) };
}
