// xstate takes the types of events and actions from values. These two make such values from names, so that a machine
// for `compile` needs neither casts nor empty functions.

type EventOf<Type extends string> = Type extends string ? { readonly type: Type } : never;

/** For `setup({ types: { events: events('SUBSCRIBE', 'DISCONNECT') } })`. The value itself is never used. */
export function events<const Types extends readonly [string, ...string[]]>(...types: Types): EventOf<Types[number]> {
  return { type: types[0] } as EventOf<Types[number]>;
}

/** For `setup({ actions: effects('startTimer', 'stopTimer') })`: actions that do nothing, as their owner does it. */
export function effects<const Name extends string>(...names: readonly Name[]): Record<Name, () => void> {
  return Object.fromEntries(names.map((name) => [name, doNothing])) as Record<Name, () => void>;
}

function doNothing(): void {
  // The owner of the table carries out effects by name.
}
