import { expect } from 'chai';
import { Deferred, Future, ProcessError, StateMachine } from '@mezzo/process';

type State = 'stopped' | 'running' | 'failed';

describe('StateMachine', () => {
  it('LP-SM-01 a legal transition gives what its effect gives, as it is; from another state it throws', () => {
    const effects: { effect: () => unknown; gives: unknown }[] = [];
    const add = <T>(gives: T): void => void effects.push({ effect: () => gives, gives });
    add(42);
    add(new Error('a value like any other'));
    add(new Deferred<string>().future);
    add(Future.failed('no'));
    for (const { effect, gives } of effects) {
      const machine = new StateMachine<State>('stopped');
      const go = (): unknown => machine.transition('stopped', 'running', effect);
      expect(go()).to.equal(gives);
      expect(go)
        .to.throw(ProcessError, "Invalid current state 'running': the transition to 'running' starts at 'stopped'")
        .with.property('code', 'STATE_INVALID');
    }
    const machine = new StateMachine<State>('stopped');
    const typed: number = machine.transition('stopped', 'running', () => 42);
    expect(typed).to.equal(42);
    expect(machine.transition('running', 'stopped')).to.equal(undefined);
  });

  it('an illegal transition runs nothing and throws the text given', () => {
    const machine = new StateMachine<State>('stopped');
    let ran = false;
    const effect = (): void => {
      ran = true;
    };
    expect(() => machine.transition('running', 'failed', effect, 'not running')).to.throw(ProcessError, 'not running');
    expect(() => machine.transition('running', 'failed', 'not yet')).to.throw(ProcessError, 'not yet');
    expect([ran, machine.state]).to.deep.equal([false, 'stopped']);
  });

  it('LP-SM-02 is in its state before and after a transition', () => {
    const machine = new StateMachine<State>('stopped');
    expect([machine.is('stopped'), machine.is('running')]).to.deep.equal([true, false]);
    machine.transition('stopped', 'running');
    expect([machine.is('stopped'), machine.is('running')]).to.deep.equal([false, true]);
  });

  it('LP-SM-03 when is READY at once in that state, and otherwise at the next entry', () => {
    const machine = new StateMachine<State>('stopped');
    expect(machine.when('stopped').isReady).to.equal(true);
    const running = machine.when('running');
    const failed = machine.when('failed');
    expect(running.isPending).to.equal(true);
    machine.transition('stopped', 'running');
    expect([running.isReady, failed.isPending]).to.deep.equal([true, true]);
  });

  it('sets the state, then completes who waits, then runs the effect, whose failure leaves the state as it is', () => {
    const machine = new StateMachine<State>('stopped');
    const seen: string[] = [];
    machine.when('running').onReady(() => seen.push(`waiter at ${machine.state}`));
    expect(() =>
      machine.transition('stopped', 'running', () => {
        seen.push(`effect at ${machine.state}`);
        throw new Error('effect failed');
      }),
    ).to.throw('effect failed');
    expect(seen).to.deep.equal(['waiter at running', 'effect at running']);
    expect(machine.is('running')).to.equal(true);
  });

  it('who leaves the state in a callback and waits for it again waits for the next time', () => {
    const machine = new StateMachine<State>('stopped');
    let entered = 0;
    machine.when('running').onReady(() => {
      entered++;
      machine.transition('running', 'stopped');
      machine.when('running').onReady(() => entered++);
    });
    machine.transition('stopped', 'running');
    expect([entered, machine.state]).to.deep.equal([1, 'stopped']);
    machine.transition('stopped', 'running');
    expect(entered).to.equal(2);
  });

  it('a waiter that is discarded is DISCARDED and hears nothing', () => {
    const machine = new StateMachine<State>('stopped');
    const running = machine.when('running');
    running.discard();
    machine.transition('stopped', 'running');
    expect(running.isDiscarded).to.equal(true);
  });
});
