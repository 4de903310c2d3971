/** What an accepted event leads to. One frozen object per state and event, made when the machine is compiled. */
export interface Transition<State extends string, Effect extends string> {
  readonly state: State;
  /** Names of what the owner of the machine has to do, in order: exits, the transition's own, entries. */
  readonly effects: readonly Effect[];
}

/** The outcome of every event in every state of one machine, as plain data. */
export class TransitionTable<State extends string, Event extends string, Effect extends string> {
  readonly id: string;
  readonly initial: State;
  /** The entry actions on the way to `initial`. */
  readonly initialEffects: readonly Effect[];
  readonly states: readonly State[];
  readonly events: readonly Event[];
  readonly #transitions: ReadonlyMap<State, ReadonlyMap<Event, Transition<State, Effect>>>;
  readonly #final: ReadonlySet<State>;

  constructor(parts: {
    id: string;
    initial: Transition<State, Effect>;
    events: readonly Event[];
    transitions: ReadonlyMap<State, ReadonlyMap<Event, Transition<State, Effect>>>;
    final: ReadonlySet<State>;
  }) {
    this.id = parts.id;
    this.initial = parts.initial.state;
    this.initialEffects = parts.initial.effects;
    this.states = Object.freeze([...parts.transitions.keys()]);
    this.events = Object.freeze([...parts.events]);
    this.#transitions = parts.transitions;
    this.#final = parts.final;
  }

  /** Where `event` leads from `state`; undefined when that state does not accept it. Two lookups, no allocation. */
  next(state: State, event: Event): Transition<State, Effect> | undefined {
    return this.#transitions.get(state)?.get(event);
  }

  /** True when the whole machine is done in this state: no event is accepted any more. */
  isFinal(state: State): boolean {
    return this.#final.has(state);
  }

  /** Narrows a text from outside (a message, a checkpoint) to a state of this machine. */
  isState(text: string): text is State {
    return (this.states as readonly string[]).includes(text);
  }

  isEvent(text: string): text is Event {
    return (this.events as readonly string[]).includes(text);
  }
}
