import type { AnyStateMachine, EventFromLogic, StateValue } from 'xstate';
import { type Message, message, type Request, type WireSchema } from '../message.ts';

/**
 * The kind of message that carries a machine's events, as its process takes them with the option `events`.
 *
 * @param schema what an event from the wire must satisfy; without one the kind is local only.
 */
export function machineEvents<Machine extends AnyStateMachine>(
  name: string,
  schema?: WireSchema<EventFromLogic<Machine>>,
): Message<EventFromLogic<Machine>> {
  return message(name, schema);
}

/** Where a machine stands. */
export interface MachineState {
  /** The name of the state; of nested states an object, as xstate writes it. */
  readonly value: StateValue;
  /** `done`: the machine is in its final state, and its process ends. */
  readonly status: 'active' | 'done';
  readonly tags: readonly string[];
  /** Type of the event that led here; `xstate.init` at the start, also after a restart from a persisted state. */
  readonly event: string;
  /** Of a machine that is done: its output. */
  readonly output?: unknown;
}

/** A machine took a transition, or this is where it stands when the watch begins. */
export const StateChanged: Message<MachineState> = message(
  'machine.state',
  checked(
    (value): value is MachineState =>
      isRecord(value) &&
      isStateValue(value['value']) &&
      (value['status'] === 'active' || value['status'] === 'done') &&
      Array.isArray(value['tags']) &&
      value['tags'].every((tag) => typeof tag === 'string') &&
      typeof value['event'] === 'string',
  ),
);

/**
 * Asks a machine's process where it stands: it answers with StateChanged. A process that sends `watch: true` is told each
 * transition from then on, until it ends or sends `watch: false`; it should link to hear of the machine's end.
 */
export const WatchState: Request<{ readonly watch: boolean }, MachineState> = {
  name: 'machine.watch',
  schema: checked(
    (value): value is { readonly watch: boolean } =>
      isRecord(value) && Object.keys(value).length === 1 && typeof value['watch'] === 'boolean',
  ),
  reply: StateChanged,
};

function checked<T>(fits: (value: unknown) => value is T): WireSchema<T> {
  return {
    '~standard': {
      version: 1,
      vendor: 'mezzo',
      validate: (value) => (fits(value) ? { value } : { issues: [{ message: 'not of the expected shape' }] }),
    },
  };
}

function isStateValue(value: unknown): value is StateValue {
  return typeof value === 'string' || (isRecord(value) && Object.values(value).every(isStateValue));
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
