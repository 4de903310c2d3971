import { expect } from 'chai';
import fc from 'fast-check';
import { type ChildSpec, dispatch, Supervisor, type SupervisorOptions } from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';

import { Crash, Diary, Member, Quit } from './family.ts';

type Strategy = NonNullable<SupervisorOptions['strategy']>;
type Restart = NonNullable<ChildSpec['restart']>;
interface Step {
  readonly does: 'crash' | 'quit' | 'add' | 'remove';
  readonly id: string;
  readonly restart: Restart;
}

/** What OTP's rules say, written down without processes. */
class Model {
  readonly lines: string[] = [];
  children: { readonly id: string; readonly restart: Restart; up: boolean }[] = [];
  readonly #strategy: Strategy;

  constructor(strategy: Strategy) {
    this.#strategy = strategy;
  }

  take(): string {
    return this.lines.splice(0).join(' ');
  }

  step({ does, id, restart }: Step): void {
    const child = this.children.find((one) => one.id === id);
    if (does === 'add') {
      if (child !== undefined) return;
      this.children.push({ id, restart, up: true });
      this.lines.push(`+${id}`);
    } else if (child !== undefined) {
      if (does === 'remove') {
        if (child.up) this.lines.push(`-${id}`);
        this.children = this.children.filter((one) => one !== child);
      } else if (child.up) this.#ends(child, does === 'crash');
    }
  }

  #ends(child: (typeof this.children)[number], crashed: boolean): void {
    this.lines.push(`-${child.id}`);
    child.up = false;
    const position = this.children.indexOf(child);
    if (child.restart === 'temporary') this.children.splice(position, 1);
    if (child.restart === 'temporary' || (child.restart === 'transient' && !crashed)) return;
    const from = this.#strategy === 'one-for-all' ? 0 : position;
    const group = this.#strategy === 'one-for-one' ? [child] : this.children.slice(from);
    for (const one of group.toReversed()) if (one.up) this.lines.push(`-${one.id}`);
    this.children = this.children.filter((one) => !(one.up && one.restart === 'temporary' && group.includes(one)));
    for (const one of group) {
      if (!this.children.includes(one)) continue;
      one.up = true;
      this.lines.push(`+${one.id}`);
    }
  }
}

const ids = ['a', 'b', 'c', 'd', 'e'];
const steps = fc.array(
  fc.record<Step>({
    does: fc.constantFrom('crash', 'crash', 'quit', 'add', 'add', 'remove'),
    id: fc.constantFrom(...ids),
    restart: fc.constantFrom('permanent', 'transient', 'temporary'),
  }),
  { maxLength: 25 },
);
const strategies = fc.constantFrom<Strategy>('one-for-one', 'one-for-all', 'rest-for-one');

describe('Supervisor against a model', () => {
  it('starts and ends in the same order', async () => {
    await fc.assert(
      fc.asyncProperty(strategies, steps, async (strategy, history) => {
        await using world = new Simulation();
        const runtime = await world.start('node', { onError: () => {} });
        const diary = new Diary();
        const model = new Model(strategy);
        const boss = runtime.spawn(new Supervisor('boss', { strategy, restarts: 1000 }));
        for (const step of history) {
          const { does, id, restart } = step;
          if (does === 'crash') runtime.send(runtime.pid(id), Crash, 'broke');
          else if (does === 'quit') runtime.send(runtime.pid(id), Quit);
          else if (does === 'remove') void runtime.dispatch(boss, (one) => one.remove(id));
          else void runtime.dispatch(boss, (one) => one.add({ id, restart, start: () => new Member(id, diary) }));
          await world.settle();
          model.step(step);
          expect(diary.take(), JSON.stringify(step)).to.equal(model.take());
        }
        const children = await dispatch(boss, (one) => one.children());
        expect(children.map(({ id, pid }) => [id, pid !== undefined])).to.deep.equal(
          model.children.map(({ id, up }) => [id, up]),
        );
      }),
      { numRuns: 300 },
    );
  });

  it('comes to rest with everybody running, and nobody older than whom it depends on, whatever breaks at once', async () => {
    const volley = fc.array(fc.constantFrom(...ids), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(strategies, fc.array(volley, { maxLength: 5 }), async (strategy, volleys) => {
        await using world = new Simulation();
        const runtime = await world.start('node', { onError: () => {} });
        const children = ids.map((id) => ({ id, start: () => new Member(id, new Diary()) }));
        runtime.spawn(new Supervisor('boss', { strategy, restarts: 1000, children }));
        await world.settle();
        for (const broken of volleys) {
          const before = ids.map((id) => runtime.cell(id)?.pid.generation ?? 0);
          for (const id of broken) runtime.send(runtime.pid(id), Crash, 'broke');
          await world.settle();
          const after = ids.map((id) => runtime.cell(id)?.pid.generation ?? 0);
          const firstBroken = Math.min(...broken.map((id) => ids.indexOf(id)));
          for (let index = 0; index < ids.length; index++) {
            const restarted = (after[index] ?? 0) > (before[index] ?? 0);
            const id = ids[index] ?? '';
            if (strategy === 'one-for-one') expect(restarted, id).to.equal(broken.includes(id));
            else expect(restarted, id).to.equal(strategy === 'one-for-all' || index >= firstBroken);
          }
          if (strategy !== 'one-for-one') expect(after).to.deep.equal([...after].sort((one, other) => one - other));
        }
      }),
      { numRuns: 200 },
    );
  });
});
