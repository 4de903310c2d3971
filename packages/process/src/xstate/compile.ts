import {
  initialTransition,
  transition,
  type AnyMachineSnapshot,
  type AnyStateMachine,
  type AnyStateNode,
  type EventFromLogic,
  type ExecutableActionsFrom,
  type SnapshotFrom,
  type StateValue,
} from 'xstate';
import { TransitionTable, type Transition } from './table.ts';
import { assertCompilable, UncompilableMachineError } from './uncompilable.ts';

/** Nested state values as dotted paths: `{ connected: 'active' }` is `'connected.active'`. */
type Dotted<Value> = Value extends string
  ? Value
  : { [Key in keyof Value & string]: `${Key}.${Dotted<Value[Key]>}` }[keyof Value & string];

export type StateOf<Machine extends AnyStateMachine> = Dotted<SnapshotFrom<Machine>['value']>;
export type EventOf<Machine extends AnyStateMachine> = EventFromLogic<Machine>['type'];
export type EffectOf<Machine extends AnyStateMachine> = Exclude<
  ExecutableActionsFrom<Machine>['type'],
  `xstate.${string}`
>;
export type TableOf<Machine extends AnyStateMachine> = TransitionTable<
  StateOf<Machine>,
  EventOf<Machine>,
  EffectOf<Machine>
>;

/**
 * Turns an xstate machine of finite, possibly nested states, events and named actions into a table, by asking xstate
 * once for every state and event. A step of the table costs nanoseconds, one of xstate tens of microseconds.
 *
 * As in xstate, a transition without target and actions forbids its event: the table does not accept it.
 *
 * @throws {UncompilableMachineError} naming state and feature: context, guards, delays, invocations, eventless
 * transitions, several targets, outputs, wildcards, routes, inline or built-in actions, action parameters, parallel and
 * history states, and `onDone` transitions that lead from one final state to another without end
 */
export function compile<Machine extends AnyStateMachine>(machine: Machine): TableOf<Machine>;
export function compile(machine: AnyStateMachine): TransitionTable<string, string, string> {
  assertCompilable(machine);
  return tabulate(bounded(machine));
}

function tabulate(machine: AnyStateMachine): TransitionTable<string, string, string> {
  const initial = initialOutcome(machine);
  const nodes = descendants(machine.root);
  const events = eventTypes(nodes);
  const transitions = new Map<string, ReadonlyMap<string, Transition<string, string>>>();
  const final = new Set<string>();
  for (const node of nodes) {
    if (node.type === 'compound') continue;
    const name = node.path.join('.');
    const snapshot: AnyMachineSnapshot = machine.resolveState({ value: stateValue(node.path), context: {} });
    // xstate's pure functions would still step a machine that is done; its actors do not.
    const isDone = snapshot.status === 'done';
    if (isDone) final.add(name);
    transitions.set(name, isDone ? new Map() : transitionsFrom(machine, snapshot, name, events));
  }
  return new TransitionTable({
    id: machine.id,
    initial,
    events,
    transitions,
    final,
  });
}

function transitionsFrom(
  machine: AnyStateMachine,
  snapshot: AnyMachineSnapshot,
  name: string,
  events: readonly string[],
): ReadonlyMap<string, Transition<string, string>> {
  const result = new Map<string, Transition<string, string>>();
  for (const type of events) {
    if (!snapshot.can({ type })) continue;
    try {
      result.set(type, outcome(transition(machine, snapshot, { type })));
    } catch {
      // Without guards and functions there is nothing else that could throw.
      throw endless(machine, name, `on "${type}"`);
    }
  }
  return result;
}

function initialOutcome(machine: AnyStateMachine): Transition<string, string> {
  const start = initialTransition(machine);
  if (start[0].status === 'error') throw endless(machine, '', 'at the start');
  return outcome(start);
}

/**
 * The same machine that gives up where it would turn in circles: a step enters each final state once at most, as the state
 * alone decides what comes next.
 */
function bounded(machine: AnyStateMachine): AnyStateMachine {
  const copy = machine.provide({});
  copy.options = { ...copy.options, maxIterations: descendants(machine.root).length + 1 };
  return copy;
}

function endless(machine: AnyStateMachine, state: string, when: string): UncompilableMachineError {
  return new UncompilableMachineError(
    machine.id,
    state,
    `onDone transitions without end ${when}`,
    'let one of them lead to a state that is not final',
  );
}

function outcome([snapshot, actions]: readonly [AnyMachineSnapshot, readonly { readonly type: string }[]]): Transition<
  string,
  string
> {
  return Object.freeze({
    state: dotted(snapshot.value),
    effects: Object.freeze(actions.map(({ type }) => type)),
  });
}

function descendants(node: AnyStateNode): AnyStateNode[] {
  const children: AnyStateNode[] = Object.values(node.states);
  return children.flatMap((child) => [child, ...descendants(child)]);
}

/** What an owner may send; xstate's own events (a nested state is done) come about inside a step. */
function eventTypes(nodes: readonly AnyStateNode[]): string[] {
  const types = new Set<string>();
  for (const node of [nodes[0]?.machine.root, ...nodes]) {
    for (const type of node?.transitions.keys() ?? []) if (!type.startsWith('xstate.')) types.add(type);
  }
  return [...types];
}

function stateValue([first = '', ...rest]: readonly string[]): StateValue {
  return rest.length === 0 ? first : { [first]: stateValue(rest) };
}

function dotted(value: StateValue): string {
  if (typeof value === 'string') return value;
  // Without parallel states there is exactly one.
  for (const [key, inner] of Object.entries(value)) if (inner !== undefined) return `${key}.${dotted(inner)}`;
  return '';
}
