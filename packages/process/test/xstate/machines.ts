import fc from 'fast-check';
import { createActor, createMachine, type AnyStateMachine, type StateValue } from 'xstate';

// Random machines of everything `compile` takes, and xstate's own actor as the judge of what they do.

export const EVENTS = ['A', 'B', 'C'] as const;
export const FOREIGN = 'NEVER';

interface TransitionConfig {
  readonly target?: string;
  readonly reenter?: boolean;
  readonly actions?: string[];
}

interface StateConfig {
  readonly id: string;
  readonly type?: 'final';
  readonly initial?: string | { target: string; actions: string[] };
  readonly states?: Record<string, StateConfig>;
  readonly entry?: string[];
  readonly exit?: string[];
  readonly on?: Record<string, TransitionConfig>;
  readonly onDone?: TransitionConfig;
}

interface Shape {
  readonly id: string;
  readonly isFinal: boolean;
  readonly children: readonly Shape[];
}

type Draw = fc.GeneratorValue;

/** A machine with up to three levels, and events to send to it. */
export const anyMachine: fc.Arbitrary<{ machine: AnyStateMachine; sent: string[] }> = fc.gen().map((draw) => ({
  machine: machineOf(draw),
  sent: draw(fc.array, fc.constantFrom(...EVENTS, ...EVENTS, FOREIGN), { maxLength: 25 }),
}));

function machineOf(draw: Draw): AnyStateMachine {
  const root = shape(draw, 'm', 0);
  const all = flatten(root).filter((node) => node !== root);
  const { id, ...config } = stateConfig(draw, root, all);
  return createMachine({ ...config, id });
}

function shape(draw: Draw, id: string, depth: number): Shape {
  const size =
    depth === 0 ? draw(fc.integer, { min: 1, max: 4 }) : depth < 3 ? draw(fc.integer, { min: -2, max: 3 }) : 0;
  const children = Array.from({ length: Math.max(0, size) }, (_, i) => shape(draw, `${id}_${i}`, depth + 1));
  return { id, children, isFinal: depth > 0 && children.length === 0 && draw(fc.integer, { min: 0, max: 3 }) === 0 };
}

function pick(draw: Draw, nodes: readonly Shape[]): string {
  return nodes[draw(fc.nat, nodes.length - 1)]?.id ?? '';
}

function flatten(node: Shape): Shape[] {
  return [node, ...node.children.flatMap(flatten)];
}

function stateConfig(draw: Draw, node: Shape, all: readonly Shape[]): StateConfig {
  const actions = (where: string): string[] =>
    Array.from({ length: draw(fc.integer, { min: 0, max: 2 }) }, (_, i) => `${node.id}.${where}.${i}`);
  const edges = { entry: actions('entry'), exit: actions('exit') };
  if (node.isFinal) return { id: node.id, type: 'final', ...edges };

  const on: Record<string, TransitionConfig> = {};
  for (const event of EVENTS) {
    switch (draw(fc.integer, { min: 0, max: 5 })) {
      case 0:
        on[event] = {};
        break;
      case 1:
        on[event] = { actions: actions(event) };
        break;
      case 2:
      case 3: {
        const target = `#${pick(draw, all)}`;
        on[event] = { target, reenter: draw(fc.boolean), actions: actions(event) };
        break;
      }
      default:
    }
  }
  if (node.children.length === 0) return { id: node.id, on, ...edges };

  const states = Object.fromEntries(node.children.map((child) => [child.id, stateConfig(draw, child, all)]));
  // From one final state to another by "done" alone, a machine could turn in circles for ever.
  const lasting = all.filter(({ isFinal, children }) => !isFinal && children.length === 0);
  const onDone =
    lasting.length > 0 && draw(fc.boolean)
      ? { target: `#${pick(draw, lasting)}`, actions: actions('done') }
      : undefined;
  const first = pick(draw, node.children);
  return {
    id: node.id,
    initial: draw(fc.boolean) ? first : { target: first, actions: actions('initial') },
    states,
    on,
    ...(onDone === undefined || node.id === 'm' ? undefined : { onDone }),
    ...edges,
  };
}

export interface Step {
  readonly state: string;
  readonly effects: readonly string[];
  readonly isDone: boolean;
}

/** Runs a real actor: what it did at the start and after each event, until it is done. */
export function runActor(machine: AnyStateMachine, sent: readonly string[]): Step[] {
  const log: string[] = [];
  const names = new Set(
    JSON.stringify(machine.config)
      .match(/"[^"]+"/g)
      ?.map((quoted) => quoted.slice(1, -1)),
  );
  const actions = Object.fromEntries([...names].map((name) => [name, () => void log.push(name)]));
  const actor = createActor(machine.provide({ actions }));
  const steps: Step[] = [];
  const record = () => {
    const { value, status } = actor.getSnapshot();
    steps.push({ state: dotted(value), effects: log.splice(0), isDone: status === 'done' });
  };
  actor.start();
  record();
  for (const type of sent) {
    if (steps.at(-1)?.isDone === true) break;
    actor.send({ type });
    record();
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
