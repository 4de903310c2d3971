import { expect } from 'chai';
import fc from 'fast-check';
import type { AnyStateMachine } from 'xstate';
import type { TransitionTable } from '@mezzo/process/xstate';
import { runActor } from '../../../process/test/xstate/machines.ts';

/** From, event, to, effects. */
export type Row = readonly [from: string, event: string, to: string, effects: string];

/** One test per title, and one that no transition of the table is left untold. */
export function tell(
  table: TransitionTable<string, string, string>,
  stories: Readonly<Record<string, readonly Row[]>>,
): void {
  for (const [title, rows] of Object.entries(stories)) {
    it(title, () => {
      for (const [from, event, to, effects] of rows) {
        const outcome = table.next(from, event);
        expect(outcome?.state, `${from} on ${event}`).to.equal(to);
        expect(outcome?.effects.join(' '), `${from} on ${event}`).to.equal(effects);
      }
    });
  }

  it('does nothing that is not told above', () => {
    const told = new Set(Object.values(stories).flatMap((rows) => rows.map(([from, event]) => `${from} ${event}`)));
    const untold = table.states.flatMap((state) =>
      table.events
        .filter((event) => table.next(state, event) !== undefined && !told.has(`${state} ${event}`))
        .map((event) => `${state} ${event}`),
    );
    expect(untold).to.deep.equal([]);
  });
}

/** The table and xstate's own actor take the same steps. */
export function agreesWithXstate(machine: AnyStateMachine, table: TransitionTable<string, string, string>): void {
  it('agrees with a running xstate actor for any sequence of events', () => {
    const anyEvents = fc.array(fc.constantFrom(...table.events), { maxLength: 30 });
    fc.assert(
      fc.property(anyEvents, (sent) => {
        const [start, ...steps] = runActor(machine, sent);
        expect(start?.state).to.equal(table.initial);
        expect(start?.effects).to.deep.equal(table.initialEffects);
        let state = table.initial;
        steps.forEach((step, i) => {
          const outcome = table.next(state, sent[i] ?? '') ?? { state, effects: [] };
          expect(outcome).to.deep.equal({ state: step.state, effects: step.effects });
          state = outcome.state;
          expect(table.isFinal(state)).to.equal(step.isDone);
        });
      }),
      { numRuns: 200 },
    );
  });
}

/** Every state can be reached: one that cannot is a transition forgotten. */
export function reachesAllStates(table: TransitionTable<string, string, string>): void {
  it('can reach each of its states', () => {
    const reached = new Set([table.initial]);
    for (const state of reached) {
      for (const event of table.events) {
        const outcome = table.next(state, event);
        if (outcome !== undefined) reached.add(outcome.state);
      }
    }
    expect([...reached].toSorted()).to.deep.equal([...table.states].toSorted());
  });
}
