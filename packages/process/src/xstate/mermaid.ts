import type { AnyStateMachine } from 'xstate';
import { compile } from './compile.ts';
import { TransitionTable } from './table.ts';

interface Arrow {
  readonly from: string;
  readonly to: string;
  readonly event: string;
  readonly effects: readonly string[];
}

type AnyTable = TransitionTable<string, string, string>;

/**
 * Draws a machine as a mermaid `stateDiagram-v2`. What all inner states of a state do alike is drawn once, from the
 * outer state; events with the same outcome share an arrow. The same machine gives the same text.
 */
export function toMermaid<State extends string, Event extends string, Effect extends string>(
  source: AnyStateMachine | TransitionTable<State, Event, Effect>,
): string {
  const table: AnyTable = source instanceof TransitionTable ? source : compile(source);
  const lines = ['stateDiagram-v2', ...states(table.states, '', '  ')];
  lines.push(`  [*] --> ${alias(table.initial)}${label('', table.initialEffects)}`);
  for (const { from, to, event, effects } of arrows(table)) {
    lines.push(`  ${alias(from)} --> ${alias(to)}${label(event, effects)}`);
  }
  for (const state of table.states) if (table.isFinal(state)) lines.push(`  ${alias(state)} --> [*]`);
  return `${lines.join('\n')}\n`;
}

/** Declares the states below `parent`, nested ones within their outer one. */
function states(all: readonly string[], parent: string, indent: string): string[] {
  const depth = parent === '' ? 0 : parent.split('.').length;
  const within = all.filter((state) => isWithin(state, parent));
  const children = new Set(
    within.map((state) =>
      state
        .split('.')
        .slice(0, depth + 1)
        .join('.'),
    ),
  );
  return [...children].flatMap((child) => {
    const declaration = `${indent}state "${child.split('.').at(-1) ?? ''}" as ${alias(child)}`;
    if (all.includes(child)) return [declaration];
    return [`${declaration} {`, ...states(all, child, `${indent}  `), `${indent}}`];
  });
}

function arrows(table: AnyTable): Arrow[] {
  const all: Arrow[] = [];
  for (const from of table.states) {
    for (const event of table.events) {
      const transition = table.next(from, event);
      if (transition !== undefined) all.push({ from, to: transition.state, event, effects: transition.effects });
    }
  }
  const drawn = new Map<string, { arrow: Arrow; events: Set<string> }>();
  for (const arrow of all) {
    const from = outermost(arrow, table);
    const key = JSON.stringify([from, arrow.to, arrow.effects]);
    const same = drawn.get(key);
    if (same === undefined) drawn.set(key, { arrow: { ...arrow, from }, events: new Set([arrow.event]) });
    else same.events.add(arrow.event);
  }
  return [...drawn.values()].map(({ arrow, events }) => ({ ...arrow, event: [...events].join(', ') }));
}

/** The outermost state all of whose inner states have the same arrow. */
function outermost({ from, to, event, effects }: Arrow, table: AnyTable): string {
  const path = from.split('.');
  for (let depth = 1; depth < path.length; depth += 1) {
    const outer = path.slice(0, depth).join('.');
    const isCommon = table.states
      .filter((state) => isWithin(state, outer))
      .every((state) => {
        const transition = table.next(state, event);
        return transition?.state === to && transition.effects.join() === effects.join();
      });
    if (isCommon) return outer;
  }
  return from;
}

function isWithin(state: string, outer: string): boolean {
  return outer === '' || state.startsWith(`${outer}.`);
}

/** Mermaid's names are words; the double underscore keeps `a.b` and `a_b` apart. */
function alias(state: string): string {
  return state.replaceAll('.', '__').replaceAll(/\W/g, '_');
}

function label(event: string, effects: readonly string[]): string {
  const parts = [event, effects.join(', ')].filter((part) => part !== '');
  return parts.length === 0 ? '' : ` : ${parts.join(' / ')}`;
}
