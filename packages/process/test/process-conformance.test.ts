import { expect } from 'chai';
import { dispatch, Future, type LocalPID, Process, type Runtime } from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';
import { Event } from '../src/event.ts';

describe('processes, as libprocess has them', () => {
  let world: Simulation;
  let runtime: Runtime;

  beforeEach(async () => {
    world = new Simulation();
    runtime = await world.start('node');
  });

  afterEach(async () => {
    await world.stop();
  });

  it('LP-PROC-01 an event tells its kind', () => {
    const { kind } = new Event('terminate', '', undefined, true);
    expect(['terminate', 'message', 'exited'].map((asked) => kind === asked)).to.deep.equal([true, false, false]);
  });

  /** Gives its deferred methods away, as a constructor of callbacks would. */
  class Deferrer extends Process {
    readonly calls: string[] = [];

    method(flag: boolean, number: number): boolean {
      this.calls.push(`${flag} ${number}`);
      return flag;
    }
    given<T>(name: string, value: T): T {
      this.calls.push(name);
      return value;
    }
    take(bound: { readonly name: string }, given: { readonly name: string }, flag: boolean): boolean {
      this.calls.push(`${bound.name} ${given.name}`);
      return flag;
    }
    giveDeferred() {
      return {
        nothing: this.deferred(() => void this.calls.push('nothing')),
        value: this.deferred(() => this.given('value', true)),
        future: this.deferred(() => this.given('future', Future.ready(true))),
        bound: this.deferred(() => this.method(true, 42)),
        firstOpen: this.deferred((flag: boolean) => this.method(flag, 42)),
        secondOpen: this.deferred((number: number) => this.method(true, number)),
        transferred: (name: string, flag: boolean) =>
          this.deferred((given: { readonly name: string }) => this.take({ name }, given, flag)),
      };
    }
    asText(number: number): string {
      return `${number}`;
    }
    chained(source: Future<number>): [Future<string>, Future<string>] {
      return [
        source.andThen(this.deferred((number: number) => this.asText(number))),
        source.andThen(this.deferred(() => '42')),
      ];
    }
  }

  it('LP-PROC-04 a deferred method takes some of its arguments where it is bound, and the others where it is called', async () => {
    const deferrer = new Deferrer();
    runtime.spawn(deferrer);
    const deferred = deferrer.giveDeferred();
    void deferred.nothing();
    const results = [
      deferred.value(),
      deferred.future(),
      deferred.bound(),
      deferred.firstOpen(false),
      deferred.secondOpen(42),
      deferred.transferred('x', true)({ name: 'y' }),
      deferred.transferred('v', false)({ name: 'w' }),
    ];
    expect(deferrer.calls).to.deep.equal([]);
    await world.settle();
    expect(results.map((result) => result.get())).to.deep.equal([true, true, true, false, true, true, false]);
    expect(deferrer.calls).to.deep.equal([
      'nothing',
      'value',
      'future',
      'true 42',
      'false 42',
      'true 42',
      'x y',
      'v w',
    ]);
  });

  it('LP-PROC-05 a method gives what a deferred continuation makes of a ready future, or without regard to it', async () => {
    const pid = runtime.spawn(new Deferrer());
    const results = [0, 1] as const;
    const outcomes = results.map((which) => dispatch(pid, (process) => process.chained(Future.ready(41))[which]));
    await world.settle();
    expect(outcomes.map((outcome) => outcome.get())).to.deep.equal(['41', '42']);
  });

  it('LP-PROC-12 an address can be had for a process that is never spawned', () => {
    class Never extends Process {}
    const pid = runtime.pid('never');
    expect([pid.toString(), pid.isExact]).to.deep.equal(['never@node', false]);
    expect(new Never('never').cell.spawned).to.equal(false);
    expect(runtime.processes).to.deep.equal([]);
  });

  interface First {
    first(): string;
  }
  interface Second {
    second(): string;
  }

  it('LP-PROC-13 a process that implements two interfaces is reached through an address of either', async () => {
    const calls: string[] = [];
    class Both extends Process implements First, Second {
      first(): string {
        calls.push('first');
        return '1';
      }
      second(): string {
        calls.push('second');
        return '2';
      }
    }
    const pid = runtime.spawn(new Both());
    const first: LocalPID<Process & First> = pid;
    const second: LocalPID<Process & Second> = pid;
    const results = [dispatch(first, (process) => process.first()), dispatch(second, (process) => process.second())];
    await world.settle();
    expect(results.map((result) => result.get())).to.deep.equal(['1', '2']);
    expect(calls).to.deep.equal(['first', 'second']);
  });
});
