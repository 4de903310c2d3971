import type { AnyStateMachine, AnyStateNode } from 'xstate';

/** A machine uses something that a table cannot hold. */
export class UncompilableMachineError extends Error {
  override readonly name = 'UncompilableMachineError';
  readonly machine: string;
  /** Dotted path; empty for the root. */
  readonly state: string;
  readonly feature: string;

  constructor(machine: string, state: string, feature: string, remedy: string) {
    const where = state === '' ? 'its root' : `state "${state}"`;
    super(`Machine "${machine}" cannot be compiled: ${where} uses ${feature}; ${remedy}`);
    this.machine = machine;
    this.state = state;
    this.feature = feature;
  }
}

const CHOOSE = 'let the owner decide and send one event or another';
const TIMER = 'name an effect that starts the timer and let the owner send the event';
const NAME = 'name the effect and let the owner carry it out';
const SPLIT = 'give each region a machine of its own';
const HOLD = 'keep the data with the owner';
const LIST = 'list the event types';
const AIM = 'name the innermost state to enter';

/** @throws {UncompilableMachineError} at the first thing that does not fit into a table */
export function assertCompilable(machine: AnyStateMachine): void {
  const refuse = (node: AnyStateNode, feature: string, remedy: string): never => {
    throw new UncompilableMachineError(machine.id, node.path.join('.'), feature, remedy);
  };
  if (machine.root.type === 'atomic') refuse(machine.root, 'no states', 'give it at least one');
  if (machine.config.context !== undefined) refuse(machine.root, 'context', HOLD);
  assertNode(machine.root, machine, refuse);
}

type Refuse = (node: AnyStateNode, feature: string, remedy: string) => never;

function assertNode(node: AnyStateNode, machine: AnyStateMachine, refuse: Refuse): void {
  if (node.type === 'parallel') refuse(node, 'parallel states', SPLIT);
  if (node.type === 'history') refuse(node, 'a history state', 'name the state to return to');
  if (node.key.includes('.')) refuse(node, 'a dot in its name', 'dots separate nested states, take another character');
  if (node.config.after !== undefined) refuse(node, 'a delayed transition (after)', TIMER);
  if (node.config.invoke !== undefined) refuse(node, 'an invocation (invoke)', NAME);
  if (node.config.always !== undefined) refuse(node, 'an eventless transition (always)', CHOOSE);
  if (node.config.output !== undefined) refuse(node, 'output', HOLD);
  if (node.config.route !== undefined) refuse(node, 'a route', LIST);

  const assertActions = (actions: readonly unknown[], where: string) => {
    for (const action of actions) {
      const fault = actionFault(action, machine);
      if (fault !== undefined) refuse(node, `${fault} ${where}`, NAME);
    }
  };
  assertActions(node.entry, 'on entry');
  assertActions(node.exit, 'on exit');
  for (const [event, transitions] of node.transitions) {
    // The root's share in the routes of others, which are refused themselves.
    if (event === 'xstate.route') continue;
    if (event.includes('*')) refuse(node, `a wildcard event "${event}"`, LIST);
    for (const { guard, actions, target } of transitions) {
      if (target !== undefined && target.length > 1) refuse(node, `several targets on "${event}"`, AIM);
      if (guard !== undefined) refuse(node, `a guard on "${event}"`, CHOOSE);
      assertActions(actions, `on "${event}"`);
    }
  }
  if (node.type === 'compound') assertActions(node.initial.actions, 'on its initial transition');
  for (const child of Object.values(node.states)) assertNode(child, machine, refuse);
}

function actionFault(action: unknown, machine: AnyStateMachine): string | undefined {
  if (typeof action === 'string') return implementationFault(action, machine);
  // xstate's own actions (assign, raise, spawnChild, ...) are functions too, with a type that tells which.
  if (typeof action === 'function') {
    return 'type' in action && typeof action.type === 'string'
      ? `the action ${action.type.replace('xstate.', '')}()`
      : 'an inline function as action';
  }
  if (typeof action === 'object' && action !== null && 'type' in action && typeof action.type === 'string') {
    if ('params' in action && action.params !== undefined) return `parameters for the action "${action.type}"`;
    return implementationFault(action.type, machine);
  }
  return 'an action without a name';
}

/** A named action may hide one of xstate's own, which would change context or raise events behind the table's back. */
function implementationFault(name: string, machine: AnyStateMachine): string | undefined {
  const implementation: unknown = machine.implementations.actions[name];
  if (typeof implementation !== 'function' || !('resolve' in implementation)) return undefined;
  return `the action "${name}", which is one of xstate's own,`;
}
