import { expect } from 'chai';
import {
  type BodyOf,
  dispatch,
  type Future,
  type LocalPID,
  message,
  type PID,
  Process,
  request,
  type Runtime,
  streamRequest,
  type StreamReader,
} from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';

// What the assignments and the expected errors say fails in the type check. The functions around them never run.
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;
const same = <A, B>(equal: Equal<A, B>): boolean => equal;
const unused = (..._functions: ((...given: never[]) => unknown)[]): void => undefined;

const Deposit = message<{ readonly amount: number }>('deposit');
const Close = message('close');
const Receipt = message<{ readonly balance: number }>('receipt');
const Balance = request<{ readonly account: string }, number>('balance');
const Ping = request('ping');
const Entries = streamRequest<{ readonly since: number }, string>('entries');

class Account extends Process {
  readonly name = 'account';
  protected override initialize(): void {
    this.install(Deposit, (body, from) => {
      same<typeof body, { readonly amount: number }>(true);
      same<typeof from, PID>(true);
    });
    this.answer(Balance, ({ account }) => account.length);
    this.answer(Ping, () => undefined);
    this.produce(Entries, function* ({ since }) {
      yield `since ${since}`;
    });
  }
  deposit(amount: number, note?: string): number {
    return amount + (note?.length ?? 0);
  }
  later(): Promise<string> {
    return Promise.resolve('x');
  }
  whenever(): Future<boolean> {
    return this.wait(this.self);
  }
  nothing(): void {}
  *entries(since: number): Generator<string> {
    yield `since ${since}`;
  }
  async *ticks(): AsyncGenerator<number> {
    yield 1;
  }
}

class Savings extends Account {
  interest(): number {
    return 0;
  }
}

describe('types', () => {
  let world: Simulation;
  let runtime: Runtime;
  let account: LocalPID<Account>;

  beforeEach(async () => {
    world = new Simulation();
    runtime = await world.start('node');
    account = runtime.spawn(new Account('account'));
  });

  afterEach(async () => {
    await world.stop();
  });

  describe('of messages', () => {
    it('a wrong or missing body does not compile', () => {
      unused(
        () => runtime.send(account, Deposit, { amount: 1 }),
        // @ts-expect-error -- another body
        () => runtime.send(account, Deposit, { amount: '1' }),
        // @ts-expect-error -- no body
        () => runtime.send(account, Deposit),
        () => runtime.send(account, Close),
        // @ts-expect-error -- a body where there is none
        () => runtime.send(account, Close, { amount: 1 }),
      );
      expect(same<BodyOf<typeof Deposit>, { readonly amount: number }>(true)).to.equal(true);
      expect(same<BodyOf<typeof Close>, void>(true)).to.equal(true);
    });

    it('a handler of another body does not compile', () => {
      class Handlers extends Process {
        handlers(): void {
          this.install(Deposit, ({ amount }: { amount: number }) => amount);
          // @ts-expect-error -- another body
          this.install(Deposit, (body: string) => body);
          // @ts-expect-error -- another body to be sent
          this.send(this.self, Deposit, 'all');
          // @ts-expect-error -- another body of the answer
          this.reply(Receipt, { balance: 'much' });
        }
      }
      unused(() => new Handlers('handlers'));
    });

    it('an ask knows the type of its answer, and needs to be told of which kind it is', () => {
      const receipt = (): Future<{ readonly balance: number }> =>
        runtime.ask(account, Deposit, { amount: 1 }, { reply: Receipt });
      unused(
        receipt,
        // @ts-expect-error -- no kind of answer
        () => runtime.ask(account, Deposit, { amount: 1 }),
        // @ts-expect-error -- another body
        () => runtime.ask(account, Deposit, 1, { reply: Receipt }),
        // @ts-expect-error -- another answer
        (): Future<string> => runtime.ask(account, Deposit, { amount: 1 }, { reply: Receipt }),
      );
    });

    it('a request knows its answer', () => {
      unused(
        (): Future<number> => runtime.ask(account, Balance, { account: 'x' }),
        (): Future<void> => runtime.ask(account, Ping, undefined),
        // @ts-expect-error -- another question
        () => runtime.ask(account, Balance, { account: 1 }),
        // @ts-expect-error -- another answer
        (): Future<string> => runtime.ask(account, Balance, { account: 'x' }),
      );
      class Wrong extends Process {
        wrong(): void {
          this.answer(Balance, async ({ account: name }) => name.length);
          this.answer(Balance, () => this.ask(account, Balance, { account: 'x' }));
          // @ts-expect-error -- another answer
          this.answer(Balance, () => 'much');
          // @ts-expect-error -- a promise of another answer
          this.answer(Balance, async () => 'much');
          // @ts-expect-error -- another question
          this.answer(Balance, (body: number) => body);
          // @ts-expect-error -- nothing to answer
          this.answer(Deposit, () => 1);
        }
      }
      unused(() => new Wrong('wrong'));
    });

    it('a stream knows its items', () => {
      unused(
        (): AsyncIterable<string> => runtime.stream(account, Entries, { since: 1 }),
        // @ts-expect-error -- another question
        () => runtime.stream(account, Entries, { since: 'always' }),
        // @ts-expect-error -- other items
        (): AsyncIterable<number> => runtime.stream(account, Entries, { since: 1 }),
        // @ts-expect-error -- one answer is no stream
        () => runtime.stream(account, Balance, { account: 'x' }),
      );
      class Wrong extends Process {
        wrong(): void {
          // @ts-expect-error -- other items
          this.produce(Entries, () => [1, 2]);
        }
      }
      unused(() => new Wrong('wrong'));
    });
  });

  describe('of dispatches', () => {
    it('a method is called with its arguments, and gives what it gives', () => {
      const number = dispatch(account, (process) => process.deposit(1));
      const text = runtime.dispatch(account, 'later');
      expect(same<typeof number, Future<number>>(true)).to.equal(true);
      expect(same<typeof text, Future<string>>(true)).to.equal(true);
      unused(
        // @ts-expect-error -- another argument
        () => dispatch(account, (process) => process.deposit('1')),
        // @ts-expect-error -- no such method
        () => dispatch(account, (process) => process.withdraw(1)),
        // @ts-expect-error -- no such method
        () => runtime.dispatch(account, 'withdraw'),
        // @ts-expect-error -- another argument
        () => runtime.dispatch(account, 'deposit', '1'),
        // @ts-expect-error -- protected
        () => dispatch(account, (process) => process.terminate()),
      );
    });

    it('only an address that spawn returned takes closures and calls', () => {
      const remote = runtime.pid('account@elsewhere');
      unused(
        // @ts-expect-error -- a closure does not leave its runtime
        () => dispatch(remote, () => 1),
        // @ts-expect-error -- a closure does not leave its runtime
        () => runtime.dispatch(remote, () => 1),
        // @ts-expect-error -- a method of whatever is there
        () => runtime.dispatch(remote, 'deposit', 1),
        // @ts-expect-error -- a method of whatever is there
        () => remote.ask.deposit(1),
        // @ts-expect-error -- a method of whatever is there
        () => remote.tell.deposit(1),
        // @ts-expect-error -- a method of whatever is there
        () => remote.stream.entries(1),
      );
    });

    it('an address of a class is one of its base class, and not the other way round', () => {
      const savings = runtime.spawn(new Savings('savings'));
      const base: LocalPID<Account> = savings;
      expect(base).to.equal(savings);
      unused(
        // @ts-expect-error -- not every account is one
        (): LocalPID<Savings> => account,
        // @ts-expect-error -- no such method
        () => base.ask.interest(),
      );
    });
  });

  describe('of calls', () => {
    it('by ask give Futures of what the methods give', () => {
      const { ask } = account;
      const answers = [ask.deposit(1, 'x'), ask.later(), ask.whenever(), ask.nothing()] as const;
      type Expected = readonly [Future<number>, Future<string>, Future<boolean>, Future<void>];
      expect(same<typeof answers, Expected>(true)).to.equal(true);
      const savings: Future<number> = runtime.spawn(new Savings('savings')).ask.interest();
      expect(savings.isPending).to.equal(true);
    });

    it('take what the methods take', () => {
      unused(
        // @ts-expect-error -- another argument
        () => account.ask.deposit('1'),
        // @ts-expect-error -- an argument is missing
        () => account.ask.deposit(),
        // @ts-expect-error -- no such method
        () => account.ask.withdraw(1),
        // @ts-expect-error -- no method
        () => account.ask.name(),
        // @ts-expect-error -- another argument
        () => account.asking({ timeout: '1s' }).deposit('1'),
        // @ts-expect-error -- another argument
        () => account.tell.deposit('1'),
        // @ts-expect-error -- nobody waits
        (): number => account.tell.deposit(1),
      );
    });

    it('do not show what every process has', () => {
      unused(
        // @ts-expect-error -- of every process
        () => account.ask.runInitialize(),
        // @ts-expect-error -- of every process
        () => account.tell.runFinalize({ kind: 'terminated' }),
        // @ts-expect-error -- protected
        () => account.tell.terminate(),
        // @ts-expect-error -- protected
        () => account.ask.initialize(),
        // @ts-expect-error -- of every process
        () => account.ask.cell,
      );
    });

    it('of generators are streams, and nothing else is', () => {
      const [texts, numbers] = [account.stream.entries(1), account.stream.ticks()];
      expect(same<typeof texts, StreamReader<string>>(true)).to.equal(true);
      expect(same<typeof numbers, StreamReader<number>>(true)).to.equal(true);
      unused(
        // @ts-expect-error -- bit by bit
        () => account.ask.entries(1),
        // @ts-expect-error -- bit by bit
        () => account.tell.ticks(),
        // @ts-expect-error -- all at once
        () => account.stream.deposit(1),
        // @ts-expect-error -- another argument
        () => account.stream.entries('1'),
      );
    });
  });
});
