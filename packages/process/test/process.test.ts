import { expect } from 'chai';
import {
  after,
  Deferred,
  dispatch,
  type ExitReason,
  Future,
  type LocalPID,
  message,
  type PID,
  Process,
  ProcessError,
  type Runtime,
} from '@mezzo/process';
import { Simulation } from '@mezzo/process/testing';
import { First } from './transport/processes.ts';

const Note = message<{ text: string }>('note');
const Tick = message('tick');

/** Writes down everything that happens to it. */
class Recorder extends Process {
  readonly log: string[] = [];
  protected override initialize(): void {
    this.log.push('initialize');
    this.install(Note, ({ text }) => void this.log.push(text));
  }
  protected override finalize(reason: ExitReason): void {
    this.log.push(`finalize ${reason.kind}`);
  }
  protected override exited(pid: PID, reason: ExitReason): void {
    this.log.push(`exited ${pid.id} ${reason.kind}`);
  }
  record(text: string): string {
    this.log.push(text);
    return text;
  }
  linkTo(pid: PID): void {
    this.link(pid);
  }
  run<R>(work: (self: this) => R): R {
    return work(this);
  }
  tell(to: PID, text: string): boolean {
    return this.send(to, Note, { text });
  }
  later<A extends unknown[]>(fn: (...given: A) => unknown): (...given: A) => void {
    return this.defer(fn);
  }
  laterValue<A extends unknown[], R>(fn: (...given: A) => R): (...given: A) => Future<unknown> {
    return this.deferred(fn);
  }
  quit(): void {
    this.terminate();
  }
}

describe('Process', () => {
  const errors: { error: unknown; context: string }[] = [];
  let world: Simulation;
  let runtime: Runtime;

  beforeEach(async () => {
    errors.length = 0;
    world = new Simulation();
    runtime = await world.start('node', { onError: (error, context) => errors.push({ error, context }) });
  });

  afterEach(async () => {
    await world.stop();
  });

  const spawn = (id?: string): [Recorder, LocalPID<Recorder>] => {
    const recorder = new Recorder(id);
    return [recorder, runtime.spawn(recorder)];
  };

  describe('lifecycle', () => {
    it('LP-PROC-02 initializes once, lives until it is terminated, and finalizes once', async () => {
      const [recorder, pid] = spawn('a');
      expect(pid.toString()).to.equal('a@node');
      const poll = runtime.wait(pid, { timeout: 0 });
      await world.settle();
      expect(poll.get()).to.equal(false);
      const ended = runtime.wait(pid);
      runtime.terminate(pid);
      const asked = runtime.wait(pid);
      await world.settle();
      expect([ended.get(), asked.get()]).to.deep.equal([true, true]);
      expect(recorder.log).to.deep.equal(['initialize', 'finalize terminated']);
    });

    it('LP-SRC-06 initializes before the first event, after spawn returned, also if it is to end at once', async () => {
      const [recorder, pid] = spawn();
      expect(recorder.log).to.deep.equal([]);
      const never = dispatch(pid, (process) => process.record('never'));
      runtime.terminate(pid);
      await world.settle();
      expect(recorder.log).to.deep.equal(['initialize', 'finalize terminated']);
      expect(never.isAbandoned).to.equal(true);
    });

    it('LP-SRC-07 terminate finishes the running handler and drops what is queued', async () => {
      const [recorder, pid] = spawn();
      let first: Future<unknown> | undefined;
      dispatch(pid, (process) =>
        process.run((self) => {
          first = dispatch(pid, () => self.record('1'));
          runtime.send(pid, Note, { text: '2' });
          runtime.terminate(pid);
          void dispatch(pid, () => self.record('3'));
          self.record('done');
        }),
      );
      await world.settle();
      expect(recorder.log).to.deep.equal(['initialize', 'done', 'finalize terminated']);
      expect([first?.isAbandoned, first?.isPending]).to.deep.equal([true, true]);
    });

    it('LP-SRC-08 terminate without inject serves first what was queued before, and drops the rest', async () => {
      const [recorder, pid] = spawn();
      await world.settle();
      void dispatch(pid, (process) => process.record('1'));
      runtime.send(pid, Note, { text: '2' });
      runtime.terminate(pid, { inject: false });
      const late = dispatch(pid, (process) => process.record('3'));
      await world.settle();
      expect(recorder.log).to.deep.equal(['initialize', '1', '2', 'finalize terminated']);
      expect(late.isAbandoned).to.equal(true);
    });

    it('LP-SRC-13 what one process sends to another, dispatches to it and ends it with is served in that order', async () => {
      const [recorder, b] = spawn('b');
      const [, a] = spawn('a');
      void dispatch(a, (process) => {
        process.tell(b, 'm1');
        void dispatch(b, (other) => other.record('d1'));
        process.tell(b, 'm2');
        void dispatch(b, (other) => other.record('d2'));
        runtime.terminate(b, { inject: false });
      });
      await world.settle();
      expect(recorder.log).to.deep.equal(['initialize', 'm1', 'd1', 'm2', 'd2', 'finalize terminated']);
    });

    it('LP-SRC-09 terminating twice finalizes once, and inject overtakes for an earlier one without', async () => {
      const [recorder, pid] = spawn();
      await world.settle();
      void dispatch(pid, (process) => process.record('dropped'));
      runtime.terminate(pid, { inject: false });
      runtime.terminate(pid);
      runtime.terminate(pid);
      await world.settle();
      expect(recorder.log).to.deep.equal(['initialize', 'finalize terminated']);
      const [namesake] = spawn('x');
      runtime.terminate(pid);
      runtime.terminate(runtime.pid('nobody'));
      runtime.terminate(runtime.pid('x@elsewhere'));
      runtime.terminate(runtime.nobody);
      await world.settle();
      expect(recorder.log).to.have.length(2);
      expect(namesake.log).to.deep.equal(['initialize']);
    });

    it('LP-SRC-11 serves nothing that it sends itself in finalize', async () => {
      class Late extends Recorder {
        last: Future<string> | undefined;
        taken: boolean | undefined;
        protected override finalize(reason: ExitReason): void {
          super.finalize(reason);
          this.taken = this.tell(this.self, 'too late');
          this.last = dispatch(late.self, (process) => process.record('too late'));
        }
      }
      const late = new Late();
      runtime.terminate(runtime.spawn(late));
      await world.settle();
      expect(late.log).to.deep.equal(['initialize', 'finalize terminated']);
      expect([late.taken, late.last?.isAbandoned]).to.deep.equal([false, true]);
    });

    it('ends itself after the current turn', async () => {
      const [recorder, pid] = spawn();
      void dispatch(pid, (process) => {
        process.quit();
        process.record('still my turn');
      });
      void dispatch(pid, (process) => process.record('dropped'));
      await world.settle();
      expect(recorder.log).to.deep.equal(['initialize', 'still my turn', 'finalize terminated']);
    });

    it('has no address and no runtime before it is spawned, and says so', () => {
      const recorder = new Recorder('x');
      expect(() => recorder.self)
        .to.throw(ProcessError, "'x' was not spawned yet")
        .with.property('code', 'PROCESS_NOT_SPAWNED');
      expect(() => recorder.tell(runtime.nobody, 'x')).to.throw(ProcessError, 'initialize()');
    });
  });

  describe('crash', () => {
    const boom = (): never => {
      throw new Error('boom');
    };

    it('an exception out of a handler ends that process only, and fails the dispatch that threw', async () => {
      const [recorder, pid] = spawn('victim');
      const [other, watcher] = spawn('watcher');
      void dispatch(watcher, (process) => process.linkTo(pid));
      await world.settle();
      const failed = dispatch(pid, boom);
      const dropped = dispatch(pid, (process) => process.record('dropped'));
      await world.settle();
      expect(failed.failure()).to.have.property('message', 'boom');
      expect(dropped.isAbandoned).to.equal(true);
      expect(recorder.log).to.deep.equal(['initialize', 'finalize crashed']);
      expect(other.log).to.deep.equal(['initialize', 'exited victim crashed']);
      expect(errors.map(({ context }) => context)).to.deep.equal(['process victim@node crashed']);
    });

    it('an exception in initialize ends the process before it serves anything', async () => {
      class Unborn extends Recorder {
        protected override initialize(): void {
          super.initialize();
          boom();
        }
      }
      const unborn = new Unborn();
      const pid = runtime.spawn(unborn);
      const dropped = dispatch(pid, (process) => process.record('dropped'));
      await world.settle();
      expect(unborn.log).to.deep.equal(['initialize', 'finalize crashed']);
      expect(dropped.isAbandoned).to.equal(true);
    });

    it('an exception in exited ends the process', async () => {
      class Nervous extends Recorder {
        protected override exited(): void {
          boom();
        }
      }
      const nervous = new Nervous();
      const pid = runtime.spawn(nervous);
      void dispatch(pid, (process) => process.linkTo(runtime.pid('nobody')));
      await world.settle();
      expect(nervous.log).to.deep.equal(['initialize', 'finalize crashed']);
    });

    it('an exception in finalize is reported, and the process has ended all the same', async () => {
      class Stubborn extends Recorder {
        protected override finalize(): void {
          boom();
        }
      }
      const pid = runtime.spawn(new Stubborn('stubborn'));
      const ended = runtime.wait(pid);
      runtime.terminate(pid);
      await world.settle();
      expect(ended.get()).to.equal(true);
      expect(errors.map(({ context }) => context)).to.deep.equal(['finalize of process stubborn@node threw']);
    });

    it('an exception in a callback ends the process that registered it, never the one that completed the future', async () => {
      const [listener, listening] = spawn('listener');
      const [completer, completing] = spawn('completer');
      const promise = new Deferred<number>();
      void dispatch(listening, () => void promise.future.onReady(boom));
      void dispatch(completing, (process) => {
        promise.set(1);
        process.record('goes on');
      });
      await world.settle();
      expect(listener.log).to.deep.equal(['initialize', 'finalize crashed']);
      expect(completer.log).to.deep.equal(['initialize', 'goes on']);
    });

    it('a callback registered inside a callback belongs to the same process, whoever completed the future', async () => {
      const [listener, listening] = spawn('listener');
      const [completer, completing] = spawn('completer');
      const [outer, inner] = [new Deferred<number>(), new Deferred<number>()];
      void dispatch(listening, () => void outer.future.onReady(() => void inner.future.onReady(boom)));
      void dispatch(completing, () => void outer.set(1));
      await world.settle();
      inner.set(1);
      await world.settle();
      expect(listener.log.at(-1)).to.equal('finalize crashed');
      expect(completer.log).to.deep.equal(['initialize']);
    });

    it('an exception in a callback during its own turn ends it after the turn: its messages come before the word of its end', async () => {
      const [watcher, watching] = spawn('watcher');
      const [, pid] = spawn('victim');
      void dispatch(watching, (process) => process.linkTo(pid));
      await world.settle();
      void dispatch(pid, (process) => {
        Future.ready(1).onReady(boom);
        process.tell(watching, 'last words');
      });
      await world.settle();
      expect(watcher.log).to.deep.equal(['initialize', 'last words', 'exited victim crashed']);
    });

    it('a callback of a process that has ended is reported and ends nobody', async () => {
      const [recorder, pid] = spawn('gone');
      const promise = new Deferred<number>();
      void dispatch(pid, () => void promise.future.onReady(boom));
      runtime.terminate(pid, { inject: false });
      await world.settle();
      promise.set(1);
      expect(recorder.log).to.deep.equal(['initialize', 'finalize terminated']);
      expect(errors).to.have.length(1);
    });
  });

  describe('async handlers', () => {
    it('hold the mailbox until they settle', async () => {
      const [recorder, pid] = spawn();
      const gate = new Deferred<void>();
      const outcome = dispatch(pid, async (process) => {
        process.record('begins');
        await gate.future;
        return process.record('ends');
      });
      void dispatch(pid, (process) => process.record('next'));
      await world.settle();
      expect(recorder.log).to.deep.equal(['initialize', 'begins']);
      gate.set();
      await world.settle();
      expect(recorder.log).to.deep.equal(['initialize', 'begins', 'ends', 'next']);
      expect(outcome.get()).to.equal('ends');
    });

    it('LP-SRC-16 a handler that returns a Future has ended its turn', async () => {
      const [recorder, pid] = spawn();
      const gate = new Deferred<string>();
      const outcome = dispatch(pid, () => gate.future);
      void dispatch(pid, (process) => process.record('next'));
      await world.settle();
      expect(recorder.log).to.deep.equal(['initialize', 'next']);
      gate.set('done');
      expect(outcome.get()).to.equal('done');
    });

    it('an async initialize lets no event come before it is done', async () => {
      const gate = new Deferred<void>();
      class Slow extends Recorder {
        protected override async initialize(): Promise<void> {
          await gate.future;
          super.initialize();
        }
      }
      const slow = new Slow();
      const pid = runtime.spawn(slow);
      runtime.send(pid, Note, { text: 'note' });
      await world.settle();
      expect(slow.log).to.deep.equal([]);
      gate.set();
      await world.settle();
      expect(slow.log).to.deep.equal(['initialize', 'note']);
    });

    it('terminate acts during a hold, abandons its dispatch, and what settles afterwards is counted and discarded', async () => {
      const [recorder, pid] = spawn();
      const gate = new Deferred<void>();
      const outcome = dispatch(pid, async () => {
        await gate.future;
        return 'late';
      });
      await world.settle();
      runtime.terminate(pid);
      expect(recorder.log).to.deep.equal(['initialize', 'finalize terminated']);
      expect(outcome.isAbandoned).to.equal(true);
      gate.set();
      await world.settle();
      expect(outcome.isPending).to.equal(true);
      expect(runtime.metrics.lateSettlements).to.equal(1);
    });

    it('terminate without inject lets the held handler finish first', async () => {
      const [recorder, pid] = spawn();
      const gate = new Deferred<void>();
      void dispatch(pid, async (process) => {
        await gate.future;
        process.record('finished');
      });
      await world.settle();
      runtime.terminate(pid, { inject: false });
      await world.settle();
      expect(recorder.log).to.deep.equal(['initialize']);
      gate.set();
      await world.settle();
      expect(recorder.log).to.deep.equal(['initialize', 'finished', 'finalize terminated']);
    });

    it('a rejection is a crash, and fails the dispatch', async () => {
      const [recorder, pid] = spawn();
      const outcome = dispatch(pid, async () => {
        await Promise.resolve();
        throw new Error('later');
      });
      await world.settle();
      expect(outcome.failure()).to.have.property('message', 'later');
      expect(recorder.log).to.deep.equal(['initialize', 'finalize crashed']);
    });

    it('a process that crashed in the sync part of an async handler stays ended', async () => {
      const [recorder, pid] = spawn();
      void dispatch(pid, async () => {
        Future.ready(1).onReady(() => {
          throw new Error('callback');
        });
        await Promise.resolve();
      });
      await world.settle();
      expect(recorder.log).to.deep.equal(['initialize', 'finalize crashed']);
      expect(runtime.processes).to.deep.equal([]);
      expect(runtime.metrics.lateSettlements).to.equal(1);
    });

    it('LP-PROC-11 a handler may spawn, terminate and wait for another process', async () => {
      const [recorder, pid] = spawn('outer');
      void dispatch(pid, async (process) => {
        const inner = runtime.spawn(new Recorder('inner'));
        runtime.terminate(inner);
        process.record(`inner ended: ${await runtime.wait(inner)}`);
      });
      runtime.terminate(pid, { inject: false });
      const ended = runtime.wait(pid);
      await world.settle();
      expect(ended.get()).to.equal(true);
      expect(recorder.log).to.deep.equal(['initialize', 'inner ended: true', 'finalize terminated']);
    });
  });

  describe('one at a time', () => {
    it('LP-SRC-15 never serves two events at once, wherever they come from', async () => {
      let inside = 0;
      let most = 0;
      let served = 0;
      const busy = async (): Promise<void> => {
        most = Math.max(most, ++inside);
        await after('2ms', runtime.clock);
        inside--;
        served++;
      };
      class Busy extends Process {
        protected override initialize(): void {
          this.install(Tick, busy);
          this.install(First, busy);
          this.delay(1, busy);
          this.link(runtime.pid('nobody'));
          Future.ready(1).onReady(this.defer(busy));
        }
        protected override exited(): Promise<void> {
          return busy();
        }
      }
      const pid = runtime.spawn(new Busy('busy'));
      const other = await world.start('other');
      for (let n = 0; n < 5; n++) {
        runtime.send(pid, Tick);
        void dispatch(pid, busy);
        other.send(other.pid('busy@node'), First, { n });
      }
      await world.advance('1secs');
      expect([most, served]).to.deep.equal([1, 18]);
    });
  });

  describe('messages', () => {
    it('LP-PROC-07 the handler of a kind runs with its body and sender; from outside, the sender is nobody', async () => {
      const seen: unknown[] = [];
      class Handling extends Process {
        constructor() {
          super();
          this.install(Tick, (body, from) => void seen.push([body, from.id]));
        }
      }
      const pid = runtime.spawn(new Handling());
      expect(runtime.send(pid, Tick)).to.equal(true);
      runtime.terminate(pid, { inject: false });
      const ended = runtime.wait(pid);
      await world.settle();
      expect(seen).to.deep.equal([[undefined, '']]);
      expect(ended.get()).to.equal(true);
    });

    it('LP-SRC-19 a kind without handler or delegate changes nothing and is a dead letter; a handler comes before a delegate', async () => {
      const letters: string[] = [];
      const subscription = runtime.onDeadLetter(({ reason, name }) => void letters.push(`${reason} ${name}`));
      const [behind, delegate] = spawn();
      class Twice extends Recorder {
        protected override initialize(): void {
          this.delegate(Note, delegate);
          super.initialize();
          this.install(Note, ({ text }) => void this.log.push(`second ${text}`));
        }
      }
      const twice = new Twice();
      const pid = runtime.spawn(twice);
      runtime.send(pid, Tick);
      runtime.send(pid, Note, { text: 'x' });
      await world.settle();
      expect(letters).to.deep.equal(['unhandled tick']);
      expect([twice.log, behind.log]).to.deep.equal([['initialize', 'second x'], ['initialize']]);
      subscription.cancel();
      runtime.send(pid, Tick);
      await world.settle();
      expect(letters).to.have.length(1);
    });

    it('LP-PROC-10 LP-SRC-20 a delegate gets the message with its original sender', async () => {
      const seen: string[] = [];
      const delegatee = runtime.pid('behind');
      class Behind extends Process {
        protected override initialize(): void {
          this.install(Note, ({ text }, from) => void seen.push(`${text} from ${from.id}`));
        }
      }
      class Front extends Process {
        constructor() {
          super('front');
          this.delegate(Note, delegatee);
        }
      }
      const front = runtime.spawn(new Front());
      runtime.spawn(new Behind('behind'));
      const [, sender] = spawn('sender');
      void dispatch(sender, (process) => process.tell(front, 'hello'));
      runtime.send(front, Note, { text: 'posted' });
      await world.settle();
      expect(seen).to.have.members(['hello from sender', 'posted from ']);
    });

    it('replies to the sender of the message it handles, and only then', async () => {
      const [asker, pid] = spawn('asker');
      class Replying extends Process {
        protected override initialize(): void {
          this.install(Note, ({ text }) => void this.reply(Note, { text: `re: ${text}` }));
        }
        outside(): void {
          this.reply(Note, { text: 'x' });
        }
      }
      const replying = runtime.spawn(new Replying());
      void dispatch(pid, (process) => process.tell(replying, 'hi'));
      await world.settle();
      expect(asker.log).to.deep.equal(['initialize', 're: hi']);
      const outside = dispatch(replying, (process) => process.outside());
      await world.settle();
      expect(outside.failure()).to.have.property('message').that.includes('outside a message handler');
    });

    it('LP-SRC-21 sending and linking to the empty address has no effect', async () => {
      const [recorder, pid] = spawn();
      void dispatch(pid, (process) => {
        process.record(`sent: ${process.tell(runtime.nobody, 'x')}`);
        process.linkTo(runtime.nobody);
      });
      const letters: string[] = [];
      runtime.onDeadLetter(({ name }) => void letters.push(name));
      expect(runtime.send(runtime.nobody, Note, { text: 'x' })).to.equal(false);
      await world.advance('1mins');
      expect(recorder.log).to.deep.equal(['initialize', 'sent: false']);
      expect([letters, runtime.processes]).to.deep.equal([[], [pid.id]]);
    });
  });

  describe('mailbox', () => {
    it('refuses messages at its bound, never control events, and leaves a dead letter', async () => {
      const letters: string[] = [];
      runtime.onDeadLetter(({ reason, name, to }) => void letters.push(`${reason} ${name} ${to.toString()}`));
      class Bounded extends Recorder {
        protected override initialize(): void {
          super.initialize();
          this.boundMailbox(2);
        }
      }
      const bounded = new Bounded('bounded');
      const pid = runtime.spawn(bounded);
      await world.settle();
      expect([1, 2, 3].map((n) => runtime.send(pid, Note, { text: `${n}` }))).to.deep.equal([true, true, false]);
      const called = dispatch(pid, (process) => process.record('dispatch'));
      expect(letters).to.deep.equal(['overflow note bounded@node']);
      const ready = runtime.ready(pid);
      expect(ready.isPending).to.equal(true);
      await world.settle();
      expect(ready.isReady).to.equal(true);
      expect(called.isReady).to.equal(true);
      expect(bounded.log).to.deep.equal(['initialize', '1', '2', 'dispatch']);
      for (const text of ['4', '5']) runtime.send(pid, Note, { text });
      const never = runtime.ready(pid);
      runtime.terminate(pid);
      await world.settle();
      expect(never.isAbandoned).to.equal(true);
      expect(runtime.ready(pid).isAbandoned).to.equal(true);
      expect(bounded.log.at(-1)).to.equal('finalize terminated');
    });
  });

  describe('defer and delay', () => {
    it('a deferred function runs in a turn of its process, with bound and given arguments', async () => {
      const [recorder, pid] = spawn();
      await world.settle();
      const deferred = recorder.later((text: string) => void recorder.record(text));
      deferred('given');
      expect(recorder.log).to.deep.equal(['initialize']);
      const value = recorder.laterValue((n: number) => Future.ready(n * 2))(21);
      await world.settle();
      expect(recorder.log).to.deep.equal(['initialize', 'given']);
      expect(value.get()).to.equal(42);
      runtime.terminate(pid);
      await world.settle();
      deferred('too late');
      expect(recorder.laterValue(() => 1)().isAbandoned).to.equal(true);
      await world.settle();
      expect(recorder.log).to.deep.equal(['initialize', 'given', 'finalize terminated']);
    });

    it('a deferred continuation of a future gives its value', async () => {
      const [recorder, pid] = spawn();
      const result = dispatch(pid, (process) => Future.ready(41).andThen(process.laterValue((n: number) => `${n}`)));
      await world.settle();
      expect(result.get()).to.equal('41');
      expect(recorder.log).to.deep.equal(['initialize']);
    });

    it('LP-CLOCK-01 delay runs once, when the time has come and no earlier, and a cancelled one never', async () => {
      const [recorder, pid] = spawn();
      runtime.delay(pid, '5secs', () => recorder.record('5 s'));
      const cancelled = runtime.delay(pid, '5secs', () => recorder.record('never'));
      await world.advance(4999);
      expect(recorder.log).to.deep.equal(['initialize']);
      expect([cancelled.cancel(), cancelled.cancel()]).to.deep.equal([true, false]);
      await world.advance(1);
      await world.advance('1hrs');
      expect(recorder.log).to.deep.equal(['initialize', '5 s']);
    });

    it('a delay whose process has ended does nothing', async () => {
      const [recorder, pid] = spawn('x');
      runtime.delay(pid, '1secs', () => recorder.record('never'));
      runtime.terminate(pid);
      await world.settle();
      const [successor] = spawn('x');
      await world.advance('2secs');
      expect(recorder.log).to.deep.equal(['initialize', 'finalize terminated']);
      expect(successor.log).to.deep.equal(['initialize']);
    });

    it('delays end with their process, so that none keeps the OS process alive', async () => {
      class Sleeper extends Process {
        protected override initialize(): void {
          this.delay('1days', () => undefined);
        }
      }
      await world.settle();
      const before = world.clock.nextDue();
      const pid = runtime.spawn(new Sleeper('sleeper'));
      await world.settle();
      expect(world.clock.nextDue()).to.be.a('number').and.not.equal(before);
      runtime.terminate(pid);
      await world.settle();
      expect(world.clock.nextDue()).to.equal(before);
    });

    it('Future.after uses the clock of the process in whose turn it is called', async () => {
      const [, pid] = spawn();
      const result = dispatch(pid, () => new Deferred<string>().future.after('1secs', () => 'late'));
      await world.advance(999);
      expect(result.isPending).to.equal(true);
      await world.advance(1);
      expect(result.get()).to.equal('late');
    });
  });
});
