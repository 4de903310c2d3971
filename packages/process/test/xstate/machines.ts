import fc from 'fast-check';
import { createActor, type AnyStateMachine, type StateValue } from 'xstate';

// Random machines of everything `compile` takes, and xstate's own actor as the judge of what they do.

export const EVENTS = ['A', 'B', 'C'] as const;
export const FOREIGN = 'NEVER';

type Action = string | { readonly type: string };

interface TransitionConfig {
  readonly target?: string;
  readonly reenter?: boolean;
  readonly actions?: Action | Action[];
}

type OneOrMore = undefined | string | TransitionConfig | TransitionConfig[];

interface StateConfig {
  readonly id?: string;
  readonly type?: 'final' | 'history';
  readonly initial?: string | { target: string; actions: Action[] };
  readonly states?: Record<string, StateConfig>;
  readonly entry?: Action[];
  readonly exit?: Action[];
  readonly on?: Record<string, OneOrMore>;
  readonly onDone?: TransitionConfig;
}

export type MachineConfig = StateConfig & { readonly options?: { readonly maxIterations: number } };

interface Shape {
  readonly id: string;
  /** Its name within its parent: the same in many of them. */
  readonly key: string;
  readonly path: readonly string[];
  readonly isFinal: boolean;
  readonly children: readonly Shape[];
}

type Draw = fc.GeneratorValue;

/** A machine with up to three levels of states, and events to send to it. */
export const anyMachine: fc.Arbitrary<{ config: MachineConfig; sent: string[] }> = fc.gen().map((draw) => ({
  config: machineOf(draw),
  sent: draw(fc.array, fc.constantFrom(...EVENTS, ...EVENTS, FOREIGN), { maxLength: 25, size: 'max' }),
}));

/** What a table cannot hold, as what it adds to the configuration of a state that may have it. */
export interface Misfit {
  readonly feature: RegExp;
  /** Only for states that have others within. */
  readonly compound?: true;
  readonly config: Readonly<Record<string, unknown>>;
  /** Added to the states within. */
  readonly states?: Record<string, StateConfig>;
}

/** A machine that would compile but for one thing in one of its states, whose dotted path comes with it. */
export function machineWith(misfit: Misfit): fc.Arbitrary<{ config: MachineConfig; at: string }> {
  return fc.gen().map((draw) => {
    const root = shape(draw, 'm', [], 0);
    const nodes = flatten(root).filter(({ children }) => misfit.compound !== true || children.length > 0);
    const at = pick(draw, nodes) ?? root;
    return { config: stateConfig(draw, root, flatten(root), { misfit, at }), at: at.path.join('.') };
  });
}

function machineOf(draw: Draw): MachineConfig {
  const root = shape(draw, 'm', [], 0);
  // A circle of final states is an error and not a hang.
  return { ...stateConfig(draw, root, flatten(root)), options: { maxIterations: 100 } };
}

function shape(draw: Draw, id: string, path: readonly string[], depth: number): Shape {
  const size =
    depth === 0 ? draw(fc.integer, { min: 1, max: 4 }) : depth < 3 ? draw(fc.integer, { min: -2, max: 3 }) : 0;
  const children = Array.from({ length: Math.max(0, size) }, (_, i) =>
    shape(draw, `${id}_${i}`, [...path, `s${i}`], depth + 1),
  );
  // Few at the first level, where they are the end of the machine; many below, where `onDone` moves on.
  const isFinal = children.length === 0 && draw(fc.integer, { min: 1, max: 6 }) <= (depth > 1 ? 3 : depth);
  return { id, key: path.at(-1) ?? id, path, children, isFinal };
}

function pick<T>(draw: Draw, from: readonly T[]): T | undefined {
  return from.length === 0 ? undefined : from[draw(fc.nat, from.length - 1)];
}

function flatten(node: Shape): Shape[] {
  return [node, ...node.children.flatMap(flatten)];
}

function stateConfig(
  draw: Draw,
  node: Shape,
  all: readonly Shape[],
  wrong?: { readonly misfit: Misfit; readonly at: Shape },
): StateConfig {
  const actions = (where: string): Action[] =>
    Array.from({ length: draw(fc.integer, { min: 0, max: 2 }) }, (_, i) => {
      const type = `${node.id}.${where}.${i}`;
      return draw(fc.boolean) ? type : { type };
    });
  const misfit = wrong?.at === node ? wrong.misfit : undefined;
  const children = node.children;
  const first = pick(draw, children)?.key ?? '';
  return {
    id: node.id,
    ...(node.isFinal ? { type: 'final' } : undefined),
    entry: actions('entry'),
    exit: actions('exit'),
    on: Object.fromEntries(
      EVENTS.filter(() => draw(fc.integer, { min: 0, max: 2 }) > 0).map((event) => [
        event,
        transitions(draw, node, all, () => actions(event)),
      ]),
    ),
    ...(children.length === 0
      ? undefined
      : {
          initial: draw(fc.boolean) ? first : { target: first, actions: actions('initial') },
          states: {
            ...Object.fromEntries(children.map((child) => [child.key, stateConfig(draw, child, all, wrong)])),
            ...misfit?.states,
          },
          ...(draw(fc.boolean)
            ? { onDone: { target: anywhere(draw, node, all), actions: [`${node.id}.done`] } }
            : undefined),
        }),
    ...misfit?.config,
  };
}

/** All spellings of an event that a state does not let through to the states around it. */
const forbidden: readonly OneOrMore[] = [undefined, {}, { actions: [] }, { reenter: true }];

/** One of all the ways to write what an event does in a state. */
function transitions(draw: Draw, node: Shape, all: readonly Shape[], actions: () => Action[]): OneOrMore {
  const aimed = (): TransitionConfig => ({
    target: anywhere(draw, node, all),
    reenter: draw(fc.boolean),
    actions: actions(),
  });
  switch (draw(fc.integer, { min: 0, max: 9 })) {
    case 0:
      return pick(draw, forbidden);
    case 1:
      return { actions: actions() };
    case 2:
      return anywhere(draw, node, all);
    // The first one is taken.
    case 3:
      return [aimed(), aimed()];
    default:
      return aimed();
  }
}

/** A target: any state or the machine itself by id, a state beside, or one within. */
function anywhere(draw: Draw, node: Shape, all: readonly Shape[]): string {
  const parent = all.find(({ children }) => children.includes(node));
  switch (draw(fc.integer, { min: 0, max: 3 })) {
    case 0:
      if (parent !== undefined) return pick(draw, parent.children)?.key ?? '';
      break;
    case 1:
      if (node.children.length > 0) return `.${pick(draw, node.children)?.key ?? ''}`;
      break;
    default:
  }
  return `#${pick(draw, all)?.id ?? ''}`;
}

export interface Step {
  readonly state: string;
  readonly effects: readonly string[];
  readonly isDone: boolean;
  /** The state accepts the event only because xstate's actors do nothing about one that is forbidden. */
  readonly isForbidden: boolean;
}

/** Runs a real actor: what it did at the start and after each event, until it is done. Throws what it fails with. */
export function runActor(machine: AnyStateMachine, sent: readonly string[]): Step[] {
  const log: string[] = [];
  const names = new Set(
    JSON.stringify(machine.config)
      .match(/"[^"]+"/g)
      ?.map((quoted) => quoted.slice(1, -1)),
  );
  const actions = Object.fromEntries([...names].map((name) => [name, () => void log.push(name)]));
  const actor = createActor(machine.provide({ actions }));
  actor.subscribe({ error: () => {} });
  const steps: Step[] = [];
  const record = (isForbidden: boolean) => {
    const { value, status, error } = actor.getSnapshot();
    if (status === 'error') throw error;
    steps.push({ state: dotted(value), effects: log.splice(0), isDone: status === 'done', isForbidden });
  };
  actor.start();
  record(false);
  for (const type of sent) {
    if (steps.at(-1)?.isDone === true) break;
    const before = actor.getSnapshot();
    const isForbidden = !before.can({ type }) && machine.getTransitionData(before, { type }).length > 0;
    actor.send({ type });
    record(isForbidden);
  }
  actor.stop();
  return steps;
}

function dotted(value: StateValue): string {
  if (typeof value === 'string') return value;
  return Object.entries(value)
    .map(([key, inner]) => `${key}.${dotted(inner ?? '')}`)
    .join('|');
}
